//! Entries one after the other.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use super::segment::Segment;
use crate::timestamp;

/// A place between two entries. Places are in the order of the entries, and stay what they are for
/// as long as these are kept, also in the next process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The number of the segment.
    pub segment: u64,
    /// Bytes of it that stand before.
    pub offset: u64,
}

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Oldest first.
    Forward,
    /// Newest first.
    Backward,
}

/// Which entries are visited.
pub struct Walk<'a> {
    /// Where to begin; at the first entry, or the last, if nowhere.
    pub from: Option<Position>,
    /// Which way.
    pub direction: Direction,
    /// Of which days.
    pub of_day: &'a dyn Fn(&str) -> bool,
    /// Of which times, in milliseconds since 1970.
    pub window: Range<u64>,
    /// How many bytes of segments are looked at; at least one entry is.
    pub bytes: u64,
}

/// An entry that is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeptEntry<'a> {
    /// Where it begins.
    pub position: Position,
    /// Its day, such as `2026-11-26`, in UTC.
    pub day: &'a Arc<str>,
    /// Its time, in milliseconds since 1970.
    pub millis: u64,
    /// The JSON object, without a line end.
    pub text: &'a str,
}

/// Where a walk ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Walked {
    /// Where the next one begins; none if there was nothing at all to walk over.
    pub next: Option<Position>,
    /// Whether there is nothing more in this direction at present.
    pub ended: bool,
}

/// What was left of a segment.
enum Left {
    Nothing,
    /// Something, from there on.
    From(u64),
}

pub(super) fn walk(
    walk: &Walk<'_>,
    segments: &[Segment],
    visit: &mut dyn FnMut(&KeptEntry<'_>) -> bool,
) -> io::Result<Walked> {
    let mut budget = walk.bytes;
    let mut next = walk.from;
    let mut step = |segment: &Segment| -> io::Result<Option<Walked>> {
        let part = walk.part(segment);
        let end = match walk.direction {
            Direction::Forward => part.end,
            Direction::Backward => part.start,
        };
        let left = match part.is_empty() || !segment.meets(&walk.window) {
            true => Left::Nothing,
            false => walk.over(segment, part, &mut budget, visit)?,
        };
        let position = |offset| Some(Position { segment: segment.number, offset });
        match left {
            Left::Nothing => next = position(end),
            Left::From(offset) => {
                return Ok(Some(Walked { next: position(offset), ended: false }));
            }
        }
        Ok(None)
    };
    let of_day = segments.iter().filter(|segment| (walk.of_day)(&segment.day));
    let reached = of_day.filter(|segment| walk.reaches(segment.number));
    let mut stopped = None;
    match walk.direction {
        Direction::Forward => {
            for segment in reached {
                stopped = step(segment)?;
                if stopped.is_some() {
                    break;
                }
            }
        }
        Direction::Backward => {
            for segment in reached.rev() {
                stopped = step(segment)?;
                if stopped.is_some() {
                    break;
                }
            }
        }
    }
    Ok(stopped.unwrap_or(Walked { next, ended: true }))
}

impl Walk<'_> {
    /// Whether anything of that segment lies in the way.
    fn reaches(&self, number: u64) -> bool {
        self.from.is_none_or(|from| match self.direction {
            Direction::Forward => number >= from.segment,
            Direction::Backward => number <= from.segment,
        })
    }

    /// What of a segment lies in the way.
    fn part(&self, segment: &Segment) -> Range<u64> {
        let from = self.from.filter(|from| from.segment == segment.number);
        match (from, self.direction) {
            (None, _) => 0..segment.bytes,
            (Some(from), Direction::Forward) => from.offset.min(segment.bytes)..segment.bytes,
            (Some(from), Direction::Backward) => 0..from.offset.min(segment.bytes),
        }
    }

    fn over(
        &self,
        segment: &Segment,
        part: Range<u64>,
        budget: &mut u64,
        visit: &mut dyn FnMut(&KeptEntry<'_>) -> bool,
    ) -> io::Result<Left> {
        let bytes = segment.read(part.clone())?;
        let mut rest = Lines { bytes: &bytes, at: 0..bytes.len() };
        while let Some(line) = rest.next(self.direction) {
            let offset = |at: usize| part.start + at as u64;
            // Where this line is begun again, if it is not dealt with now.
            let again = match self.direction {
                Direction::Forward => offset(line.start),
                Direction::Backward => offset(line.end),
            };
            if *budget == 0 {
                return Ok(Left::From(again));
            }
            *budget = budget.saturating_sub(line.len() as u64);
            let position = Position { segment: segment.number, offset: offset(line.start) };
            let entry = entry(&bytes[line], position, &segment.day);
            let entry = entry.filter(|entry| self.window.contains(&entry.millis));
            if entry.is_some_and(|entry| !visit(&entry)) {
                return Ok(Left::From(again));
            }
        }
        Ok(Left::Nothing)
    }
}

/// Lines, from either end.
struct Lines<'a> {
    bytes: &'a [u8],
    /// Those that are left.
    at: Range<usize>,
}

impl Lines<'_> {
    /// The next line, with its line end. Backward, what follows the last line end is none.
    fn next(&mut self, direction: Direction) -> Option<Range<usize>> {
        let rest = &self.bytes[self.at.clone()];
        match direction {
            Direction::Forward => {
                let end = self.at.start + memchr::memchr(b'\n', rest)? + 1;
                let line = self.at.start..end;
                self.at.start = end;
                Some(line)
            }
            Direction::Backward => {
                let end = memchr::memrchr(b'\n', rest)?;
                let start = memchr::memrchr(b'\n', &rest[..end]).map_or(0, |before| before + 1);
                self.at.end = self.at.start + start;
                Some(self.at.start + start..self.at.start + end + 1)
            }
        }
    }
}

/// The entry of a line; none if it is not whole.
fn entry<'a>(line: &'a [u8], position: Position, day: &'a Arc<str>) -> Option<KeptEntry<'a>> {
    let (_, millis) = timestamp::read(line)?;
    let text = std::str::from_utf8(line.strip_suffix(b"\n")?).ok()?;
    text.ends_with('}').then_some(KeptEntry { position, day, millis, text })
}
