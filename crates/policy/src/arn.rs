//! ARN patterns, matched field by field.
//!
//! `arn:partition:service:region:account:resource`: a wildcard stays within its field, and only
//! the last field may hold further colons (IAM's "complete ARN" rule).

use crate::facts::Facts;
use crate::pattern::{Pattern, Token, Wildcards, tokens};
use crate::resource::{Kind, Resource, Scope};

const FORM: &str = "arn:partition:service:region:account:resource";

/// How many fields stand between `arn:` and the resource.
const HEAD_FIELDS: usize = 4;

/// `arn`, the head and the resource.
const FIELDS: usize = HEAD_FIELDS + 2;

/// An ARN pattern cut into its fields.
enum Fields {
    /// `*`.
    Everything,
    Six {
        head: Box<[Pattern; HEAD_FIELDS]>,
        resource: Vec<Token>,
    },
}

/// Reads an ARN pattern. One that ends early is completed if its last field is `*`, as in
/// `arn:aws:iot:*`: then no reading of it can differ.
fn read(text: &str) -> Result<Fields, String> {
    let mut fields = vec![Vec::new()];
    for token in tokens(text, Wildcards::Active)? {
        let Token::Literal(literal) = token else {
            fields.last_mut().expect("starts with one field").push(token);
            continue;
        };
        let pieces = FIELDS - fields.len() + 1;
        for (position, part) in literal.splitn(pieces, ':').enumerate() {
            if position > 0 {
                fields.push(Vec::new());
            }
            let field = fields.last_mut().expect("starts with one field");
            if !part.is_empty() {
                field.push(Token::Literal(part.to_owned()));
            }
        }
    }
    let is_run = |field: &[Token]| matches!(field, [Token::AnyRun]);
    if fields.len() == 1 && is_run(&fields[0]) {
        return Ok(Fields::Everything);
    }
    if !matches!(&fields[0][..], [Token::Literal(arn)] if arn == "arn") {
        return Err(format!("`{text}` is not an ARN; use `*` or the form {FORM}"));
    }
    if fields.len() < FIELDS && fields.last().is_some_and(|last| is_run(last)) {
        fields.resize_with(FIELDS, || vec![Token::AnyRun]);
    }
    let slashed = fields[1..]
        .iter()
        .take(HEAD_FIELDS)
        .flatten()
        .any(|token| matches!(token, Token::Literal(text) if text.contains('/')));
    if fields.len() < FIELDS || slashed {
        return Err(format!("`{text}` lacks a field; the form is {FORM}"));
    }
    let resource = fields.pop().expect("six fields");
    let mut head = fields.drain(1..).map(Pattern::from_tokens);
    let mut next = || head.next().expect("four fields between `arn` and the resource");
    Ok(Fields::Six { head: Box::new([next(), next(), next(), next()]), resource })
}

/// The expected value of an `Arn...` condition.
#[derive(Debug)]
pub(crate) enum ArnPattern {
    /// `*`.
    Everything,
    /// Head fields and resource.
    Fields(Box<[Pattern; HEAD_FIELDS]>, Pattern),
}

impl ArnPattern {
    /// Compiles `text`; the error says what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<ArnPattern, String> {
        Ok(match read(text)? {
            Fields::Everything => ArnPattern::Everything,
            Fields::Six { head, resource } => {
                ArnPattern::Fields(head, Pattern::from_tokens(resource))
            }
        })
    }

    /// Whether `text` is an ARN and matches.
    pub(crate) fn matches(&self, text: &str, facts: &Facts<'_>) -> bool {
        let ArnPattern::Fields(head, resource) = self else { return text.starts_with("arn:") };
        let mut fields = text.splitn(FIELDS, ':');
        fields.next() == Some("arn")
            && head.iter().all(|p| fields.next().is_some_and(|field| p.matches(field, facts)))
            && fields.next().is_some_and(|field| resource.matches(field, facts))
    }

    /// See [`Pattern::resolves`].
    pub(crate) fn resolves(&self, facts: &Facts<'_>) -> bool {
        match self {
            ArnPattern::Everything => true,
            ArnPattern::Fields(head, resource) => {
                head.iter().chain([resource]).all(|pattern| pattern.resolves(facts))
            }
        }
    }
}

