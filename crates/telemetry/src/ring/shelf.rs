//! The segments of a ring, oldest first.

use std::collections::VecDeque;
use std::sync::Arc;

use super::segment::{Run, Segment};

/// Many starts make many small segments; beyond so many the oldest goes.
const SEGMENTS: usize = 1_024;

#[derive(Debug)]
pub(super) struct Shelf {
    segments: VecDeque<Segment>,
    next: u64,
}

/// A day of which entries are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogDay {
    /// Such as `2026-11-26`, in UTC.
    pub day: Arc<str>,
    /// The time of its first entry that is kept, in milliseconds since 1970.
    pub first_millis: u64,
    /// The time of its last entry.
    pub last_millis: u64,
    /// Bytes of its entries.
    pub bytes: u64,
}

impl Shelf {
    /// Of segments in the order of their numbers.
    pub(super) fn new(found: Vec<Segment>) -> Self {
        let next = found.last().map_or(1, |segment| segment.number + 1);
        Shelf { segments: found.into(), next }
    }

    pub(super) fn newest(&self) -> Option<&Segment> {
        self.segments.back()
    }

    pub(super) fn next_number(&self) -> u64 {
        self.next
    }

    pub(super) fn add(&mut self, segment: Segment) {
        self.next = segment.number + 1;
        self.segments.push_back(segment);
    }

    /// The newest segment has these lines as well.
    pub(super) fn grow(&mut self, run: &Run<'_>) {
        let Some(newest) = self.segments.back_mut() else { return };
        newest.bytes += run.len();
        newest.millis = (newest.millis.0.min(run.millis.0), newest.millis.1.max(run.millis.1));
    }

    /// Drops the oldest until the others are no larger than that.
    pub(super) fn make_room(&mut self, bytes: u64) {
        let mut total: u64 = self.segments.iter().map(|segment| segment.bytes).sum();
        while total > bytes || self.segments.len() >= SEGMENTS {
            let Some(oldest) = self.segments.pop_front() else { return };
            total -= oldest.bytes;
            oldest.remove();
        }
    }

    /// Drops those whose last entries are before that time, wherever they stand: the clock may have
    /// been set back. The newest stays, since it may be being written.
    pub(super) fn forget(&mut self, until_millis: u64) {
        let Some(newest) = self.segments.pop_back() else { return };
        let is_old = |segment: &Segment| segment.millis.1 < until_millis;
        let (old, kept): (VecDeque<_>, _) = self.segments.drain(..).partition(is_old);
        self.segments = kept;
        self.segments.push_back(newest);
        old.into_iter().for_each(Segment::remove);
    }

    pub(super) fn segments(&self) -> Vec<Segment> {
        self.segments.iter().cloned().collect()
    }

    /// A day may have gone and come again, when the clock was set back.
    pub(super) fn days(&self) -> Vec<LogDay> {
        let mut days: Vec<LogDay> = Vec::new();
        for segment in &self.segments {
            let (first, last) = segment.millis;
            match days.iter_mut().find(|known| known.day == segment.day) {
                Some(known) => {
                    known.first_millis = known.first_millis.min(first);
                    known.last_millis = known.last_millis.max(last);
                    known.bytes += segment.bytes;
                }
                None => days.push(LogDay {
                    day: Arc::clone(&segment.day),
                    first_millis: first,
                    last_millis: last,
                    bytes: segment.bytes,
                }),
            }
        }
        days.sort_unstable_by(|one, other| one.day.cmp(&other.day));
        days
    }
}
