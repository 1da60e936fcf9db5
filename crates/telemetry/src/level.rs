//! How important an entry is, and whether what it tells went well.

use serde::{Deserialize, Serialize};

/// The importance of an entry (`logLevel`), and the threshold of the log (spec 8.1).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "UPPERCASE")]
pub enum Level {
    /// For finding faults.
    Debug,
    /// The ordinary course of things.
    #[default]
    Info,
    /// Something to look at.
    Warn,
    /// Something failed.
    Error,
    /// As a threshold: nothing is written. No event has this level.
    Disabled,
}

/// Whether what the entry tells went well (`status`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// It did.
    Success,
    /// It did not.
    Failure,
}

impl Status {
    /// [`Status::Success`] if so.
    pub fn of(success: bool) -> Self {
        if success { Status::Success } else { Status::Failure }
    }

    /// Its word, as in the log.
    pub fn word(self) -> &'static str {
        match self {
            Status::Success => "Success",
            Status::Failure => "Failure",
        }
    }

    /// The level of an entry with this status, where nothing else is said.
    pub fn level(self) -> Level {
        match self {
            Status::Success => Level::Info,
            Status::Failure => Level::Error,
        }
    }
}
