//! A server under measurement, whichever it is.

use std::fs;
use std::path::PathBuf;

use crate::failure::{Failure, Outcome};

use super::running::Running;

/// A running server, and how the load generator is told of it. Stopped when dropped.
pub(super) struct Server {
    /// Keeps it alive.
    _running: Running,
    /// Options of all modes of the load generator: where it listens and which process it is.
    pub(super) target: Vec<String>,
    /// Options of its messages: with which key they are signed.
    pub(super) key: Vec<String>,
    /// The log that it writes, if it does.
    log: Option<PathBuf>,
}

impl Server {
    /// A server that runs and writes no log.
    pub(super) fn new(running: Running, target: Vec<String>) -> Self {
        Self { _running: running, target, key: Vec::new(), log: None }
    }

    /// The same with a log, and a key to sign with.
    pub(super) fn with(self, key: Vec<String>, log: PathBuf) -> Self {
        Self { key, log: Some(log), ..self }
    }

    /// Empties the log, so that hours of it do not fill the disk. The server goes on at its end,
    /// which is now the beginning.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn empty_log(&self) -> Outcome {
        let Some(log) = &self.log else { return Ok(()) };
        let emptied = fs::OpenOptions::new().write(true).truncate(true).open(log);
        emptied
            .map(drop)
            .map_err(|error| Failure::io(format!("emptying {}", log.display()), &error))
    }
}
