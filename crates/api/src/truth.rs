//! What an answer other than success says of the message: `x-tenfour-delivery`.

use broker::{OnTheWire, Settled};
use engine::outcome::DirectOutcome;

/// Whether the message was sent. Never a guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Truth {
    /// No byte of it reached the device's socket, and none will: it is safe to try again.
    NeverSent,
    /// It was written to the device's socket, and no PUBACK came.
    SentUnacknowledged {
        /// Whether the device's TCP has acknowledged all of it; none where that is not known.
        tcp_acknowledged: Option<bool>,
    },
    /// The device's PUBACK came; what is missing is its response.
    Acknowledged,
    /// The request or the message itself was turned down, here or by the device: the same would be
    /// turned down again.
    Refused,
}

impl Truth {
    /// That of a direct message; none of one that succeeded, or of whose end nobody waited to hear.
    pub(crate) fn of(settled: &Settled) -> Option<Self> {
        let on_the_wire = match settled.wire {
            OnTheWire::Never => Truth::NeverSent,
            OnTheWire::Sent { tcp_acknowledged } => Truth::SentUnacknowledged { tcp_acknowledged },
        };
        match settled.outcome {
            // The message of a sender that goes away may be anywhere, and may still be acknowledged.
            DirectOutcome::Acknowledged
            | DirectOutcome::Responded
            | DirectOutcome::Dispatched
            | DirectOutcome::SenderDisconnected => None,
            DirectOutcome::ResponseTimeout => Some(Truth::Acknowledged),
            DirectOutcome::Invalid(_)
            | DirectOutcome::PayloadTooLarge { .. }
            | DirectOutcome::SenderUnauthorized
            | DirectOutcome::ReceiverUnauthorized
            | DirectOutcome::ReceiverPacketTooLarge { .. }
            | DirectOutcome::IdempotencyConflict
            | DirectOutcome::ReceiverRejected(_) => Some(Truth::Refused),
            DirectOutcome::TargetNotFound
            | DirectOutcome::TargetNotConnected
            | DirectOutcome::AccountThrottled
            | DirectOutcome::WaitingRoomFull
            | DirectOutcome::ReceiverThrottled
            | DirectOutcome::ReceiverWindowFull
            | DirectOutcome::ReceiverNotWritable
            | DirectOutcome::ConfirmationTimeout
            | DirectOutcome::DeadlineExceeded
            | DirectOutcome::ReceiverDisconnected
            | DirectOutcome::Internal => Some(on_the_wire),
        }
    }

    /// The word in header, body and log.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Truth::NeverSent => "never-sent",
            Truth::SentUnacknowledged { .. } => "sent-unacknowledged",
            Truth::Acknowledged => "acknowledged",
            Truth::Refused => "refused",
        }
    }

    /// What the body says as `tcpAcknowledged`; none where nothing was sent.
    pub(crate) fn tcp_acknowledged(self) -> Option<serde_json::Value> {
        match self {
            Truth::SentUnacknowledged { tcp_acknowledged: Some(known) } => Some(known.into()),
            Truth::SentUnacknowledged { tcp_acknowledged: None } => Some("unknown".into()),
            Truth::NeverSent | Truth::Acknowledged | Truth::Refused => None,
        }
    }
}
