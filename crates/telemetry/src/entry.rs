//! The shape of every log entry.

use serde::Serialize;

use crate::event::{Event, Protocol};
use crate::timestamp::Timestamp;
use crate::{Level, Status, TraceId};

/// One log entry: the members every entry has (spec 8.2), then the event's own.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Entry<'a, E> {
    timestamp: Timestamp,
    log_level: Level,
    trace_id: TraceId,
    account_id: &'a str,
    status: Status,
    event_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    protocol: Option<Protocol>,
    #[serde(flatten)]
    event: &'a E,
}

impl<'a, E: Event> Entry<'a, E> {
    pub(crate) fn new(event: &'a E, account_id: &'a str) -> Self {
        Entry {
            timestamp: Timestamp::now(),
            log_level: event.level(),
            trace_id: event.trace_id(),
            account_id,
            status: event.status(),
            event_type: E::TYPE,
            protocol: event.protocol(),
            event,
        }
    }
}
