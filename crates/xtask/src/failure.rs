//! How a chore fails: one sentence for the person at the terminal.

use std::fmt;

/// Why a chore stopped.
#[derive(Debug)]
pub(crate) struct Failure(String);

/// What a chore returns.
pub(crate) type Outcome<T = ()> = Result<T, Failure>;

impl Failure {
    pub(crate) fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }

    /// A file or process operation that failed, with what was attempted.
    pub(crate) fn io(attempt: impl fmt::Display, error: &std::io::Error) -> Self {
        Self(format!("{attempt}: {error}"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
