//! A policy and its versions.

use std::sync::Arc;

use policy::{Document, ParseErrors};

use crate::key::Key;
use crate::shelf::Kept;
use crate::source::Source;

/// A named policy.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Its name.
    pub name: String,
    /// Where the record comes from.
    pub source: Source,
    /// When it was made, in milliseconds since 1970.
    pub created_at: i64,
    /// When it changed last, in milliseconds since 1970.
    pub modified_at: i64,
    /// Names this life of the record.
    pub generation: String,
    /// Its versions, oldest first; at least one.
    pub versions: Vec<PolicyVersion>,
    /// The number of the one that is in force.
    pub default: u32,
    /// The number that the next version gets: numbers are not given twice.
    pub next: u32,
}

/// One version of a policy.
#[derive(Clone, Debug)]
pub struct PolicyVersion {
    /// Its number, from 1.
    pub number: u32,
    /// The document as it was given.
    pub text: String,
    /// The same, compiled.
    pub document: Arc<Document>,
    /// When it was made, in milliseconds since 1970.
    pub created_at: i64,
}

impl PolicyVersion {
    /// A version that was made before, from its text.
    ///
    /// # Errors
    /// Every mistake of the document.
    pub fn parse(number: u32, text: String, created_at: i64) -> Result<Self, ParseErrors> {
        let document = Arc::new(Document::parse(&text)?);
        Ok(PolicyVersion { number, text, document, created_at })
    }
}

impl Policy {
    /// The version of that number.
    pub fn version(&self, number: u32) -> Option<&PolicyVersion> {
        self.versions.iter().find(|version| version.number == number)
    }

    /// The version that is in force.
    pub fn in_force(&self) -> Option<&PolicyVersion> {
        self.version(self.default)
    }

    /// Whether the two say the same, whatever their dates.
    pub(crate) fn says_what(&self, other: &Policy) -> bool {
        let text = |policy: &Policy| policy.in_force().map(|version| version.text.clone());
        self.source == other.source && text(self) == text(other)
    }
}

impl Kept for Policy {
    fn name(&self) -> &str {
        &self.name
    }

    fn key(&self) -> Key {
        Key::Policy(self.name.clone())
    }

    fn source(&self) -> &Source {
        &self.source
    }

    fn created_at(&self) -> i64 {
        self.created_at
    }
}
