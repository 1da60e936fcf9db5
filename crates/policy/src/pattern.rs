//! Texts with wildcards and variables, compiled so that matching neither backtracks nor
//! allocates.
//!
//! A pattern is cut at its `*`s into chunks of fixed shape. The first chunk must start the text,
//! the last must end it, and each one between is looked for from where the one before it ended.
//! Taking the leftmost place is always right, because a chunk matches a fixed number of
//! characters; so no choice is ever taken back.

use crate::facts::Facts;
use crate::key::Key;

/// The longest text with wildcards or variables. AWS bounds a whole IoT policy at 2048
/// characters (spec 6.1); with it, the cost of one match is bounded as well.
const MAX_LENGTH: usize = 2048;

/// Whether `*` and `?` are wildcards or themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wildcards {
    Active,
    Literal,
}

/// A part of a pattern's text.
#[derive(Debug)]
pub(crate) enum Token {
    Literal(String),
    /// `?`: one character.
    AnyOne,
    /// `*`: any run of characters, `/` included (spec 6.3).
    AnyRun,
    Variable(Variable),
}

/// `${key}` or `${key, 'default'}`.
#[derive(Debug)]
pub(crate) struct Variable {
    key: Key,
    default: Option<Box<str>>,
    /// The variable as written, which it stands for when it does not resolve (spec 6.4).
    raw: Box<str>,
}

impl Variable {
    /// The text the variable stands for. Its characters are themselves, never wildcards.
    fn text<'f>(&'f self, facts: &'f Facts<'_>) -> &'f str {
        let value = self.key.substitute(facts).or(self.default.as_deref());
        value.unwrap_or(&self.raw)
    }

    /// The variable's name, if it does not resolve and has no default.
    pub(crate) fn unresolved(&self, facts: &Facts<'_>) -> Option<&str> {
        let resolves = self.default.is_some() || self.key.substitute(facts).is_some();
        (!resolves).then(|| &self.raw["${".len()..self.raw.len() - "}".len()])
    }

    fn is_vital(&self) -> bool {
        self.key.is_of_thing() && self.default.is_none()
    }
}

/// Cuts `text` into tokens: wildcards, variables, and the escapes `${*}`, `${?}` and `${$}`.
pub(crate) fn tokens(text: &str, wildcards: Wildcards) -> Result<Vec<Token>, String> {
    if text.len() > MAX_LENGTH {
        return Err(format!("{} bytes long; the longest text here is {MAX_LENGTH}", text.len()));
    }
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            '*' if wildcards == Wildcards::Active => (Token::AnyRun, 1),
            '?' if wildcards == Wildcards::Active => (Token::AnyOne, 1),
            '$' if rest.starts_with("${") => {
                let Some(end) = rest.find('}') else {
                    let message = "`${` opens a variable that no `}` closes; for a plain `$` \
                                   write `${$}`";
                    return Err(message.to_owned());
                };
                (variable(&rest[..=end])?, end + 1)
            }
            _ => {
                let stop = rest[first.len_utf8()..].find(['*', '?', '$']);
                let length = stop.map_or(rest.len(), |stop| first.len_utf8() + stop);
                (Token::Literal(rest[..length].to_owned()), length)
            }
        };
        push(&mut tokens, token);
        rest = &rest[length..];
    }
    Ok(tokens)
}

/// Adds `token`, joining neighbouring literals.
fn push(tokens: &mut Vec<Token>, token: Token) {
    match (tokens.last_mut(), token) {
        (Some(Token::Literal(before)), Token::Literal(text)) => before.push_str(&text),
        (_, token) => tokens.push(token),
    }
}

