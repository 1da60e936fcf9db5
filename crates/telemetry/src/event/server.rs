//! What the process itself does.

use std::fmt::Arguments;
use std::net::SocketAddr;

use crate::event::{Event, Party, Protocol};
use crate::line::{Line, key};
use crate::{Level, Metrics, Status, TraceId};

/// What the process itself does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server<'a> {
    /// A listener accepts connections.
    ListenerStarted {
        /// Its name in the configuration.
        name: &'a str,
        /// Where it listens.
        address: SocketAddr,
    },
    /// A listener could not accept a connection (no more file descriptors, say).
    AcceptFailed {
        /// Its name in the configuration.
        name: &'a str,
        /// What the system said.
        cause: &'a str,
    },
    /// What was kept by an earlier process was read.
    StoreOpened {
        /// Sessions that outlive their connections.
        sessions: usize,
        /// Messages that wait for them.
        messages: usize,
        /// Retained messages.
        retained: usize,
        /// How long it took.
        took: std::time::Duration,
    },
    /// Nothing more can be kept: what was promised stays, nothing new is promised.
    StoreFailed {
        /// What is wrong and what to do, without a full stop.
        sentence: &'a str,
    },
    /// The outcomes of messages with an idempotency key are in memory alone from now on.
    OutcomesNotKept {
        /// What is wrong and what to do, without a full stop.
        sentence: &'a str,
    },
    /// The process was told to end: nothing new is accepted.
    DrainStarted {
        /// Connections open.
        connections: usize,
    },
    /// The process ends.
    DrainFinished {
        /// Connections that were cut off because the time was up. More than none is a warning.
        cut_off: usize,
    },
}

impl Event for Server<'_> {
    const TYPE: &'static str = "Server";

    fn trace_id(&self) -> TraceId {
        TraceId::random()
    }

    fn status(&self) -> Status {
        match self {
            Server::ListenerStarted { .. }
            | Server::StoreOpened { .. }
            | Server::DrainStarted { .. }
            | Server::DrainFinished { .. } => Status::Success,
            Server::AcceptFailed { .. }
            | Server::StoreFailed { .. }
            | Server::OutcomesNotKept { .. } => Status::Failure,
        }
    }

    fn level(&self) -> Level {
        match self {
            Server::DrainFinished { cut_off: 1.. } => Level::Warn,
            Server::ListenerStarted { .. }
            | Server::AcceptFailed { .. }
            | Server::StoreOpened { .. }
            | Server::StoreFailed { .. }
            | Server::OutcomesNotKept { .. }
            | Server::DrainStarted { .. }
            | Server::DrainFinished { .. } => self.status().level(),
        }
    }

    fn protocol(&self) -> Option<Protocol> {
        None
    }

    fn party(&self) -> Option<Party<'_>> {
        None
    }

    fn write(&self, line: &mut Line) {
        let mut members = |reason, details: Arguments<'_>| {
            line.word(key!("reason"), reason);
            line.formatted(key!("details"), details);
        };
        match self {
            Server::ListenerStarted { name, address } => {
                members("LISTENER_STARTED", format_args!("Listener {name} accepts on {address}."));
            }
            Server::AcceptFailed { name, cause } => members(
                "ACCEPT_FAILED",
                format_args!("Listener {name} could not accept a connection: {cause}."),
            ),
            Server::StoreOpened { sessions, messages, retained, took } => members(
                "STORE_OPENED",
                format_args!(
                    "Sessions: {sessions}; messages waiting: {messages}; retained messages: \
                     {retained}; read in {} ms.",
                    took.as_millis()
                ),
            ),
            Server::StoreFailed { sentence } => {
                members("STORE_FAILED", format_args!("Nothing more can be kept: {sentence}."))
            }
            Server::OutcomesNotKept { sentence } => members(
                "OUTCOMES_NOT_KEPT",
                format_args!("Outcomes of messages do not survive a restart: {sentence}."),
            ),
            Server::DrainStarted { connections } => {
                members("DRAIN_STARTED", format_args!("Draining; connections: {connections}."));
            }
            Server::DrainFinished { cut_off } => {
                members("DRAIN_FINISHED", format_args!("Drained; connections cut off: {cut_off}."));
            }
        }
    }

    /// The log is enough: each is rare, and a count would say nothing more.
    fn count(&self, _: &Metrics) {}
}
