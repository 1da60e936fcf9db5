//! What is kept of messages with an idempotency key for the next process: that they were sent, and
//! how they ended.

use std::cell::RefCell;
use std::sync::Arc;

use broker::{OnTheWire, Settled};
use engine::Wall;
use engine::close::CloseReason;
use engine::outcome::DirectOutcome;
use store::Trail;
use store::record::delivery::{self, End, Entry, Sent};
use telemetry::TraceId;

use super::record::{Earlier, Known, Record, Target};
use super::{Book, Deliveries, Key};

thread_local! {
    /// What the next entry of this thread is written into.
    static BYTES: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

impl Deliveries {
    /// Keeps from now on what is of use for the next process.
    pub(crate) fn keep_in(&mut self, trail: Arc<dyn Trail>) {
        self.trail = Some(trail);
    }

    /// Writes what is still to be kept.
    pub(crate) fn close(&self) {
        if let Some(trail) = &self.trail {
            trail.close();
        }
    }

    /// Takes in an entry of an earlier process. What this version does not know is passed over.
    pub(crate) fn restore(&mut self, bytes: &[u8]) {
        let book = self.book.get_mut();
        match delivery::read(bytes) {
            Some(Entry::Sent(sent)) => {
                let until = sent.taken_in.saturating_add(millis(self.kept_for));
                let record = restored(&sent, self.key_hasher.key(sent.principal_id, sent.key));
                // An older message with the same key was forgotten when this one was sent.
                if let Some(older) = book.find_key(&record).map(|older| older.trace_id()) {
                    book.free_key(older);
                }
                let trace_id = record.trace_id();
                if book.find(trace_id).is_some() {
                    return;
                }
                book.add(record, self.wall.moment(until));
                book.sent(trace_id);
            }
            Some(Entry::Ended { trace_id, end }) => book.end(trace_id, end),
            Some(Entry::Released { trace_id }) => {
                let trace_id = TraceId::from_bytes(trace_id);
                if let Some(record) = book.find(trace_id) {
                    record.set_earlier(|earlier| {
                        earlier.settled = Settled::refused(DirectOutcome::DeadlineExceeded, None);
                    });
                    book.never_sent(trace_id);
                }
            }
            None => {}
        }
    }

    /// Takes down that a message was handed over; says whether that is kept.
    pub(super) fn keep_sent(&self, known: &Known, epoch: u64, handed_over: engine::Moment) -> bool {
        let (Some(trail), Some(key)) = (&self.trail, &known.key) else { return false };
        append(
            &**trail,
            &Entry::Sent(Sent {
                trace_id: *known.trace_id.as_bytes(),
                client_id: known.target.client_id(),
                topic: known.target.topic(),
                principal_id: &known.principal_id,
                key: key.text(),
                fingerprint: known.fingerprint,
                taken_in: known.taken_in_millis,
                handed_over: self.wall.millis(handed_over),
                epoch,
            }),
        );
        true
    }

    /// Takes down how a message ended that was kept.
    pub(super) fn keep_end(&self, trace_id: TraceId, settled: &Settled, late: bool) {
        let Some(trail) = &self.trail else { return };
        let trace_id = *trace_id.as_bytes();
        append(
            &**trail,
            &match is_never_sent(settled) {
                true => Entry::Released { trace_id },
                false => Entry::Ended { trace_id, end: end(settled, late, self.wall) },
            },
        );
    }
}

impl Book {
    fn end(&mut self, trace_id: [u8; 16], end: End) {
        let Some(record) = self.find(TraceId::from_bytes(trace_id)) else { return };
        record.set_earlier(|earlier| {
            let (outcome, wire, closed) = outcome(end);
            let settled = Settled { wire, closed, ..Settled::refused(outcome, None) };
            earlier.settled = Settled { epoch: earlier.settled.epoch, ..settled };
            if let End::Acknowledged { at, late } | End::Rejected { at, late, .. } = end {
                earlier.acknowledged = Some(at);
                earlier.late = late;
            }
        });
    }
}

/// Whether no byte of a message was sent that should have been.
pub(super) fn is_never_sent(settled: &Settled) -> bool {
    settled.wire == OnTheWire::Never && settled.outcome != DirectOutcome::Dispatched
}

fn append(trail: &dyn Trail, entry: &Entry<'_>) {
    BYTES.with_borrow_mut(|bytes| {
        bytes.clear();
        delivery::write(entry, bytes);
        trail.append(bytes);
    });
}

/// A message of an earlier process, whose end took its connection with it if nothing else is known.
fn restored(sent: &Sent<'_>, key: Key) -> Arc<Record> {
    let known = Known {
        trace_id: TraceId::from_bytes(sent.trace_id),
        target: Target::new(sent.client_id, sent.topic),
        key: Some(key),
        principal_id: sent.principal_id.into(),
        taken_in_millis: sent.taken_in,
        fingerprint: sent.fingerprint,
    };
    let settled = Settled::refused(DirectOutcome::ReceiverDisconnected, Some(sent.epoch));
    let wire = OnTheWire::Sent { tcp_acknowledged: None };
    Record::of_earlier(
        known,
        Earlier {
            settled: Settled { wire, ..settled },
            late: false,
            handed_over: sent.handed_over,
            acknowledged: None,
        },
    )
}

fn end(settled: &Settled, late: bool, wall: Wall) -> End {
    let at = settled.acknowledged.map_or(0, |at| wall.millis(at));
    match settled.outcome {
        DirectOutcome::Acknowledged | DirectOutcome::Responded | DirectOutcome::ResponseTimeout => {
            End::Acknowledged { at, late }
        }
        DirectOutcome::ReceiverRejected(code) => End::Rejected { code: code as u8, at, late },
        DirectOutcome::Dispatched => End::Dispatched,
        DirectOutcome::ReceiverDisconnected => End::ConnectionClosed {
            replaced: settled.closed == Some(CloseReason::TakenOver),
            tcp_acknowledged: match settled.wire {
                OnTheWire::Sent { tcp_acknowledged } => tcp_acknowledged,
                OnTheWire::Never => None,
            },
        },
        DirectOutcome::Invalid(_)
        | DirectOutcome::PayloadTooLarge { .. }
        | DirectOutcome::SenderUnauthorized
        | DirectOutcome::ReceiverUnauthorized
        | DirectOutcome::TargetNotFound
        | DirectOutcome::TargetNotConnected
        | DirectOutcome::AccountThrottled
        | DirectOutcome::WaitingRoomFull
        | DirectOutcome::ReceiverThrottled
        | DirectOutcome::ReceiverWindowFull
        | DirectOutcome::ReceiverPacketTooLarge { .. }
        | DirectOutcome::ReceiverNotWritable
        | DirectOutcome::ConfirmationTimeout
        | DirectOutcome::DeadlineExceeded
        | DirectOutcome::SenderDisconnected
        | DirectOutcome::IdempotencyConflict
        | DirectOutcome::Internal => End::Failed,
    }
}

fn outcome(end: End) -> (DirectOutcome, OnTheWire, Option<CloseReason>) {
    let sent = |tcp_acknowledged| OnTheWire::Sent { tcp_acknowledged };
    match end {
        End::Acknowledged { .. } => (DirectOutcome::Acknowledged, sent(Some(true)), None),
        End::Rejected { code, .. } => {
            let code = End::reason_code(code).unwrap_or(mqtt::ReasonCode::UnspecifiedError);
            (DirectOutcome::ReceiverRejected(code), sent(Some(true)), None)
        }
        End::Dispatched => (DirectOutcome::Dispatched, OnTheWire::Never, None),
        End::ConnectionClosed { replaced, tcp_acknowledged } => {
            let closed =
                if replaced { CloseReason::TakenOver } else { CloseReason::ConnectionLost };
            (DirectOutcome::ReceiverDisconnected, sent(tcp_acknowledged), Some(closed))
        }
        End::Failed => (DirectOutcome::ReceiverNotWritable, sent(None), None),
    }
}

fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
