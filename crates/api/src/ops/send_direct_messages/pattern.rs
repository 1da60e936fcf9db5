//! Client IDs with a wildcard.

/// The wildcard: any run of characters, none among them.
pub(super) const WILDCARD: char = '*';

/// A text with at least one wildcard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern(Box<str>);

impl Pattern {
    /// None of a text without a wildcard: that is a client ID.
    pub(super) fn parse(text: &str) -> Option<Self> {
        text.contains(WILDCARD).then(|| Pattern(text.into()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// How many wildcards it has.
    pub(super) fn wildcards(&self) -> usize {
        self.0.matches(WILDCARD).count()
    }

    /// Whether the whole client ID fits. The text between two wildcards is looked for once, from
    /// where the one before it was found.
    pub(super) fn fits(&self, client_id: &str) -> bool {
        let mut literals = self.0.split(WILDCARD);
        let (Some(first), Some(last)) = (literals.next(), literals.next_back()) else {
            return *self.0 == *client_id;
        };
        let Some(mut rest) = client_id.strip_prefix(first) else { return false };
        // The earliest place leaves the most to those that follow.
        for literal in literals {
            let Some(at) = rest.find(literal) else { return false };
            rest = &rest[at + literal.len()..];
        }
        rest.ends_with(last)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fits(pattern: &str, client_id: &str) -> bool {
        Pattern::parse(pattern).expect("a wildcard").fits(client_id)
    }

    #[test]
    fn a_wildcard_stands_for_any_run_of_characters() {
        for (pattern, client_id) in [
            ("*", "a"),
            ("lamp-*", "lamp-"),
            ("lamp-*", "lamp-1"),
            ("*-1", "lamp-1"),
            ("l*p*1", "lamp-p-1"),
            ("a*a", "aa"),
            ("**", "x"),
            ("a*b*b", "abab"),
            ("*é*", "café-1"),
        ] {
            assert!(fits(pattern, client_id), "{pattern} {client_id}");
        }
        for (pattern, client_id) in
            [("lamp-*", "lamp"), ("*-1", "lamp-12"), ("a*a", "a"), ("a*b*b", "ab"), ("A*", "a")]
        {
            assert!(!fits(pattern, client_id), "{pattern} {client_id}");
        }
    }

    #[test]
    fn a_text_without_a_wildcard_is_no_pattern() {
        assert_eq!(Pattern::parse("lamp-1"), None);
    }

    /// The plain definition.
    fn defined(pattern: &[char], text: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some((&WILDCARD, rest)) => (0..=text.len()).any(|at| defined(rest, &text[at..])),
            Some((literal, rest)) => text.first() == Some(literal) && defined(rest, &text[1..]),
        }
    }

    proptest! {
        #[test]
        fn it_fits_what_the_definition_says(pattern in "[ab*é]{0,6}\\*[ab*]{0,3}", text in "[abé]{0,9}") {
            let characters = |text: &str| text.chars().collect::<Vec<_>>();
            let expected = defined(&characters(&pattern), &characters(&text));
            prop_assert_eq!(fits(&pattern, &text), expected);
        }
    }
}
