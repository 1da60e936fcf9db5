//! Terms that are in an entry, or are not.

use memchr::memmem::Finder;

use super::PatternError;
use super::cursor::Cursor;

/// Terms of a pattern. They are looked for as they are written, anywhere in the entry.
#[derive(Debug, Default)]
pub(in super::super) struct Terms {
    required: Vec<Finder<'static>>,
    excluded: Vec<Finder<'static>>,
    /// Any of them, if nothing else is asked for.
    optional: Vec<Finder<'static>>,
}

impl PartialEq for Terms {
    fn eq(&self, other: &Self) -> bool {
        let same = |one: &[Finder<'_>], other: &[Finder<'_>]| {
            one.iter().map(Finder::needle).eq(other.iter().map(Finder::needle))
        };
        same(&self.required, &other.required)
            && same(&self.excluded, &other.excluded)
            && same(&self.optional, &other.optional)
    }
}

impl Terms {
    pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Self, PatternError> {
        let mut terms = Terms::default();
        while let Some(first) = cursor.peek() {
            let list = match first {
                '-' => &mut terms.excluded,
                '?' => &mut terms.optional,
                _ => &mut terms.required,
            };
            if matches!(first, '-' | '?') {
                cursor.take(first);
            }
            let term = term(cursor)?;
            list.push(Finder::new(term.as_bytes()).into_owned());
            if cursor.peek().is_some_and(|next| !next.is_whitespace()) {
                return Err(cursor.error("a space is missing between two terms"));
            }
            cursor.skip_spaces();
        }
        Ok(terms)
    }

    pub(super) fn match_in(&self, message: &str) -> bool {
        let is_in = |term: &Finder<'_>| term.find(message.as_bytes()).is_some();
        if self.required.is_empty() && self.excluded.is_empty() {
            return self.optional.iter().any(is_in);
        }
        self.required.iter().all(is_in) && !self.excluded.iter().any(is_in)
    }
}

fn term(cursor: &mut Cursor<'_>) -> Result<String, PatternError> {
    match cursor.peek() {
        Some('"') => return cursor.take_quoted('"'),
        Some('%') => return Err(cursor.error("regular expressions are not offered")),
        Some(_) | None => {}
    }
    let term = cursor.take_while(|c| c.is_alphanumeric() || c == '_');
    match cursor.peek() {
        Some(other) if !other.is_whitespace() && other != '"' => Err(cursor
            .error(&format!("a term with the character {other} has to stand in quotation marks"))),
        _ if term.is_empty() => Err(cursor.error("a term is missing")),
        Some(_) | None => Ok(term.to_owned()),
    }
}
