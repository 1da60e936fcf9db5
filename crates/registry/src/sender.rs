//! A sender: an access key and what it may do.

use std::collections::BTreeSet;
use std::fmt;

use engine::directory::Status;

use crate::key::Key;
use crate::policy::PolicyVersion;
use crate::shelf::Kept;
use crate::source::Source;

/// A sender with its access key.
#[derive(Clone)]
pub struct Sender {
    /// Its name, for people; the file's, if it is of one.
    pub label: String,
    /// Where the record comes from.
    pub source: Source,
    /// What it names itself by in a signature.
    pub access_key_id: String,
    /// What it signs with.
    pub secret_access_key: String,
    /// What every request must carry besides, for temporary credentials.
    pub session_token: Option<String>,
    /// When the credentials end, in seconds since 1970.
    pub expires: Option<i64>,
    /// Who it is to the log and to policies.
    pub principal_id: String,
    /// Whether it may be used.
    pub status: Status,
    /// The names of its policies.
    pub policies: BTreeSet<String>,
    /// A policy of its own, which has no name that others could use.
    pub own_policy: Option<PolicyVersion>,
    /// When it was made, in milliseconds since 1970.
    pub created_at: i64,
}

impl Sender {
    /// Whether the two are the same in everything but their dates.
    pub(crate) fn says_what(&self, other: &Sender) -> bool {
        let text = |sender: &Sender| sender.own_policy.as_ref().map(|own| own.text.clone());
        let facts = |sender: &Sender| {
            let credentials = (
                sender.access_key_id.clone(),
                sender.secret_access_key.clone(),
                sender.session_token.clone(),
                sender.expires,
            );
            (credentials, sender.label.clone(), sender.principal_id.clone(), sender.status)
        };
        facts(self) == facts(other)
            && self.source == other.source
            && self.policies == other.policies
            && text(self) == text(other)
    }
}

impl fmt::Debug for Sender {
    /// Leaves the secrets out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("label", &self.label)
            .field("access_key_id", &self.access_key_id)
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

impl Kept for Sender {
    fn name(&self) -> &str {
        &self.access_key_id
    }

    fn key(&self) -> Key {
        Key::Sender(self.access_key_id.clone())
    }

    fn source(&self) -> &Source {
        &self.source
    }

    fn created_at(&self) -> i64 {
        self.created_at
    }
}
