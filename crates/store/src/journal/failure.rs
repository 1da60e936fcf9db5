//! Why nothing becomes durable any more.

use std::sync::Arc;

use crate::{StoreError, Trouble};

/// A commit failed, or the journal was closed before a write: what waited for it was told this. One
/// sentence that says what is wrong and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{sentence}")]
pub struct StoreFailed {
    trouble: Trouble,
    sentence: Arc<str>,
}

impl StoreFailed {
    pub(super) fn new(error: &StoreError) -> Self {
        Self { trouble: error.trouble(), sentence: error.to_string().into() }
    }

    /// The answer for what was written after [`Journal::close`](crate::Journal::close).
    pub(super) fn closed() -> Self {
        let sentence = "the journal was closed before this was written; start again";
        Self { trouble: Trouble::Closed, sentence: sentence.into() }
    }

    /// A commit that did not return but panicked.
    pub(super) fn panicked(what: &str) -> Self {
        let sentence = format!("the store broke down with `{what}`; start again and report it");
        Self { trouble: Trouble::Io, sentence: sentence.into() }
    }

    /// The kind.
    #[must_use]
    pub fn trouble(&self) -> Trouble {
        self.trouble
    }

    /// The sentence, without a full stop.
    #[must_use]
    pub fn sentence(&self) -> &str {
        &self.sentence
    }
}