/// The token for `${...}`. A variable that no request can resolve is its own text.
fn variable(raw: &str) -> Result<Token, String> {
    let inner = &raw["${".len()..raw.len() - 1];
    if let "*" | "?" | "$" = inner {
        return Ok(Token::Literal(inner.to_owned()));
    }
    let (name, default) = match inner.split_once(',') {
        None => (inner, None),
        Some((name, default)) => {
            let quoted = default.trim().strip_prefix('\'').and_then(|text| text.strip_suffix('\''));
            let Some(default) = quoted else {
                return Err(format!(
                    "the default in `{raw}` needs single quotes, as in \
                     `${{aws:username, 'nobody'}}`"
                ));
            };
            (name.trim(), Some(default))
        }
    };
    let Some(key) = Key::parse(name) else {
        return Ok(Token::Literal(default.unwrap_or(raw).to_owned()));
    };
    Ok(Token::Variable(Variable { key, default: default.map(Box::from), raw: raw.into() }))
}

/// A compiled pattern.
#[derive(Debug)]
pub(crate) struct Pattern {
    /// The literal that the text must start with, perhaps empty: what turns most texts away.
    lead: Box<str>,
    /// What must follow the lead; all that may, if there is no `*`.
    prefix: Chunk,
    after_run: Option<AfterRun>,
    /// Whether some variable must resolve for the element to match at all.
    has_vital_variable: bool,
}

/// What follows a pattern's first `*`.
#[derive(Debug)]
struct AfterRun {
    middles: Box<[Chunk]>,
    suffix: Chunk,
}

/// The part of a pattern between two `*`s.
type Chunk = Box<[Piece]>;

#[derive(Debug)]
enum Piece {
    Literal(Box<str>),
    AnyOne,
    Variable(Variable),
}

impl Pattern {
    /// Compiles `text`; the error says what is wrong with it.
    pub(crate) fn parse(text: &str, wildcards: Wildcards) -> Result<Pattern, String> {
        Ok(Pattern::from_tokens(tokens(text, wildcards)?))
    }

    pub(crate) fn from_tokens(tokens: Vec<Token>) -> Pattern {
        let mut has_vital_variable = false;
        let mut chunks = vec![Vec::new()];
        for token in tokens {
            let piece = match token {
                Token::AnyRun => {
                    chunks.push(Vec::new());
                    continue;
                }
                Token::AnyOne => Piece::AnyOne,
                Token::Literal(text) if text.is_empty() => continue,
                Token::Literal(text) => Piece::Literal(text.into()),
                Token::Variable(variable) => {
                    has_vital_variable |= variable.is_vital();
                    Piece::Variable(variable)
                }
            };
            chunks.last_mut().expect("starts with one chunk").push(piece);
        }
        let mut chunks: Vec<Chunk> = chunks.into_iter().map(Vec::into_boxed_slice).collect();
        let suffix = if chunks.len() > 1 { chunks.pop() } else { None };
        let after_run = suffix.map(|suffix| {
            // Chunks between neighbouring `*`s are empty and match anywhere.
            let middles = chunks.drain(1..).filter(|chunk| !chunk.is_empty()).collect();
            AfterRun { middles, suffix }
        });
        let mut prefix = chunks.pop().expect("starts with one chunk").into_vec();
        let lead = match prefix.first_mut() {
            Some(Piece::Literal(text)) => {
                let lead = std::mem::take(text);
                prefix.remove(0);
                lead
            }
            Some(Piece::AnyOne | Piece::Variable(_)) | None => Box::default(),
        };
        Pattern { lead, prefix: prefix.into(), after_run, has_vital_variable }
    }

    /// Whether the pattern is `*`.
    pub(crate) fn is_everything(&self) -> bool {
        let open = self
            .after_run
            .as_ref()
            .is_some_and(|after| after.middles.is_empty() && after.suffix.is_empty());
        open && self.lead.is_empty() && self.prefix.is_empty()
    }

    /// The text that everything the pattern matches begins with.
    pub(crate) fn lead(&self) -> &str {
        &self.lead
    }

    /// The text of a pattern that is nothing else.
    pub(crate) fn as_literal(&self) -> Option<&str> {
        (self.prefix.is_empty() && self.after_run.is_none()).then_some(&*self.lead)
    }

