//! What an operation changes.

use crate::authority::Authority;
use crate::certificate::Certificate;
use crate::issuer::Issuer;
use crate::key::Key;
use crate::logging::Logging;
use crate::policy::Policy;
use crate::sender::Sender;
use crate::shelf::Kept;
use crate::thing::Thing;

/// A record, as it is to be from now on.
#[derive(Clone, Debug)]
pub enum Record {
    /// A device's certificate.
    Certificate(Certificate),
    /// An authority.
    Authority(Authority),
    /// A policy.
    Policy(Policy),
    /// A thing.
    Thing(Thing),
    /// A sender.
    Sender(Sender),
    /// The code that proves that somebody has an authority's key.
    RegistrationCode(String),
    /// The authority with which this node makes certificates.
    Issuer(Issuer),
    /// What was set of the log.
    Logging(Logging),
}

impl Record {
    /// What names it.
    pub fn key(&self) -> Key {
        match self {
            Record::Certificate(record) => record.key(),
            Record::Authority(record) => record.key(),
            Record::Policy(record) => record.key(),
            Record::Thing(record) => record.key(),
            Record::Sender(record) => record.key(),
            Record::RegistrationCode(_) => Key::RegistrationCode,
            Record::Issuer(_) => Key::Issuer,
            Record::Logging(_) => Key::Logging,
        }
    }
}

/// One step of a change.
#[derive(Clone, Debug)]
pub enum Edit {
    /// The record is there, whether it was before or not.
    Put(Box<Record>),
    /// There is no such record any more.
    Delete(Key),
}

/// What an operation changes: as a whole or not at all.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Change {
    /// The steps, in order.
    pub edits: Vec<Edit>,
}

impl Change {
    /// Nothing: what is asked for is so already.
    pub fn nothing() -> Change {
        Change::default()
    }

    /// A record is put.
    pub fn put(record: Record) -> Change {
        Change::nothing().and_put(record)
    }

    /// The same, and a record is put.
    pub fn and_put(mut self, record: Record) -> Change {
        self.edits.push(Edit::Put(Box::new(record)));
        self
    }

    /// A record is deleted.
    pub fn delete(key: Key) -> Change {
        Change { edits: vec![Edit::Delete(key)] }
    }

    /// Whether nothing changes.
    pub fn is_nothing(&self) -> bool {
        self.edits.is_empty()
    }
}