/// A pattern of a `Resource` or `NotResource` element, compiled so that the usual ones are two
/// comparisons and never need the request's ARN spelt out.
#[derive(Debug)]
pub(crate) enum ResourcePattern {
    /// `*`: the only one that covers [`Resource::Any`].
    Everything,
    /// Any other.
    Arn {
        /// Everything before the last field.
        head: Head,
        /// The last field.
        tail: Tail,
    },
}

/// The fields of a resource pattern before the last.
#[derive(Debug)]
pub(crate) enum Head {
    /// No wildcards: `arn:aws:iot:us-west-2:123456789012:`.
    Exact(Box<str>),
    Fields(Box<[Pattern; HEAD_FIELDS]>),
}

/// The last field of a resource pattern.
#[derive(Debug)]
pub(crate) enum Tail {
    /// `*`.
    Everything,
    /// A type of ours and a pattern for the name: `topic/commands/*`.
    Named(Kind, Pattern),
    /// A literal type that is none of ours: `rule/*`.
    Foreign,
    /// A wildcard or variable within the type: `topic*`, `*/lamp`.
    Whole(Pattern),
}

impl ResourcePattern {
    /// Compiles `text`; the error says what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<ResourcePattern, String> {
        let Fields::Six { head, resource } = read(text)? else {
            return Ok(ResourcePattern::Everything);
        };
        let literals = head.each_ref().map(Pattern::as_literal);
        let head = if literals.iter().all(Option::is_some) {
            let fields: Vec<&str> = literals.into_iter().flatten().collect();
            Head::Exact(format!("arn:{}:", fields.join(":")).into())
        } else {
            Head::Fields(head)
        };
        Ok(ResourcePattern::Arn { head, tail: Tail::new(resource) })
    }

    /// Whether the pattern covers `resource` in `scope`.
    #[inline]
    pub(crate) fn matches(&self, resource: Resource<'_>, scope: &Scope, facts: &Facts<'_>) -> bool {
        let ResourcePattern::Arn { head, tail } = self else { return true };
        let Some((kind, name)) = resource.named() else { return false };
        // The tail first: it is what tells the statements of one account apart.
        tail.matches(kind, name, facts) && head.matches(kind, scope, facts)
    }

    /// See [`Pattern::resolves`].
    pub(crate) fn resolves(&self, facts: &Facts<'_>) -> bool {
        let ResourcePattern::Arn { head, tail } = self else { return true };
        let head_resolves = match head {
            Head::Exact(_) => true,
            Head::Fields(fields) => fields.iter().all(|field| field.resolves(facts)),
        };
        head_resolves
            && match tail {
                Tail::Everything | Tail::Foreign => true,
                Tail::Named(_, pattern) | Tail::Whole(pattern) => pattern.resolves(facts),
            }
    }
}

impl Head {
    fn matches(&self, kind: Kind, scope: &Scope, facts: &Facts<'_>) -> bool {
        match self {
            Head::Exact(prefix) => **prefix == *scope.prefix(kind),
            Head::Fields(patterns) => {
                patterns.iter().zip(scope.fields(kind)).all(|(p, field)| p.matches(field, facts))
            }
        }
    }
}

impl Tail {
    fn new(mut tokens: Vec<Token>) -> Tail {
        if let Some(Token::Literal(first)) = tokens.first_mut()
            && let Some(slash) = first.find('/')
        {
            let name = first.split_off(slash + 1);
            let kind = Kind::ALL.into_iter().find(|kind| kind.prefix() == first.as_str());
            let Some(kind) = kind else { return Tail::Foreign };
            *first = name;
            return Tail::Named(kind, Pattern::from_tokens(tokens));
        }
        let pattern = Pattern::from_tokens(tokens);
        if pattern.is_everything() { Tail::Everything } else { Tail::Whole(pattern) }
    }