    /// Whether every variable about the connection's thing has a value. An element where one
    /// has none matches nothing, nor does its negation (spec 6.4).
    pub(crate) fn resolves(&self, facts: &Facts<'_>) -> bool {
        if !self.has_vital_variable {
            return true;
        }
        let after = self.after_run.as_ref();
        let later = after.into_iter().flat_map(|after| after.middles.iter().chain([&after.suffix]));
        std::iter::once(&self.prefix).chain(later).flatten().all(|piece| match piece {
            Piece::Variable(variable) => {
                !variable.is_vital() || variable.key.substitute(facts).is_some()
            }
            Piece::Literal(_) | Piece::AnyOne => true,
        })
    }

    /// Whether the whole of `text` matches.
    #[inline]
    pub(crate) fn matches(&self, text: &str, facts: &Facts<'_>) -> bool {
        text.strip_prefix(&*self.lead).is_some_and(|rest| self.matches_after_lead(rest, facts))
    }

    fn matches_after_lead(&self, text: &str, facts: &Facts<'_>) -> bool {
        let Some(rest) = strip_start(&self.prefix, text, facts) else { return false };
        let rest = match &self.after_run {
            None => return rest.is_empty() && self.resolves(facts),
            Some(after) => strip_end(&after.suffix, rest, facts)
                .and_then(|rest| strip_middles(&after.middles, rest, facts)),
        };
        rest.is_some() && self.resolves(facts)
    }

    /// Whether the whole of `text` matches in any letter case. For patterns without wildcards.
    pub(crate) fn matches_ignoring_case(&self, text: &str, facts: &Facts<'_>) -> bool {
        debug_assert!(self.after_run.is_none(), "compiled with Wildcards::Literal");
        let expected = self.prefix.iter().filter_map(|piece| piece.text(facts));
        let expected = std::iter::once(&*self.lead)
            .chain(expected)
            .flat_map(str::chars)
            .flat_map(char::to_lowercase);
        expected.eq(text.chars().flat_map(char::to_lowercase)) && self.resolves(facts)
    }
}

impl Piece {
    fn text<'f>(&'f self, facts: &'f Facts<'_>) -> Option<&'f str> {
        match self {
            Piece::Literal(text) => Some(text),
            Piece::Variable(variable) => Some(variable.text(facts)),
            Piece::AnyOne => None,
        }
    }
}

/// What is left of `text` after `chunk` at its start.
fn strip_start<'t>(chunk: &[Piece], text: &'t str, facts: &Facts<'_>) -> Option<&'t str> {
    chunk.iter().try_fold(text, |rest, piece| match piece.text(facts) {
        Some(text) => rest.strip_prefix(text),
        None => {
            let mut characters = rest.chars();
            characters.next().map(|_| characters.as_str())
        }
    })
}

/// What is left of `text` before `chunk` at its end.
fn strip_end<'t>(chunk: &[Piece], text: &'t str, facts: &Facts<'_>) -> Option<&'t str> {
    chunk.iter().rev().try_fold(text, |rest, piece| match piece.text(facts) {
        Some(text) => rest.strip_suffix(text),
        None => {
            let mut characters = rest.chars();
            characters.next_back().map(|_| characters.as_str())
        }
    })
}

/// What is left of `text` after the leftmost place of each chunk, one behind the other.
fn strip_middles<'t>(chunks: &[Chunk], text: &'t str, facts: &Facts<'_>) -> Option<&'t str> {
    chunks.iter().try_fold(text, |mut rest, chunk| {
        let anchor = chunk.first().and_then(|piece| piece.text(facts));
        loop {
            // Step to where the chunk's first text occurs; a chunk that begins with `?` has
            // none and is tried at each character.
            if let Some(anchor) = anchor {
                rest = &rest[rest.find(anchor)?..];
            }
            if let Some(after) = strip_start(chunk, rest, facts) {
                return Some(after);
            }
            let mut characters = rest.chars();
            characters.next()?;
            rest = characters.as_str();
        }
    })
}

