//! Which receipts a reader gets.

use std::sync::Arc;

use engine::limits::{CLIENT_ID_BYTES, RECEIPT_PATTERNS};

use super::event::Event;

/// Stands at the end of a pattern for whatever follows.
const WILDCARD: char = '*';

/// The receipts of one principal's messages to the devices that are named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Filter {
    principal_id: Arc<str>,
    patterns: Box<[Pattern]>,
}

/// A client ID, or how it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Pattern {
    Whole(Box<str>),
    Beginning(Box<str>),
}

impl Filter {
    /// Reads the texts of the patterns.
    ///
    /// # Errors
    /// A sentence that says what is wrong and what would be right.
    pub(crate) fn parse<T: AsRef<str>>(
        principal_id: &Arc<str>,
        texts: &[T],
    ) -> Result<Self, String> {
        if !(1..=RECEIPT_PATTERNS).contains(&texts.len()) {
            return Err(format!(
                "The query parameter client must be given 1 to {RECEIPT_PATTERNS} times, each with \
                 a client ID, its beginning and * (client=lamp-*), or * alone for all; it is given \
                 {} times.",
                texts.len()
            ));
        }
        let patterns = texts.iter().map(|text| Pattern::parse(text.as_ref()));
        let patterns = patterns.collect::<Result<_, _>>()?;
        Ok(Filter { principal_id: Arc::clone(principal_id), patterns })
    }

    /// Whether the reader gets it.
    pub(super) fn admits(&self, event: &Event) -> bool {
        *self.principal_id == *event.principal_id
            && self.patterns.iter().any(|pattern| pattern.fits(&event.client_id))
    }
}

impl Pattern {
    fn parse(text: &str) -> Result<Self, String> {
        let (literal, wildcard) = match text.strip_suffix(WILDCARD) {
            Some(beginning) => (beginning, true),
            None => (text, false),
        };
        if literal.contains(WILDCARD) {
            return Err(format!(
                "The value of the query parameter client has a {WILDCARD} before its end; it may \
                 stand at the end only, for all client IDs that begin so."
            ));
        }
        if literal.len() > CLIENT_ID_BYTES || (literal.is_empty() && !wildcard) {
            return Err(format!(
                "The value of the query parameter client must have 1 to {CLIENT_ID_BYTES} bytes."
            ));
        }
        Ok(match wildcard {
            true => Pattern::Beginning(literal.into()),
            false => Pattern::Whole(literal.into()),
        })
    }

    fn fits(&self, client_id: &str) -> bool {
        match self {
            Pattern::Whole(whole) => **whole == *client_id,
            Pattern::Beginning(beginning) => client_id.starts_with(&**beginning),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::event::tests::event;
    use super::*;

    fn filter(texts: &[&str]) -> Result<Filter, String> {
        Filter::parse(&"me".into(), texts)
    }

    #[test]
    fn a_client_id_its_beginning_and_all_can_be_asked_for() {
        let admits = |texts: &[&str], client_id| {
            filter(texts).expect("patterns").admits(&event("me", client_id))
        };
        for (texts, client_id) in [
            (&["lamp"][..], "lamp"),
            (&["lamp-*"], "lamp-1"),
            (&["lamp-*"], "lamp-"),
            (&["*"], "x"),
            (&["a", "b"], "b"),
            (&["a", "é*"], "été"),
        ] {
            assert!(admits(texts, client_id), "{texts:?} {client_id}");
        }
        for (texts, client_id) in
            [(&["lamp"][..], "lamp-1"), (&["lamp-*"], "lamp"), (&["a", "b*"], "ab")]
        {
            assert!(!admits(texts, client_id), "{texts:?} {client_id}");
        }
    }

    #[test]
    fn the_messages_of_another_principal_are_not_shown() {
        assert!(!filter(&["*"]).expect("a pattern").admits(&event("other", "lamp")));
    }

    #[test]
    fn what_is_no_pattern_is_told_with_what_would_be_right() {
        let long = "x".repeat(CLIENT_ID_BYTES + 1);
        let many = vec!["a"; RECEIPT_PATTERNS + 1];
        for (texts, fragment) in [
            (&[][..], "given 0 times"),
            (&many, "given 17 times"),
            (&["a", ""], "1 to 128 bytes"),
            (&[&long], "1 to 128 bytes"),
            (&["a*b"], "at the end only"),
            (&["**"], "at the end only"),
        ] {
            let sentence = filter(texts).expect_err("no filter");
            assert!(sentence.contains(fragment), "{sentence}");
        }
    }
}
