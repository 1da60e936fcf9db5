//! Why a run could not take place.

use std::io;
use std::path::PathBuf;

use client::EndpointError;

/// Why nothing could be measured. What goes wrong during a run is part of its report instead.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// Options that do not fit together or are out of bounds.
    #[error("{0}")]
    Option(String),
    /// An address that is none.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// The ready file cannot be used.
    #[error("ready file {}: {what}", path.display())]
    ReadyFile {
        /// Where it should be.
        path: PathBuf,
        /// What is wrong with it, and what would be right.
        what: String,
    },
    /// A certificate or key cannot be used.
    #[error("{}: {what}", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// TLS does not accept the certificate and key.
    #[error("certificate and key: {0}")]
    Tls(#[from] rustls::Error),
    /// The server does not accept connections.
    #[error("{who} cannot connect to {address}: {source}; is the server running there?")]
    Unreachable {
        /// Who wanted to connect.
        who: String,
        /// Where to.
        address: String,
        /// What the system says.
        source: io::Error,
    },
    /// A device was not let in.
    #[error("{client_id} was not accepted at {address}: {what}")]
    DeviceRefused {
        /// The client ID.
        client_id: String,
        /// The listener.
        address: String,
        /// What the server did, and what would help.
        what: String,
    },
    /// A connection of a run in which all are needed has ended.
    #[error("{who} lost its connection to {address}: {what}")]
    Lost {
        /// The client ID.
        who: String,
        /// The listener.
        address: String,
        /// What happened.
        what: String,
    },
    /// More connections than the process may have.
    #[error(
        "{needed} open files are needed and the limit is {have}; raise it (ulimit -n {needed}) or \
         ask for fewer devices"
    )]
    Descriptors {
        /// Connections and what the process needs besides.
        needed: u64,
        /// The hard limit of the process.
        have: u64,
    },
    /// The operating system refuses what the generator itself needs.
    #[error("{what}: {source}")]
    System {
        /// What was attempted.
        what: &'static str,
        /// What the system says.
        source: io::Error,
    },
    /// The server's process cannot be read.
    #[error("memory of process {pid}: {what}")]
    Process {
        /// The process ID.
        pid: u32,
        /// What is wrong.
        what: String,
    },
    /// A thread of the generator panicked.
    #[error("a thread of the load generator ended early; this is a mistake of the generator")]
    WorkerLost,
}
