//! What is wrong with a policy document, and where.

use std::fmt;

use crate::json::Place;

/// One mistake in a policy document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ParseError {
    /// The line of the mistake, from 1.
    pub line: usize,
    /// The column of the mistake, from 1, in characters.
    pub column: usize,
    /// The element at fault, such as `Statement[1].Condition.StringEquals`; empty for the
    /// document as a whole.
    pub path: String,
    /// What is wrong and what would be right.
    pub message: String,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: ", self.line, self.column)?;
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)
    }
}

/// Every mistake found in a policy document, in document order; at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseErrors(Vec<ParseError>);

impl ParseErrors {
    /// The mistakes in document order.
    pub fn as_slice(&self) -> &[ParseError] {
        &self.0
    }

    /// The mistakes in document order.
    pub fn iter(&self) -> std::slice::Iter<'_, ParseError> {
        self.0.iter()
    }
}

impl IntoIterator for ParseErrors {
    type Item = ParseError;
    type IntoIter = std::vec::IntoIter<ParseError>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a ParseErrors {
    type Item = &'a ParseError;
    type IntoIter = std::slice::Iter<'a, ParseError>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl std::error::Error for ParseErrors {}

impl fmt::Display for ParseErrors {
    /// One line a mistake.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, error) in self.0.iter().enumerate() {
            if position > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{error}")?;
        }
        Ok(())
    }
}

/// Collects the mistakes of a document while it is read.
#[derive(Debug, Default)]
pub(crate) struct Mistakes(Vec<ParseError>);

impl Mistakes {
    /// Notes one mistake.
    pub(crate) fn add(&mut self, place: Place, path: &str, message: impl Into<String>) {
        let Place { line, column } = place;
        let (path, message) = (path.to_owned(), message.into());
        self.0.push(ParseError { line, column, path, message });
    }

    /// `value` if nothing was noted, otherwise everything that was.
    ///
    /// An absent value without a mistake to explain it would be an error nobody can act on, so
    /// the reader notes a mistake wherever it gives up on a value.
    pub(crate) fn finish<T>(mut self, value: Option<T>) -> Result<T, ParseErrors> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => {
                debug_assert!(!self.0.is_empty(), "a value was given up without a mistake");
                self.0.sort_by_key(|error| (error.line, error.column));
                Err(ParseErrors(self.0))
            }
        }
    }
}
