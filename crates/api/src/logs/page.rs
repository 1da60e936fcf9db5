//! What one answer has of the events.

use std::ops::Range;

use serde_json::{Value, json};
use telemetry::{KeptEntry, Position};

use super::LogsError;
use super::input::Input;

/// Most events of one answer.
const PAGE_EVENTS: u64 = 10_000;

/// Most bytes of them, each with so many on top, as AWS counts.
const PAGE_BYTES: usize = 1_024 * 1_024;
const EVENT_BYTES: usize = 26;

/// Bytes of the log that one call looks at.
pub(super) const WORK_BYTES: u64 = 16 * 1_024 * 1_024;

/// The events of one answer, in the order in which they were found.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) events: Vec<Value>,
    /// Where the first of them begins, and where it ends.
    pub(super) first: Option<Range<Position>>,
    most: usize,
    room: usize,
}

impl Page {
    /// An empty one for so many events.
    pub(super) fn new(most: usize) -> Self {
        Page { events: Vec::new(), first: None, most, room: PAGE_BYTES }
    }

    /// Whether there is room for an entry; for a first one there always is.
    pub(super) fn has_room_for(&self, entry: &KeptEntry<'_>) -> bool {
        let fits = entry.text.len() + EVENT_BYTES <= self.room;
        self.events.is_empty() || self.events.len() < self.most && fits
    }

    /// Adds an entry as an event with the members of GetLogEvents; `more` adds others.
    pub(super) fn add(&mut self, entry: &KeptEntry<'_>, more: impl FnOnce(&mut Value)) {
        self.room = self.room.saturating_sub(entry.text.len() + EVENT_BYTES);
        let start = entry.position;
        let end = start.offset + entry.text.len() as u64 + 1;
        self.first.get_or_insert(start..Position { offset: end, ..start });
        // An entry is taken in as it happens.
        let mut event = json!({
            "timestamp": entry.millis,
            "message": entry.text,
            "ingestionTime": entry.millis,
        });
        more(&mut event);
        self.events.push(event);
    }
}

/// The number of events that a call asks for at most.
pub(super) fn limit(input: &Input) -> Result<usize, LogsError> {
    let limit = input.number("limit", 1..=PAGE_EVENTS)?.unwrap_or(PAGE_EVENTS);
    Ok(usize::try_from(limit).unwrap_or(usize::MAX))
}

/// The times that a call asks for, in milliseconds since 1970; `inclusive` is whether those at its
/// end are among them.
pub(super) fn window(input: &Input, inclusive: bool) -> Result<Range<u64>, LogsError> {
    let times = 0..=u64::MAX >> 1;
    let start = input.number("startTime", times.clone())?.unwrap_or(0);
    let end = input.number("endTime", times)?;
    if end.is_some_and(|end| end < start) {
        return Err(LogsError::InvalidParameter(
            "startTime must not be later than endTime.".into(),
        ));
    }
    Ok(start..end.map_or(u64::MAX, |end| end + u64::from(inclusive)))
}
