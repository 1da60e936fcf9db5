//! One log entry for every call.

use std::sync::Arc;

use broker::{Node, Settled};
use engine::Moment;
use engine::access::Peer;
use engine::outcome::DirectOutcome;
use telemetry::{FailureClass, TraceId, event};

use crate::exchange::counted;
use crate::fault::Fault;
use crate::ops::logged;
use crate::reply::Reply;

/// Counts what became of the targets, and writes the log entry of the whole call. Dropped before its
/// end, the sender has gone away.
pub(super) struct Ledger {
    pub(super) node: Arc<Node>,
    pub(super) sender: Peer,
    pub(super) trace_id: TraceId,
    pub(super) taken_in: Moment,
    /// What could be read of it.
    pub(super) topic: Option<Arc<str>>,
    /// How many there are; none before that is known.
    pub(super) targets: Option<usize>,
    pub(super) succeeded: usize,
    pub(super) failed: usize,
    written: bool,
}

impl Ledger {
    pub(super) fn open(node: &Arc<Node>, sender: Peer, trace_id: TraceId) -> Self {
        Ledger {
            node: Arc::clone(node),
            sender,
            trace_id,
            taken_in: node.now(),
            topic: None,
            targets: None,
            succeeded: 0,
            failed: 0,
            written: false,
        }
    }

    /// Refuses the call before anything is sent.
    pub(super) fn refuse(mut self, outcome: DirectOutcome) -> Reply {
        let reason = outcome.reason().unwrap_or("INTERNAL_SERVER_ERROR");
        self.write(Some((reason, &outcome.details())));
        let fault = Fault::of_direct(&Settled::refused(outcome, None));
        counted(&self.node, crate::exchange::reply(self.trace_id, fault))
    }

    /// Takes down the end of one target.
    pub(super) fn count(&mut self, succeeded: bool) {
        match succeeded {
            true => self.succeeded += 1,
            false => self.failed += 1,
        }
    }

    /// Everybody was told.
    pub(super) fn finish(mut self) {
        self.write(None);
    }

    fn write(&mut self, refused: Option<(&'static str, &str)>) {
        self.written = true;
        self.node.telemetry().record(&event::DirectMessages {
            sender: logged(&self.sender, self.trace_id),
            topic: self.topic.as_deref().unwrap_or(""),
            targets: self.targets,
            succeeded: self.succeeded,
            failed: self.failed,
            refused: refused.map(|(reason, details)| event::Refusal {
                class: FailureClass::ClientError,
                reason,
                details,
            }),
        });
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        if !self.written {
            let outcome = DirectOutcome::SenderDisconnected;
            let reason = outcome.reason().unwrap_or("INTERNAL_SERVER_ERROR");
            self.write(Some((reason, "The sender went away; nothing more was sent.")));
        }
    }
}