    #[inline]
    fn matches(&self, kind: Kind, name: &str, facts: &Facts<'_>) -> bool {
        match self {
            Tail::Everything => true,
            Tail::Named(own, pattern) => *own == kind && pattern.matches(name, facts),
            Tail::Foreign => false,
            Tail::Whole(pattern) => pattern.matches(&[kind.prefix(), name].concat(), facts),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Context;

    fn covers(pattern: &str, resource: Resource<'_>) -> bool {
        let scope = Scope::new("us-west-2", "123456789012");
        let context = Context { client_id: Some("topic"), ..Context::default() };
        let pattern = ResourcePattern::parse(pattern).expect(pattern);
        pattern.matches(resource, &scope, &Facts::new(&context, &scope))
    }

    #[test]
    fn a_resource_pattern_is_judged_field_by_field() {
        let topic = Resource::Topic("a/b");
        let cases = [
            ("*", true),
            ("arn:aws:iot:us-west-2:123456789012:topic/a/b", true),
            ("arn:aws:iot:us-west-2:123456789012:topic/*", true),
            ("arn:aws:iot:us-west-2:123456789012:*", true),
            ("arn:aws:iot:*:*:topic/a/?", true),
            ("arn:*:iot:us-*-2:12345678901?:topic/a/b", true),
            ("arn:aws:iot:*", true),
            ("arn:aws:*", true),
            ("arn:aws:iot:us-west-2:123456789012:topic*", true),
            ("arn:aws:iot:us-west-2:123456789012:*/b", true),
            ("arn:aws:iot:us-west-2:123456789012:${iot:ClientId}/a/b", true),
            ("arn:aws:iot:us-west-2:123456789012:topicfilter/*", false),
            ("arn:aws:iot:us-west-2:123456789012:client/*", false),
            ("arn:aws:iot:us-west-2:123456789012:rule/*", false),
            ("arn:aws:iot:us-east-1:123456789012:topic/*", false),
            ("arn:aws:iot:us-west-2:999999999999:topic/*", false),
            ("arn:aws-cn:iot:us-west-2:123456789012:topic/*", false),
            ("arn:aws:s3:::topic/*", false),
            ("arn:aws:iot:us-west-2:123456789012:", false),
        ];
        for (pattern, expected) in cases {
            assert_eq!(covers(pattern, topic), expected, "{pattern}");
        }
    }

    #[test]
    fn the_name_may_hold_colons_and_the_type_decides() {
        let account = "arn:aws:iot:us-west-2:123456789012:";
        assert!(covers(&format!("{account}client/a:b:c"), Resource::Client("a:b:c")));
        assert!(covers(&format!("{account}topicfilter/a/+/#"), Resource::TopicFilter("a/+/#")));
        assert!(!covers(&format!("{account}topicfilter/a/+"), Resource::TopicFilter("a/b")));
        assert!(covers(&format!("{account}thing/t/*"), Resource::Thing("t/shadow")));
        assert!(covers(&format!("{account}topic*"), Resource::TopicFilter("x")));
    }

    #[test]
    fn a_log_group_is_of_a_service_of_its_own() {
        let group = Resource::LogGroup("AWSIotLogsV2:*");
        let stream = Resource::LogGroup("AWSIotLogsV2:log-stream:2026-11-26_123456789012_0");
        let account = "arn:aws:logs:us-west-2:123456789012:";
        for covering in ["log-group:AWSIotLogsV2:*", "log-group:*", "*", "log-group:AWSIot*"] {
            assert!(covers(&format!("{account}{covering}"), group), "{covering}");
            assert!(covers(&format!("{account}{covering}"), stream), "{covering}");
        }
        assert!(covers("arn:aws:logs:*:*:log-group:AWSIotLogsV2:*", group));
        assert!(covers(&format!("{account}log-group:AWSIotLogsV2:log-stream:2026-11-*"), stream));
        for other in ["log-group:AWSIotLogsV2", "log-group:other:*", "log-group:/aws/lambda/a:*"] {
            assert!(!covers(&format!("{account}{other}"), group), "{other}");
        }
        assert!(!covers("arn:aws:iot:us-west-2:123456789012:*", group));
        assert!(!covers(&format!("{account}*"), Resource::Topic("a")));
        assert!(!covers(&format!("{account}log-group:AWSIotLogsV2:log-stream:x"), group));
    }

    #[test]
    fn only_the_bare_star_covers_an_action_without_resource() {
        assert!(covers("*", Resource::Any));
        assert!(!covers("arn:aws:iot:*:*:*", Resource::Any));
    }

    #[test]
    fn what_is_no_arn_is_refused() {
        for text in [
            "",
            "topic/a",
            "**",
            "arn",
            "arn:aws:iot",
            "arn:aws:iot:us-west-2:topic/a",
            "arn:aws:iot:*:topic/*",
            "arn:aws:iot:us-west-2:topic/a:b",
            "${iot:ClientId}",
            "arn:aws:iot:us-west-2:123456789012:topic/${iot:ClientId",
        ] {
            assert!(ResourcePattern::parse(text).is_err(), "{text}");
        }
    }
}
