//! One SendDirectMessage, however it ended.

use std::net::SocketAddr;
use std::time::Duration;

use engine::outcome::DirectOutcome;
use serde::{Serialize, Serializer};

use crate::event::{Event, Protocol};
use crate::member::{self, Ending};
use crate::{Metrics, Quota, Status, TraceId};

/// One SendDirectMessage, however it ended: exactly one for each request whose credentials were
/// accepted. INFO on success, ERROR on failure.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DirectMessage<'a> {
    /// The request's.
    #[serde(skip)]
    pub trace_id: TraceId,
    /// The receiver as the sender named it, valid or not.
    #[serde(serialize_with = "member::text")]
    pub client_id: &'a str,
    /// Who sends.
    #[serde(serialize_with = "member::text")]
    pub principal_id: &'a str,
    /// Where the sender's connection comes from.
    #[serde(flatten, serialize_with = "member::source")]
    pub source: SocketAddr,
    /// The topic as the sender named it, valid or not; empty when there was none.
    #[serde(
        rename = "topicName",
        serialize_with = "member::text",
        skip_serializing_if = "str::is_empty"
    )]
    pub topic: &'a str,
    /// Whether a confirmation was asked for.
    pub confirmation: bool,
    /// How long to wait for it, in seconds; `None` when none was asked for.
    #[serde(rename = "timeout", skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<u64>,
    /// How it ended.
    #[serde(flatten, serialize_with = "ending")]
    pub outcome: &'a DirectOutcome,
    /// From the request taken in to the PUBLISH handed to the socket; `None` if it never was.
    #[serde(
        rename = "deliveryMs",
        serialize_with = "member::millis",
        skip_serializing_if = "Option::is_none"
    )]
    pub delivery: Option<Duration>,
    /// From there to the PUBACK; `None` if none came.
    #[serde(
        rename = "ackMs",
        serialize_with = "member::millis",
        skip_serializing_if = "Option::is_none"
    )]
    pub ack: Option<Duration>,
    /// The epoch of the receiver's connection, if there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection_epoch: Option<u64>,
    /// Size of the payload. Counted, not logged.
    #[serde(skip)]
    pub payload_bytes: usize,
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

    fn count(&self, metrics: &Metrics) {
        metrics.direct_message(self.outcome, self.payload_bytes, self.delivery, self.ack);
        if let Some(quota) = exhausted(self.outcome) {
            metrics.throttled(quota);
        }
    }
}

/// `reason`, `details` and `mqttReasonCode` of a failure. Only a failure needs an allocation.
fn ending<S: Serializer>(outcome: &&DirectOutcome, serializer: S) -> Result<S::Ok, S::Error> {
    if outcome.is_success() {
        return Ending::default().serialize(serializer);
    }
    let rejected =
        if let DirectOutcome::ReceiverRejected(code) = outcome { Some(*code as u8) } else { None };
    Ending {
        reason: outcome.reason(),
        details: Some(&outcome.details()),
        mqtt_reason_code: rejected,
    }
    .serialize(serializer)
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
        | DirectOutcome::SenderUnauthorized
        | DirectOutcome::ReceiverUnauthorized
        | DirectOutcome::TargetNotFound
        | DirectOutcome::TargetNotConnected
        | DirectOutcome::ReceiverPacketTooLarge { .. }
        | DirectOutcome::ReceiverNotWritable
        | DirectOutcome::ReceiverRejected(_)
        | DirectOutcome::ConfirmationTimeout
        | DirectOutcome::ReceiverDisconnected
        | DirectOutcome::SenderDisconnected
        | DirectOutcome::Internal => None,
    }
}
