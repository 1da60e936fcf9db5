//! What is told of a message afterwards.

use broker::{Dispatched, OnTheWire, Settled};
use engine::Wall;
use engine::close::CloseReason;
use engine::outcome::DirectOutcome;
use serde_json::{Value, json};

use super::record::{Earlier, Known, Record, Stage};
use super::status::ReceiptStatus;

impl Record {
    /// The receipt as JSON.
    pub(crate) fn receipt(&self, wall: Wall) -> Value {
        self.with_view(|view| view.document(wall))
    }

    /// Whether it is the message of that principal, who alone may ask for it.
    pub(crate) fn belongs_to(&self, principal_id: &str) -> bool {
        *self.known().principal_id == *principal_id
    }
}

/// A message as it stands.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) known: &'a Known,
    pub(super) stage: &'a Stage,
    /// The connection that has it, as far as that is known.
    pub(super) dispatched: Option<Dispatched>,
}

impl View<'_> {
    /// How far it is.
    pub(super) fn status(self) -> ReceiptStatus {
        status(self.stage)
    }

    /// The receipt as JSON.
    pub(super) fn document(self, wall: Wall) -> Value {
        let View { known, stage, dispatched } = self;
        let mut receipt = json!({
            "traceId": known.trace_id.to_string(),
            "clientId": known.target.client_id(),
            "topic": known.target.topic(),
            "takenInAt": known.taken_in_millis,
            "status": self.status().word(),
        });
        let (handed_over, acknowledged) = times(stage, dispatched, wall);
        if let Some(at) = handed_over {
            receipt["handedOverAt"] = at.into();
        }
        if let Some(at) = acknowledged {
            receipt["acknowledgedAt"] = at.into();
        }
        let settled = settled(stage);
        let epoch = match settled {
            None => dispatched.map(|dispatched| dispatched.epoch),
            Some(settled) => settled.epoch,
        };
        if let Some(epoch) = epoch {
            receipt["connectionEpoch"] = epoch.into();
        }
        if let Some(settled) = settled {
            if let DirectOutcome::ReceiverRejected(code) = settled.outcome {
                receipt["mqttReasonCode"] = (code as u8).into();
            }
            if let Some(reason) = settled.outcome.reason() {
                receipt["reason"] = reason.into();
            }
        }
        receipt
    }
}

/// When it was handed over and acknowledged, in milliseconds since 1970.
fn times(stage: &Stage, dispatched: Option<Dispatched>, wall: Wall) -> (Option<u64>, Option<u64>) {
    let millis = |at| wall.millis(at);
    match stage {
        Stage::Pending => (dispatched.map(|dispatched| millis(dispatched.at)), None),
        Stage::TimedOut(settled)
        | Stage::Answering { settled, .. }
        | Stage::Ended { settled, .. } => {
            (settled.handed_over.map(millis), settled.acknowledged.map(millis))
        }
        Stage::Earlier(earlier) => (Some(earlier.handed_over), earlier.acknowledged),
    }
}

/// What the node said of it last.
fn settled(stage: &Stage) -> Option<&Settled> {
    match stage {
        Stage::Pending => None,
        Stage::TimedOut(settled)
        | Stage::Answering { settled, .. }
        | Stage::Ended { settled, .. }
        | Stage::Earlier(Earlier { settled, .. }) => Some(settled),
    }
}

fn status(stage: &Stage) -> ReceiptStatus {
    let (settled, late) = match stage {
        Stage::Pending | Stage::TimedOut(_) => return ReceiptStatus::Pending,
        Stage::Answering { settled, late }
        | Stage::Ended { settled, late }
        | Stage::Earlier(Earlier { settled, late, .. }) => (settled, *late),
    };
    match settled.outcome {
        DirectOutcome::Acknowledged | DirectOutcome::Responded | DirectOutcome::ResponseTimeout => {
            match late {
                true => ReceiptStatus::AcknowledgedLate,
                false => ReceiptStatus::Acknowledged,
            }
        }
        DirectOutcome::Dispatched => ReceiptStatus::Sent,
        DirectOutcome::ReceiverRejected(_) => ReceiptStatus::Refused,
        DirectOutcome::ReceiverDisconnected => match settled.closed {
            Some(CloseReason::TakenOver) => ReceiptStatus::Replaced,
            Some(_) | None => ReceiptStatus::ConnectionClosed,
        },
        DirectOutcome::ConfirmationTimeout | DirectOutcome::DeadlineExceeded => {
            ReceiptStatus::Expired
        }
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
        | DirectOutcome::SenderDisconnected
        | DirectOutcome::IdempotencyConflict
        | DirectOutcome::Internal => match settled.wire {
            OnTheWire::Never => ReceiptStatus::NeverSent,
            OnTheWire::Sent { .. } => ReceiptStatus::Failed,
        },
    }
}
