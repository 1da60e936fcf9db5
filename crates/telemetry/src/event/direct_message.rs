//! One SendDirectMessage, however it ended.

use std::net::SocketAddr;
use std::time::Duration;

use engine::outcome::DirectOutcome;

use crate::event::{Event, Party, Protocol};
use crate::line::{Line, key};
use crate::member::Ending;
use crate::{Metrics, Quota, Status, TraceId};

/// One SendDirectMessage, however it ended: exactly one for each request whose credentials were
/// accepted. INFO on success, ERROR on failure.
#[derive(Clone, Copy, Debug)]
pub struct DirectMessage<'a> {
    /// The request's.
    pub trace_id: TraceId,
    /// The receiver as the sender named it, valid or not.
    pub client_id: &'a str,
    /// Who sends.
    pub principal_id: &'a str,
    /// Where the sender's connection comes from.
    pub source: SocketAddr,
    /// The topic as the sender named it, valid or not; empty when there was none.
    pub topic: &'a str,
    /// Whether a confirmation was asked for.
    pub confirmation: bool,
    /// How long to wait for it, in seconds; `None` when none was asked for.
    pub timeout_seconds: Option<u64>,
    /// How it ended.
    pub outcome: &'a DirectOutcome,
    /// The request that named this receiver among many, whose trace ID is not that of the message.
    pub batch: Option<TraceId>,
    /// The request of which this one is a repetition.
    pub repeats: Option<TraceId>,
    /// What the answer says of the message, `x-tenfour-delivery`; `None` for a success.
    pub truth: Option<&'static str>,
    /// From the request taken in to the PUBLISH handed to the socket; `None` if it never was.
    pub delivery: Option<Duration>,
    /// From there to the PUBACK; `None` if none came.
    pub ack: Option<Duration>,
    /// The epoch of the receiver's connection, if there was one.
    pub connection_epoch: Option<u64>,
    /// Size of the payload. Counted, not logged.
    pub payload_bytes: usize,
    /// What the message is measured by (spec 9), in bytes. Counted, not logged.
    pub metered_bytes: usize,
}

impl Event for DirectMessage<'_> {
    const TYPE: &'static str = "SendDirectMessage";

    fn trace_id(&self) -> TraceId {
        self.trace_id
    }

    fn status(&self) -> Status {
        Status::of(self.outcome.is_success())
    }

    fn protocol(&self) -> Option<Protocol> {
        Some(Protocol::Http)
    }

    fn party(&self) -> Option<Party<'_>> {
        let Self { client_id, principal_id, source, .. } = *self;
        Some(Party { client_id, principal_id, source })
    }

    fn write(&self, line: &mut Line) {
        if !self.topic.is_empty() {
            line.text(key!("topicName"), self.topic);
        }
        line.boolean(key!("confirmation"), self.confirmation);
        line.number_option(key!("timeout"), self.timeout_seconds);
        write_ending(self.outcome, line);
        if let Some(batch) = self.batch {
            line.formatted(key!("batch"), format_args!("{batch}"));
        }
        if let Some(repeats) = self.repeats {
            line.formatted(key!("repeats"), format_args!("{repeats}"));
        }
        if let Some(truth) = self.truth {
            line.word(key!("delivery"), truth);
        }
        line.millis_option(key!("deliveryMs"), self.delivery);
        line.millis_option(key!("ackMs"), self.ack);
        line.number_option(key!("connectionEpoch"), self.connection_epoch);
    }

    fn count(&self, metrics: &Metrics) {
        metrics.direct_message(self);
        if let Some(quota) = exhausted(self.outcome) {
            metrics.throttled(quota);
        }
    }
}

/// `reason`, `details` and `mqttReasonCode` of a failure. Only a failure needs an allocation.
#[inline]
pub(super) fn write_ending(outcome: &DirectOutcome, line: &mut Line) {
    if outcome.is_success() {
        return;
    }
    let rejected =
        if let DirectOutcome::ReceiverRejected(code) = outcome { Some(*code as u8) } else { None };
    line.ending(&Ending {
        reason: outcome.reason(),
        details: Some(&outcome.details()),
        mqtt_reason_code: rejected,
    });
}

/// The quota that turned the message away, if that is how it ended.
fn exhausted(outcome: &DirectOutcome) -> Option<Quota> {
    match outcome {
        DirectOutcome::AccountThrottled => Some(Quota::SendDirectMessage),
        DirectOutcome::ReceiverThrottled => Some(Quota::PublishesPerConnection),
        DirectOutcome::ReceiverWindowFull => Some(Quota::OutboundUnacknowledged),
        DirectOutcome::Acknowledged
        | DirectOutcome::Dispatched
        | DirectOutcome::Invalid(_)
        | DirectOutcome::PayloadTooLarge { .. }
        | DirectOutcome::WaitingRoomFull
        | DirectOutcome::SenderUnauthorized
        | DirectOutcome::ReceiverUnauthorized
        | DirectOutcome::TargetNotFound
        | DirectOutcome::TargetNotConnected
        | DirectOutcome::ReceiverPacketTooLarge { .. }
        | DirectOutcome::ReceiverNotWritable
        | DirectOutcome::ReceiverRejected(_)
        | DirectOutcome::Responded
        | DirectOutcome::ConfirmationTimeout
        | DirectOutcome::ResponseTimeout
        | DirectOutcome::DeadlineExceeded
        | DirectOutcome::ReceiverDisconnected
        | DirectOutcome::SenderDisconnected
        | DirectOutcome::IdempotencyConflict
        | DirectOutcome::Internal => None,
    }
}
