//! One log entry for every call.

use std::sync::Arc;

use broker::{Dispatched, Node};
use engine::Moment;
use engine::outcome::DirectOutcome;
use telemetry::event;

use super::Call;
use super::input::Request;

/// Collects what the log entry of one call says and writes it when the call settles. Dropped
/// before, the sender has gone away.
pub(super) struct Ledger<'a> {
    node: &'a Arc<Node>,
    call: &'a Call<'a>,
    /// What could be read of the request.
    pub(super) request: Request,
    taken_in: Moment,
    handed_over: Option<Moment>,
    acknowledged: Option<Moment>,
    epoch: Option<u64>,
    settled: bool,
}

impl<'a> Ledger<'a> {
    pub(super) fn open(node: &'a Arc<Node>, call: &'a Call<'a>) -> Self {
        Ledger {
            node,
            call,
            request: Request::default(),
            taken_in: node.now(),
            handed_over: None,
            acknowledged: None,
            epoch: None,
            settled: false,
        }
    }

    pub(super) fn dispatched(&mut self, dispatched: &Dispatched) {
        self.handed_over = Some(dispatched.at);
        self.epoch = Some(dispatched.epoch);
    }

    pub(super) fn refused(&mut self, epoch: Option<u64>) {
        self.epoch = epoch;
    }

    pub(super) fn acknowledged(&mut self, at: Option<Moment>) {
        self.acknowledged = at;
    }

    pub(super) fn settle(mut self, outcome: DirectOutcome) -> DirectOutcome {
        self.write(&outcome);
        outcome
    }

    fn write(&mut self, outcome: &DirectOutcome) {
        self.settled = true;
        let sender = &self.call.sender;
        self.node.telemetry().record(&event::DirectMessage {
            trace_id: self.call.trace_id,
            client_id: self.request.client_id.as_deref().unwrap_or(self.call.client_id),
            topic: self.request.topic.as_deref().unwrap_or(""),
            principal_id: &sender.principal.id,
            source: sender.source,
            confirmation: self.request.confirmation,
            timeout_seconds: self.request.timeout_seconds,
            outcome,
            delivery: self.handed_over.map(|at| at.since(self.taken_in)),
            ack: self.handed_over.zip(self.acknowledged).map(|(from, to)| to.since(from)),
            connection_epoch: self.epoch,
            payload_bytes: self.call.payload.len(),
        });
    }
}

impl Drop for Ledger<'_> {
    fn drop(&mut self) {
        if !self.settled {
            self.write(&DirectOutcome::SenderDisconnected);
        }
    }
}
