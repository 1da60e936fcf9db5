//! A pattern that is being read.

use super::PatternError;

/// Where in the text one is.
pub(super) struct Cursor<'a> {
    text: &'a str,
    /// In bytes.
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Cursor { text, at: 0 }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// The next character.
    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Takes the next character if it is that one.
    pub(super) fn take(&mut self, expected: char) -> bool {
        self.take_text(expected.encode_utf8(&mut [0; 4]))
    }

    /// Takes what follows if it is that.
    pub(super) fn take_text(&mut self, expected: &str) -> bool {
        let found = self.rest().starts_with(expected);
        if found {
            self.at += expected.len();
        }
        found
    }

    /// Takes characters for as long as they are such.
    pub(super) fn take_while(&mut self, is_such: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c| !is_such(c)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    pub(super) fn skip_spaces(&mut self) {
        self.take_while(char::is_whitespace);
    }

    /// Takes a text in quotation marks, of which the first is there. A backslash stands before one
    /// that belongs to the text, and before a backslash.
    pub(super) fn take_quoted(&mut self, mark: char) -> Result<String, PatternError> {
        let mut text = String::new();
        let mut characters = self.rest().chars();
        characters.next();
        while let Some(character) = characters.next() {
            match character {
                '\\' => match characters.next() {
                    Some(escaped) if escaped == mark || escaped == '\\' => text.push(escaped),
                    Some(other) => text.extend(['\\', other]),
                    None => break,
                },
                end if end == mark => {
                    self.at = self.text.len() - characters.as_str().len();
                    return Ok(text);
                }
                other => text.push(other),
            }
        }
        self.at = self.text.len();
        Err(self.error(&format!("the quotation mark {mark} is missing")))
    }

    /// Something is wrong here.
    pub(super) fn error(&self, what: &str) -> PatternError {
        PatternError { at: self.text[..self.at].chars().count() + 1, what: what.to_owned() }
    }
}