/// Matches a pattern of `*`, `?` and plain characters.
pub(crate) fn wildcard_matches(pattern: &str, text: &str) -> bool {
    let (context, scope) = (crate::Context::default(), crate::Scope::new("", ""));
    Pattern::parse(pattern, Wildcards::Active)
        .is_ok_and(|pattern| pattern.matches(text, &Facts::new(&context, &scope)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Attributes, Context, Scope, Thing};
    use proptest::prelude::*;

    /// Whether `pattern` matches `text` for a client called `client`.
    fn matches(pattern: &str, text: &str, client: &str) -> bool {
        let context = Context { client_id: Some(client), ..Context::default() };
        matches_in(pattern, text, &context)
    }

    fn matches_in(pattern: &str, text: &str, context: &Context<'_>) -> bool {
        let scope = Scope::new("", "");
        let pattern = Pattern::parse(pattern, Wildcards::Active).unwrap();
        pattern.matches(text, &Facts::new(context, &scope))
    }

    /// The textbook definition, exponential and obviously right.
    fn naive(pattern: &[char], text: &[char]) -> bool {
        match (pattern, text) {
            ([], []) => true,
            (['*', later @ ..], _) => {
                naive(later, text) || (!text.is_empty() && naive(pattern, &text[1..]))
            }
            (['?', later @ ..], [_, rest @ ..]) => naive(later, rest),
            ([expected, later @ ..], [found, rest @ ..]) => expected == found && naive(later, rest),
            ([], [_, ..]) | ([_, ..], []) => false,
        }
    }

    #[test]
    fn wildcards_cross_slashes_and_count_characters() {
        let cases = [
            ("a/*", "a/b/c", true),
            ("a/*", "a/", true),
            ("a/*", "a", false),
            ("*", "", true),
            ("?", "é", true),
            ("??", "é", false),
            ("*é?", "xé😀", true),
            ("a*b*c", "aXbXbXc", true),
            ("a*bc", "abcb", false),
            ("ab*ba", "aba", false),
            ("+/#", "x/y", false),
            ("+/#", "+/#", true),
            ("", "", true),
            ("", "a", false),
            ("cost$", "cost$", true),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(matches(pattern, text, "c"), expected, "{pattern} against {text}");
        }
    }

    #[test]
    fn escapes_are_plain_characters() {
        assert!(matches("${*}${?}${$}", "*?$", "c"));
        assert!(!matches("a${*}", "ab", "c"));
        assert!(!matches("a${?}", "ab", "c"));
        assert!(matches("${$}{x}", "${x}", "c"));
    }

    #[test]
    fn a_variable_stands_for_its_value_and_nothing_wider() {
        assert!(matches("d/${iot:ClientId}/x", "d/lamp/x", "lamp"));
        assert!(matches("d/${IOT:clientid}", "d/lamp", "lamp"));
        assert!(!matches("d/${iot:ClientId}", "d/other", "*"));
        assert!(matches("d/${iot:ClientId}", "d/*", "*"));
        assert!(!matches("d/${iot:ClientId}", "d/x", "?"));
        assert!(matches("*${iot:ClientId}*", "xx+yy", "+"));
        assert!(!matches("${iot:ClientId}", "lamp", "${iot:ClientId}x"));
    }

    #[test]
    fn an_unresolved_variable_is_its_own_text_or_its_default() {
        let nobody = Context::default();
        assert!(!matches_in("d/${iot:ClientId}", "d/", &nobody));
        assert!(matches_in("d/${iot:ClientId}", "d/${iot:ClientId}", &nobody));
        assert!(matches_in("d/${iot:ClientId, 'anyone'}", "d/anyone", &nobody));
        assert!(matches_in("d/${aws:PrincipalTag/team, 'none'}", "d/none", &nobody));
        assert!(matches_in("${iot:NoSuchKey}", "${iot:NoSuchKey}", &nobody));
        let empty = Context { client_id: Some(""), ..Context::default() };
        assert!(!matches_in("d/${iot:ClientId}*", "d/anything", &empty));
    }

    #[test]
    fn an_unresolved_variable_of_the_thing_matches_nothing() {
        let nobody = Context::default();
        let pattern = "d/${iot:Connection.Thing.ThingName}";
        assert!(!matches_in(pattern, pattern, &nobody));
        assert!(!matches_in(&format!("*{pattern}*"), &format!("x{pattern}x"), &nobody));
        assert!(matches_in("d/${iot:Connection.Thing.ThingName, 'x'}", "d/x", &nobody));
        let mut thing = Thing { name: "lamp".to_owned(), ..Thing::default() };
        thing.attributes.insert("Room".to_owned(), "hall".to_owned());
        let context = Context { thing: Some(&thing), ..Context::default() };
        assert!(matches_in(pattern, "d/lamp", &context));
        assert!(matches_in("${iot:Connection.Thing.Attributes[Room]}", "hall", &context));
        let other_case = "${iot:Connection.Thing.Attributes[room]}";
        assert!(!matches_in(other_case, other_case, &context));
        assert!(!matches_in("${iot:Connection.Thing.ThingTypeName}", "", &context));
        assert!(matches_in("${iot:Connection.Thing.IsAttached}", "false", &context));
    }

    #[test]
    fn certificate_values_are_picked_by_position_and_never_widen_a_pattern() {
        let names = ["one", "two", "t*", "x$y"].map(str::to_owned).to_vec();
        let certificate: Attributes = [
            ("Subject.CommonName".to_owned(), names),
            ("SerialNumber".to_owned(), vec!["0A".to_owned()]),
            ("Subject.Title".to_owned(), vec!["x".repeat(1025)]),
        ]
        .into_iter()
        .collect();
        let context = Context { certificate: Some(&certificate), ..Context::default() };
        let name = |suffix: &str| format!("${{iot:Certificate.Subject.CommonName{suffix}}}");
        assert!(matches_in(&name(""), "one", &context));
        assert!(matches_in(&name(".0"), "one", &context));
        assert!(matches_in(&name(".1"), "two", &context));
        for suffix in [".2", ".3", ".4", ".9", ".List"] {
            let pattern = name(suffix);
            assert!(matches_in(&pattern, &pattern, &context), "{pattern} stays as it is");
        }
        assert!(matches_in("${iot:Certificate.SerialNumber}", "0A", &context));
        assert!(!matches_in("${iot:Certificate.Subject.Title}", &"x".repeat(1025), &context));
    }

    #[test]
    fn malformed_variables_are_refused() {
        let refusal = |text: &str| Pattern::parse(text, Wildcards::Active).unwrap_err();
        assert!(refusal("a/${iot:ClientId").contains("${$}"));
        assert!(refusal("${a, nobody}").contains("single quotes"));
        assert!(refusal(&"x".repeat(2049)).contains("2048"));
    }

    #[test]
    fn many_stars_cost_no_more_than_one_pass() {
        // Exponential for a matcher that takes choices back: 2^1000 of them here.
        let pattern = "*a".repeat(1000) + "b";
        assert!(!matches(&pattern, &"a".repeat(60_000), "c"));
        assert!(matches(&pattern, &("a".repeat(60_000) + "b"), "c"));
    }

    proptest! {
        #[test]
        fn agrees_with_the_naive_matcher(pattern in "[ab/é*?]{0,10}", text in "[ab/é]{0,12}") {
            let characters = |text: &str| text.chars().collect::<Vec<_>>();
            let expected = naive(&characters(&pattern), &characters(&text));
            prop_assert_eq!(matches(&pattern, &text, "c"), expected);
        }

        #[test]
        fn a_variable_matches_like_its_escaped_value(
            before in "[ab*?]{0,4}", value in "[ab*?]{1,3}", after in "[ab*?]{0,4}",
            text in "[ab*?]{0,10}",
        ) {
            let escaped: String = value
                .chars()
                .map(|c| if "*?".contains(c) { format!("${{{c}}}") } else { c.to_string() })
                .collect();
            let by_variable = format!("{before}${{iot:ClientId}}{after}");
            let by_value = format!("{before}{escaped}{after}");
            prop_assert_eq!(matches(&by_variable, &text, &value), matches(&by_value, &text, "c"));
        }

        #[test]
        fn compiling_never_panics(text in "([${}*?:,' ]|iot:ClientId|\\PC){0,20}") {
            let _ = Pattern::parse(&text, Wildcards::Active);
            let _ = crate::arn::ResourcePattern::parse(&text);
            let _ = crate::arn::ResourcePattern::parse(&format!("arn:{text}"));
        }
    }
}
