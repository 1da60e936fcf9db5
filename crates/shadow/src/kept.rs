//! What is kept of a shadow.

use crate::answer::{self, Answer, Kind, Tail};
use crate::document::{Document, Unreadable};
use crate::fault::Fault;
use crate::id::ShadowId;
use crate::limits::VERSION_LIFE;
use crate::request::{Asked, Request, Update};
use crate::topic::Operation;

/// What is kept of a shadow, as it is kept: its texts take less memory than what they say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// Rises by one with every update; 0 before the first.
    pub version: u64,
    /// What there is.
    pub content: Content,
}

/// What there is of a shadow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Content {
    /// Nothing, and there was nothing.
    #[default]
    Nothing,
    /// Its document.
    Document {
        /// The state: a JSON object with `desired` and `reported`.
        state: Box<str>,
        /// When each value of it was set: the same tree, with seconds since 1970 for the values.
        times: Box<str>,
    },
    /// Nothing any more.
    Deleted {
        /// Since when, in milliseconds since 1970.
        at_millis: u64,
    },
}

/// A request that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// What is told: to whoever asked first, then to others.
    pub answers: Vec<Answer>,
    /// What is kept from now on; none if nothing changed.
    pub kept: Option<Kept>,
}

impl Kept {
    /// Whether there is a document.
    pub fn is_alive(&self) -> bool {
        matches!(self.content, Content::Document { .. })
    }

    /// When there is no need to keep it any more, in milliseconds since 1970; none for a document.
    pub fn forgotten_at(&self) -> Option<u64> {
        match self.content {
            Content::Nothing => Some(0),
            Content::Document { .. } => None,
            Content::Deleted { at_millis } => {
                let life = u64::try_from(VERSION_LIFE.as_millis()).unwrap_or(u64::MAX);
                Some(at_millis.saturating_add(life))
            }
        }
    }

    /// Bytes of its texts.
    pub fn bytes(&self) -> usize {
        match &self.content {
            Content::Nothing | Content::Deleted { .. } => 0,
            Content::Document { state, times } => state.len() + times.len(),
        }
    }

    /// Whether its texts are a document.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn check(&self) -> Result<(), Unreadable> {
        match &self.content {
            Content::Nothing | Content::Deleted { .. } => Ok(()),
            Content::Document { state, times } => Document::read(state, times).map(drop),
        }
    }

    /// Does what the request asks, of the shadow with that name, at a time in milliseconds since 1970.
    ///
    /// # Errors
    /// Why it is not done; nothing changes.
    pub fn handle(&self, id: &ShadowId, request: &Request, now: u64) -> Result<Done, Fault> {
        let client_token = request.client_token.as_deref();
        let tail = Tail { version: self.version, now: now / 1_000, client_token };
        match &request.asked {
            Asked::Get => {
                let payload = answer::got(&self.existing(id)?, tail);
                Ok(Done { answers: vec![accepted(Operation::Get, payload)], kept: None })
            }
            Asked::Update(update) => self.update(update, tail, now),
            Asked::Delete => {
                self.existing(id)?;
                let content = Content::Deleted { at_millis: now };
                let payload = answer::deleted(tail);
                Ok(Done {
                    answers: vec![accepted(Operation::Delete, payload)],
                    kept: Some(Kept { version: self.version, content }),
                })
            }
        }
    }

    fn update(&self, update: &Update, tail: Tail<'_>, now: u64) -> Result<Done, Fault> {
        // A shadow that was deleted long ago begins anew.
        let is_over = self.forgotten_at().is_some_and(|forgotten| forgotten <= now);
        let present = if is_over { 0 } else { self.version };
        if update.version.is_some_and(|expected| expected != present) {
            return Err(Fault::VersionConflict);
        }
        let version = present.checked_add(1).ok_or(Fault::Internal)?;
        let tail = Tail { version, ..tail };
        let previous = self.document()?.unwrap_or_default();
        let mut current = previous.clone();
        current.update(update, tail.now)?;
        let mut answers = vec![accepted(Operation::Update, answer::updated(update, tail))];
        let delta = answer::delta(&current, tail);
        answers.extend(delta.map(|payload| Answer { kind: Kind::Delta, payload }));
        let payload = answer::documents((&previous, present), &current, tail);
        answers.push(Answer { kind: Kind::Documents, payload });
        let content =
            Content::Document { state: current.state().into(), times: current.times().into() };
        Ok(Done { answers, kept: Some(Kept { version, content }) })
    }

    fn existing(&self, id: &ShadowId) -> Result<Document, Fault> {
        self.document()?.ok_or_else(|| Fault::NoShadow(id.title().into()))
    }

    fn document(&self) -> Result<Option<Document>, Fault> {
        match &self.content {
            Content::Nothing | Content::Deleted { .. } => Ok(None),
            Content::Document { state, times } => {
                // It was checked when it was read, and is our own otherwise.
                Document::read(state, times).map(Some).map_err(|Unreadable| Fault::Internal)
            }
        }
    }
}

fn accepted(operation: Operation, payload: String) -> Answer {
    Answer { kind: Kind::Accepted(operation), payload }
}
