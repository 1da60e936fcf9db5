//! FilterLogEvents.

use std::ops::Range;

use serde_json::{Value, json};
use telemetry::{Direction, LogRing, Position, Walk};

use super::LogsError;
use super::group::{NAME_CHARACTERS, Owner};
use super::input::Input;
use super::page::{Page, WORK_BYTES, limit, window};
use super::pattern::{PATTERN_CHARACTERS, Pattern};
use super::token;

/// A call, checked.
#[derive(Debug)]
pub(super) struct FilterLogEvents {
    streams: Streams,
    window: Range<u64>,
    pattern: Pattern,
    from: Option<Position>,
    direction: Direction,
    limit: usize,
}

/// Which streams are searched.
#[derive(Debug)]
enum Streams {
    All,
    Named(Vec<String>),
    Beginning(String),
}

impl FilterLogEvents {
    pub(super) fn parse(input: &Input) -> Result<Self, LogsError> {
        input.exclude("logStreamNames", "logStreamNamePrefix")?;
        let names = input.texts("logStreamNames", 1..=100, &NAME_CHARACTERS)?;
        let prefix = input.text("logStreamNamePrefix", NAME_CHARACTERS)?;
        let streams = match (names, prefix) {
            (Some(names), _) => Streams::Named(names.into_iter().map(str::to_owned).collect()),
            (None, Some(prefix)) => Streams::Beginning(prefix.to_owned()),
            (None, None) => Streams::All,
        };
        let pattern = input.text("filterPattern", 0..=PATTERN_CHARACTERS)?.unwrap_or("");
        let pattern = Pattern::parse(pattern)
            .map_err(|error| LogsError::InvalidParameter(error.to_string()))?;
        // Events of all streams come in the order of their times, whether that is asked for or not.
        input.boolean("interleaved")?;
        let from_head = input.boolean("startFromHead")?.unwrap_or(true);
        let token = input.text("nextToken", token::CHARACTERS)?;
        // The direction of the first call is that of all.
        let (direction, from) = match token.map(token::parse_of_filter).transpose()? {
            Some((direction, from)) => (direction, Some(from)),
            None if from_head => (Direction::Forward, None),
            None => (Direction::Backward, None),
        };
        Ok(FilterLogEvents {
            streams,
            window: window(input, true)?,
            pattern,
            from,
            direction,
            limit: limit(input)?,
        })
    }

    /// The events that are wanted, as far as one call gets: a token says that there may be more.
    pub(super) fn answer(&self, ring: &LogRing, owner: &Owner) -> Result<Value, LogsError> {
        if let Streams::Named(names) = &self.streams {
            let known: Vec<_> = ring.days().iter().map(|day| owner.stream(&day.day)).collect();
            if !names.iter().all(|name| known.contains(name)) {
                return Err(LogsError::NotFound("The specified log stream does not exist."));
            }
        }
        let of_day = |day: &str| self.searches(&owner.stream(day));
        let walk = Walk {
            from: self.from,
            direction: self.direction,
            of_day: &of_day,
            window: self.window.clone(),
            bytes: WORK_BYTES,
        };
        let mut page = Page::new(self.limit);
        let walked = ring.walk(&walk, &mut |entry| {
            if !self.pattern.matches(entry.text) {
                return true;
            }
            let has_room = page.has_room_for(entry);
            if has_room {
                page.add(entry, |event| {
                    event["logStreamName"] = owner.stream(entry.day).into();
                    event["eventId"] = token::event_id(entry.position).into();
                });
            }
            has_room
        });
        let walked = walked.map_err(LogsError::unread)?;
        let mut answer = json!({ "events": page.events, "searchedLogStreams": [] });
        if let (false, Some(next)) = (walked.ended, walked.next) {
            answer["nextToken"] = token::of_filter(self.direction, next).into();
        }
        Ok(answer)
    }

    fn searches(&self, stream: &str) -> bool {
        match &self.streams {
            Streams::All => true,
            Streams::Named(names) => names.iter().any(|name| name == stream),
            Streams::Beginning(prefix) => stream.starts_with(prefix.as_str()),
        }
    }
}
