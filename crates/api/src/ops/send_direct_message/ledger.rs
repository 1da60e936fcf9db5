//! One log entry for every call.

use std::sync::Arc;

use broker::{Node, Settled};
use engine::Moment;
use engine::access::Peer;
use engine::outcome::DirectOutcome;
use telemetry::{TraceId, event};

use super::Progress;
use super::input::Request;
use crate::fault::Fault;
use crate::trace::{CallTrace, Ending, Failure, Subject};
use crate::truth::Truth;

/// Collects what the log entry of one call says and writes it when the call settles. Dropped
/// before, the sender has gone away.
pub(crate) struct Ledger {
    node: Arc<Node>,
    /// What could be read of the request.
    pub(super) request: Request,
    trace_id: TraceId,
    /// The request that named the receiver among many.
    pub(super) batch: Option<TraceId>,
    /// None if the call is not traced.
    pub(super) trace: Option<Arc<CallTrace>>,
    pub(super) sender: Peer,
    pub(super) payload_bytes: usize,
    pub(super) taken_in: Moment,
    progress: Progress,
    /// Its sender went away while it waited for its device, and it is not sent any more.
    never_sent: bool,
    settled: bool,
}

impl Ledger {
    pub(super) fn open(
        node: &Arc<Node>,
        sender: Peer,
        payload_bytes: usize,
        trace_id: TraceId,
    ) -> Self {
        Ledger {
            node: Arc::clone(node),
            request: Request::default(),
            trace_id,
            batch: None,
            trace: None,
            sender,
            payload_bytes,
            taken_in: node.now(),
            progress: Progress::default(),
            never_sent: false,
            settled: false,
        }
    }

    /// Where the message is: for the entry of a sender that goes away, and of a repetition.
    pub(crate) fn note(&mut self, progress: Progress) {
        self.progress = progress;
    }

    /// Writes the entry.
    pub(crate) fn settle(mut self, settled: &Settled) {
        self.write(settled);
    }

    pub(crate) fn node(&self) -> &Arc<Node> {
        &self.node
    }

    pub(crate) fn trace_id(&self) -> TraceId {
        self.trace_id
    }

    /// The receiver as the sender named it.
    pub(crate) fn client_id(&self) -> &str {
        self.request.client_id.as_deref().unwrap_or("")
    }

    fn write(&mut self, settled: &Settled) {
        self.settled = true;
        if let Some(trace) = &self.trace {
            trace.finish(&self.node, &self.ending(trace, settled));
        }
        if self.request.dry_run {
            return self.write_dry_run(settled);
        }
        let Settled { outcome, epoch, handed_over, acknowledged, .. } = settled;
        let truth = Truth::of(settled).or(self.never_sent.then_some(Truth::NeverSent));
        // What was taken back from the connection before a byte of it was sent got nowhere.
        let handed_over = handed_over.filter(|_| truth != Some(Truth::NeverSent));
        self.node.telemetry().record(&event::DirectMessage {
            trace_id: self.trace_id,
            client_id: self.client_id(),
            topic: self.request.topic.as_deref().unwrap_or(""),
            principal_id: &self.sender.principal.id,
            source: self.sender.source,
            confirmation: self.request.confirmation,
            timeout_seconds: self.request.timeout_seconds,
            outcome,
            batch: self.batch,
            repeats: self.progress.original,
            truth: truth.map(Truth::word),
            delivery: handed_over.map(|at| at.since(self.taken_in)),
            ack: handed_over.zip(*acknowledged).map(|(from, to)| to.since(from)),
            connection_epoch: *epoch,
            payload_bytes: self.payload_bytes,
            metered_bytes: self.payload_bytes
                + self.request.topic.as_ref().map_or(0, |topic| topic.len())
                + self.request.property_bytes,
        });
    }

    fn ending<'a>(&'a self, trace: &CallTrace, settled: &'a Settled) -> Ending<'a> {
        let fault = Fault::of_direct(settled);
        let status = fault.as_ref().map_or(200, |fault| fault.kind.status().as_u16());
        // What a dry run foresees is what it answers, not what became of it.
        let foresees = self.request.dry_run && trace.is_authorised();
        let is_answered = settled.outcome != DirectOutcome::SenderDisconnected;
        Ending {
            trace_id: self.trace_id,
            subject: Some(Subject {
                client_id: self.client_id(),
                topic: self.request.topic.as_deref().unwrap_or(""),
                principal_id: &self.sender.principal.id,
                payload_bytes: self.payload_bytes,
                confirmation: self.request.confirmation,
                dry_run: self.request.dry_run,
            }),
            settled: Some(settled),
            status: is_answered.then_some(if foresees { 200 } else { status }),
            failure: fault.as_ref().filter(|_| !foresees).map(Failure::of),
            delivery: Truth::of(settled).filter(|_| !foresees).map(Truth::word),
        }
    }

    fn write_dry_run(&self, settled: &Settled) {
        self.node.telemetry().record(&event::DirectMessageDryRun {
            trace_id: self.trace_id,
            client_id: self.request.client_id.as_deref().unwrap_or(""),
            topic: self.request.topic.as_deref().unwrap_or(""),
            principal_id: &self.sender.principal.id,
            source: self.sender.source,
            confirmation: self.request.confirmation,
            timeout_seconds: self.request.timeout_seconds,
            outcome: &settled.outcome,
            connection_epoch: settled.epoch,
        });
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        if !self.settled {
            if let Some(seat) = self.progress.seat.take() {
                seat.leave();
            }
            if let Some(waits) = self.progress.waits.take() {
                self.never_sent = waits.give_up(&self.node);
                self.progress.dispatched = waits.sent();
            }
            let dispatched = self.progress.dispatched;
            self.write(&Settled {
                handed_over: dispatched.map(|dispatched| dispatched.at),
                ..Settled::refused(
                    DirectOutcome::SenderDisconnected,
                    dispatched.map(|dispatched| dispatched.epoch),
                )
            });
        }
    }
}
