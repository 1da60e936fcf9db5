//! What is told of a message afterwards.

use broker::{OnTheWire, Settled};
use engine::Wall;
use engine::close::CloseReason;
use engine::outcome::DirectOutcome;
use serde_json::{Value, json};

use super::record::{Earlier, Record, Stage};

impl Record {
    /// The receipt as JSON.
    pub(crate) fn receipt(&self, wall: Wall) -> Value {
        let known = self.known();
        let stage = self.stage();
        let (status, settled) = status(&stage);
        let mut receipt = json!({
            "traceId": known.trace_id.to_string(),
            "clientId": known.target.client_id(),
            "topic": known.target.topic(),
            "takenInAt": known.taken_in_millis,
            "status": status,
        });
        let (handed_over, acknowledged) = times(&stage, wall);
        if let Some(at) = handed_over {
            receipt["handedOverAt"] = at.into();
        }
        if let Some(at) = acknowledged {
            receipt["acknowledgedAt"] = at.into();
        }
        if let Some(settled) = settled {
            if let Some(epoch) = settled.epoch {
                receipt["connectionEpoch"] = epoch.into();
            }
            if let DirectOutcome::ReceiverRejected(code) = settled.outcome {
                receipt["mqttReasonCode"] = (code as u8).into();
            }
            if let Some(reason) = settled.outcome.reason() {
                receipt["reason"] = reason.into();
            }
        }
        receipt
    }

    /// Whether it is the message of that principal, who alone may ask for it.
    pub(crate) fn belongs_to(&self, principal_id: &str) -> bool {
        *self.known().principal_id == *principal_id
    }
}

/// When it was handed over and acknowledged, in milliseconds since 1970.
fn times(stage: &Stage, wall: Wall) -> (Option<u64>, Option<u64>) {
    match stage {
        Stage::Pending => (None, None),
        Stage::TimedOut(settled)
        | Stage::Answering { settled, .. }
        | Stage::Ended { settled, .. } => {
            let millis = |at| wall.millis(at);
            (settled.handed_over.map(millis), settled.acknowledged.map(millis))
        }
        Stage::Earlier(earlier) => (Some(earlier.handed_over), earlier.acknowledged),
    }
}

fn status(stage: &Stage) -> (&'static str, Option<&Settled>) {
    let (settled, late) = match stage {
        Stage::Pending => return ("pending", None),
        Stage::TimedOut(settled) => return ("pending", Some(settled)),
        Stage::Answering { settled, late }
        | Stage::Ended { settled, late }
        | Stage::Earlier(Earlier { settled, late, .. }) => (settled, *late),
    };
    let status = match settled.outcome {
        DirectOutcome::Acknowledged | DirectOutcome::Responded | DirectOutcome::ResponseTimeout => {
            match late {
                true => "acknowledged-late",
                false => "acknowledged",
            }
        }
        DirectOutcome::Dispatched => "sent",
        DirectOutcome::ReceiverRejected(_) => "refused",
        DirectOutcome::ReceiverDisconnected => match settled.closed {
            Some(CloseReason::TakenOver) => "replaced",
            Some(_) | None => "connection-closed",
        },
        DirectOutcome::ConfirmationTimeout | DirectOutcome::DeadlineExceeded => "expired",
        DirectOutcome::Invalid(_)
        | DirectOutcome::PayloadTooLarge { .. }
        | DirectOutcome::SenderUnauthorized
        | DirectOutcome::ReceiverUnauthorized
        | DirectOutcome::TargetNotFound
        | DirectOutcome::TargetNotConnected
        | DirectOutcome::AccountThrottled
        | DirectOutcome::ReceiverThrottled
        | DirectOutcome::ReceiverWindowFull
        | DirectOutcome::ReceiverPacketTooLarge { .. }
        | DirectOutcome::ReceiverNotWritable
        | DirectOutcome::SenderDisconnected
        | DirectOutcome::IdempotencyConflict
        | DirectOutcome::Internal => match settled.wire {
            OnTheWire::Never => "never-sent",
            OnTheWire::Sent { .. } => "failed",
        },
    };
    (status, Some(settled))
}
