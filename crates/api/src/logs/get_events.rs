//! GetLogEvents.

use std::ops::Range;

use serde_json::{Value, json};
use telemetry::{Direction, LogRing, Position, Walk};

use super::LogsError;
use super::group::{NAME_CHARACTERS, Owner};
use super::input::Input;
use super::page::{Page, WORK_BYTES, limit, window};
use super::token;

/// A call, checked.
#[derive(Debug)]
pub(super) struct GetLogEvents {
    pub(super) stream: String,
    window: Range<u64>,
    from: Option<Position>,
    direction: Direction,
    limit: usize,
}

impl GetLogEvents {
    pub(super) fn parse(input: &Input) -> Result<Self, LogsError> {
        let stream = input
            .text("logStreamName", NAME_CHARACTERS)?
            .ok_or_else(|| LogsError::InvalidParameter("logStreamName must be given.".into()))?;
        let from_head = input.boolean("startFromHead")?.unwrap_or(false);
        let token = input.text("nextToken", token::CHARACTERS)?;
        // A token knows its direction.
        let (direction, from) = match token.map(token::parse_of_stream).transpose()? {
            Some((direction, from)) => (direction, Some(from)),
            None if from_head => (Direction::Forward, None),
            None => (Direction::Backward, None),
        };
        Ok(GetLogEvents {
            stream: stream.to_owned(),
            window: window(input, false)?,
            from,
            direction,
            limit: limit(input)?,
        })
    }

    /// The events of a page, oldest first, whichever way the pages follow each other.
    pub(super) fn answer(&self, ring: &LogRing, owner: &Owner) -> Result<Value, LogsError> {
        let days = ring.days();
        let day = days.iter().find(|day| owner.stream(&day.day) == self.stream);
        let day = &*day.ok_or(LogsError::NotFound("The specified log stream does not exist."))?.day;
        let of_day = |other: &str| other == day;
        let walk = Walk {
            from: self.from,
            direction: self.direction,
            of_day: &of_day,
            window: self.window.clone(),
            bytes: WORK_BYTES,
        };
        let end = ring.end_of(day);
        let mut page = Page::new(self.limit);
        let walked = ring.walk(&walk, &mut |entry| {
            let has_room = page.has_room_for(entry);
            if has_room {
                page.add(entry, |_| {});
            }
            has_room
        });
        let next = walked.map_err(LogsError::unread)?.next;
        let next = next.or(self.from).unwrap_or(Position { segment: 0, offset: 0 });
        let Page { mut events, first, .. } = page;
        let (forward, backward) = match self.direction {
            Direction::Forward => {
                (next, first.map(|first| first.start).or(self.from).unwrap_or(next))
            }
            Direction::Backward => {
                events.reverse();
                (first.map(|first| first.end).or(self.from).or(end).unwrap_or(next), next)
            }
        };
        Ok(json!({
            "events": events,
            "nextForwardToken": token::of_stream(Direction::Forward, forward),
            "nextBackwardToken": token::of_stream(Direction::Backward, backward),
        }))
    }
}
