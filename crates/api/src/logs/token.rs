//! Event IDs and tokens: places in the log, as text. Nothing is kept on the server for them.

use std::ops::RangeInclusive;

use telemetry::{Direction, Position};

use super::LogsError;
use crate::ops::page_token;

/// None of ours is longer.
pub(super) const CHARACTERS: RangeInclusive<usize> = 1..=2_048;

/// Digits of an event ID, as many as AWS's have.
const DIGITS: usize = 56;
const SEGMENT_DIGITS: usize = 20;

/// The ID of the event that begins there.
pub(super) fn event_id(position: Position) -> String {
    let Position { segment, offset } = position;
    format!("{segment:020}{offset:036}")
}

/// The token of GetLogEvents for what follows a place in a direction.
pub(super) fn of_stream(direction: Direction, position: Position) -> String {
    let letter = match direction {
        Direction::Forward => 'f',
        Direction::Backward => 'b',
    };
    format!("{letter}/{}/s", event_id(position))
}

/// The reverse of [`of_stream`].
pub(super) fn parse_of_stream(token: &str) -> Result<(Direction, Position), LogsError> {
    let parse = || {
        let (letter, rest) = token.split_once('/')?;
        let direction = match letter {
            "f" => Direction::Forward,
            "b" => Direction::Backward,
            _ => return None,
        };
        let digits = rest.strip_suffix("/s")?;
        if digits.len() != DIGITS || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let (segment, offset) = digits.split_at(SEGMENT_DIGITS);
        let position = Position { segment: segment.parse().ok()?, offset: offset.parse().ok()? };
        Some((direction, position))
    };
    parse().ok_or_else(invalid)
}

/// The token of FilterLogEvents for what follows a place in a direction.
pub(super) fn of_filter(direction: Direction, position: Position) -> String {
    page_token::encode(&of_stream(direction, position))
}

/// The reverse of [`of_filter`].
pub(super) fn parse_of_filter(token: &str) -> Result<(Direction, Position), LogsError> {
    parse_of_stream(&page_token::decode(token).ok_or_else(invalid)?)
}

/// A token that is none of ours.
pub(super) fn invalid() -> LogsError {
    LogsError::InvalidParameter(
        "The specified nextToken is invalid; give it as it came, or leave it out.".into(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACES: [Position; 3] = [
        Position { segment: 0, offset: 0 },
        Position { segment: 17, offset: 123_456 },
        Position { segment: u64::MAX, offset: u64::MAX },
    ];

    #[test]
    fn a_token_gives_its_place_back() {
        for position in PLACES {
            assert_eq!(event_id(position).len(), DIGITS);
            for direction in [Direction::Forward, Direction::Backward] {
                let place = (direction, position);
                assert_eq!(parse_of_stream(&of_stream(direction, position)), Ok(place));
                assert_eq!(parse_of_filter(&of_filter(direction, position)), Ok(place));
            }
        }
        assert!(event_id(PLACES[0]) < event_id(PLACES[1]), "IDs are in the order of the events");
    }

    #[test]
    fn what_is_no_token_is_refused() {
        let token = of_stream(Direction::Forward, PLACES[1]);
        let beyond = token.replacen('0', "9", 1);
        for other in ["", "f", "f/1/s", "x", &token[1..], &token[..50], &beyond, "ü/1/s"] {
            assert_eq!(parse_of_stream(other), Err(invalid()), "{other}");
            assert_eq!(parse_of_filter(other), Err(invalid()), "{other}");
        }
        assert_eq!(parse_of_filter(&token), Err(invalid()), "that of another operation");
    }
}
