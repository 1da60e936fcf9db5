//! How the webhook fares.

use std::fmt::Arguments;

use crate::event::{Event, Party, Protocol};
use crate::line::{Line, key};
use crate::metrics::label;
use crate::{Metrics, Status, TraceId};

/// How the webhook fares. Single receipts are counted, not logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Webhook<'a> {
    /// A receipt could not be delivered; said once until all that were tried again got through.
    Failing {
        /// Why, without a full stop.
        sentence: &'a str,
    },
    /// Nothing waits to be tried again.
    Recovered,
    /// As many receipts wait as may, and newer ones are dropped; said once until half of the room is
    /// free again.
    QueueFull {
        /// How many wait.
        most: usize,
    },
    /// The receiver wants no more of them (410): nothing is sent until the process starts anew.
    Gone {
        /// How many waited.
        dropped: usize,
    },
    /// The process ends, and receipts could not be delivered.
    DroppedAtTheEnd {
        /// How many.
        dropped: usize,
    },
}

/// Why a receipt was not delivered to the webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebhookDrop {
    /// Too many waited already.
    QueueFull,
    /// It was tried as often as it may be.
    GivenUp,
    /// The receiver wants no more.
    Gone,
    /// The process ended.
    Shutdown,
}

impl WebhookDrop {
    /// The word for the metrics' label `reason`.
    pub fn word(self) -> &'static str {
        match self {
            WebhookDrop::QueueFull => "queue_full",
            WebhookDrop::GivenUp => "given_up",
            WebhookDrop::Gone => "gone",
            WebhookDrop::Shutdown => "shutdown",
        }
    }
}

label!(WebhookDrop, |drop: &WebhookDrop| drop.word(), { QueueFull, GivenUp, Gone, Shutdown });

impl Event for Webhook<'_> {
    const TYPE: &'static str = "Webhook";

    fn trace_id(&self) -> TraceId {
        TraceId::random()
    }

    fn status(&self) -> Status {
        match self {
            Webhook::Recovered => Status::Success,
            Webhook::Failing { .. }
            | Webhook::QueueFull { .. }
            | Webhook::Gone { .. }
            | Webhook::DroppedAtTheEnd { .. } => Status::Failure,
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
            Webhook::Failing { sentence } => members(
                "WEBHOOK_FAILING",
                format_args!("Receipts are not delivered, and tried again: {sentence}."),
            ),
            Webhook::Recovered => {
                members("WEBHOOK_RECOVERED", format_args!("No receipt waits to be tried again."));
            }
            Webhook::QueueFull { most } => members(
                "WEBHOOK_QUEUE_FULL",
                format_args!("Receipts waiting: {most}; newer ones are dropped."),
            ),
            Webhook::Gone { dropped } => members(
                "WEBHOOK_GONE",
                format_args!(
                    "The receiver answered 410: no more receipts until the server starts anew; \
                     dropped: {dropped}."
                ),
            ),
            Webhook::DroppedAtTheEnd { dropped } => members(
                "WEBHOOK_DROPPED_AT_THE_END",
                format_args!("Receipts not delivered when the server ended: {dropped}."),
            ),
        }
    }

    /// Receipts are counted one by one, where they are delivered or dropped.
    fn count(&self, _: &Metrics) {}
}
