//! How the export of traces fares.

use std::fmt::Arguments;

use crate::event::{Event, Party, Protocol};
use crate::line::{Line, key};
use crate::metrics::label;
use crate::{Metrics, Status, TraceId};

/// How the export of traces fares. Single spans are counted, not logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Traces<'a> {
    /// Spans could not be exported; said once until spans got through again.
    Failing {
        /// Why, without a full stop.
        sentence: &'a str,
    },
    /// Spans get through again.
    Recovered,
    /// As many spans wait as may, and newer ones are dropped; said once until half of the room is free
    /// again.
    QueueFull {
        /// How many may wait.
        most: usize,
    },
    /// The process ends, and spans could not be exported.
    DroppedAtTheEnd {
        /// How many.
        dropped: usize,
    },
}

/// Why a span was not exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpanDrop {
    /// Too many waited already.
    QueueFull,
    /// It was tried as often as it may be.
    GivenUp,
    /// The collector does not want it.
    Refused,
    /// The process ended.
    Shutdown,
}

impl SpanDrop {
    /// The word for the metrics' label `reason`.
    pub fn word(self) -> &'static str {
        match self {
            SpanDrop::QueueFull => "queue_full",
            SpanDrop::GivenUp => "given_up",
            SpanDrop::Refused => "refused",
            SpanDrop::Shutdown => "shutdown",
        }
    }
}

label!(SpanDrop, |drop: &SpanDrop| drop.word(), { QueueFull, GivenUp, Refused, Shutdown });

impl Event for Traces<'_> {
    const TYPE: &'static str = "Traces";

    fn trace_id(&self) -> TraceId {
        TraceId::random()
    }

    fn status(&self) -> Status {
        match self {
            Traces::Recovered => Status::Success,
            Traces::Failing { .. } | Traces::QueueFull { .. } | Traces::DroppedAtTheEnd { .. } => {
                Status::Failure
            }
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
            Traces::Failing { sentence } => {
                members("TRACES_FAILING", format_args!("Spans are not exported: {sentence}."));
            }
            Traces::Recovered => {
                members("TRACES_RECOVERED", format_args!("Spans are exported again."));
            }
            Traces::QueueFull { most } => members(
                "TRACES_QUEUE_FULL",
                format_args!("At most {most} spans wait; newer ones are dropped."),
            ),
            Traces::DroppedAtTheEnd { dropped } => members(
                "TRACES_DROPPED_AT_THE_END",
                format_args!("Spans not exported when the server ended: {dropped}."),
            ),
        }
    }

    /// Spans are counted where they are exported or dropped.
    fn count(&self, _: &Metrics) {}
}
