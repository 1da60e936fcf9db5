//! The IDs of events.

use std::fmt;

/// A place in the order of events: behind the event of that number. Numbers of two runs have nothing
/// to do with each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    pub(super) run: u64,
    pub(super) number: u64,
}

/// From where on a reader wants to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Since {
    /// What happens from now on.
    Now,
    /// What happened after that.
    Event(Position),
    /// What happened after something that nobody knows any more.
    Unknown,
}

impl Since {
    /// From the header `Last-Event-ID`, if there is one.
    pub(crate) fn parse(last_event_id: Option<&[u8]>) -> Self {
        let Some(text) = last_event_id.filter(|text| !text.is_empty()) else { return Since::Now };
        let position = std::str::from_utf8(text).ok().and_then(Position::parse);
        position.map_or(Since::Unknown, Since::Event)
    }
}

impl Position {
    /// Reads what [`fmt::Display`] writes; none of anything else.
    fn parse(text: &str) -> Option<Self> {
        let (run, number) = text.split_once('-')?;
        let position =
            Position { run: u64::from_str_radix(run, 16).ok()?, number: number.parse().ok()? };
        (position.to_string() == text).then_some(position)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}-{}", self.run, self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_can_be_read_and_nothing_else() {
        let position = Position { run: u64::MAX - 1, number: 12 };
        assert_eq!(Position::parse(&position.to_string()), Some(position));
        for text in ["", "-", "1-1", "00000000000000ff-+1", "00000000000000ff-01", "7", "x-7"] {
            assert_eq!(Position::parse(text), None, "{text}");
        }
        let id = position.to_string();
        assert_eq!(Since::parse(Some(id.as_bytes())), Since::Event(position));
        assert_eq!(Since::parse(Some(b"\xff")), Since::Unknown);
        assert_eq!((Since::parse(None), Since::parse(Some(b""))), (Since::Now, Since::Now));
    }
}
