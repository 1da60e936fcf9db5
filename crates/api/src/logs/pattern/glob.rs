//! A text in which `*` stands for any characters.

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Glob {
    /// What stands between the asterisks.
    pieces: Vec<Box<str>>,
}

impl Glob {
    pub(super) fn new(text: &str) -> Self {
        Glob { pieces: text.split('*').map(Box::from).collect() }
    }

    /// In time that grows with the text alone for each piece: none is ever looked for twice.
    pub(super) fn matches(&self, text: &str) -> bool {
        let (first, others) = match &self.pieces[..] {
            [] => return text.is_empty(),
            [only] => return **only == *text,
            [first, others @ ..] => (first, others),
        };
        let (last, between) = match others {
            [] => return false,
            [between @ .., last] => (last, between),
        };
        let Some(mut rest) = text.strip_prefix(&**first) else { return false };
        for piece in between {
            let Some(at) = rest.find(&**piece) else { return false };
            rest = &rest[at + piece.len()..];
        }
        rest.ends_with(&**last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_asterisk_stands_for_anything_and_nothing() {
        let wanted = [
            ("", ""),
            ("a", "a"),
            ("*", ""),
            ("*", "abc"),
            ("a*", "a"),
            ("*a", "ba"),
            ("a*a", "aa"),
            ("a*b*c", "a-b-b-c"),
            ("*b*", "abc"),
            ("**", "x"),
        ];
        let unwanted =
            [("", "a"), ("a", ""), ("a*a", "a"), ("a*", "ba"), ("*a", "ab"), ("a*b*c", "acb")];
        wanted.iter().for_each(|(glob, text)| assert!(Glob::new(glob).matches(text), "{glob}"));
        unwanted.iter().for_each(|(glob, text)| assert!(!Glob::new(glob).matches(text), "{glob}"));
    }
}
