//! The entries of late, kept to be read back.
//!
//! The thread that writes the log gives the same bytes to the ring, which keeps them in segments:
//! files of whole lines in a folder of their own, or memory. A segment is begun when the newest is
//! large, when a day begins (UTC), and when the clock was set back, so that all entries of a segment
//! are of one day and in their order but for [`SLACK_MILLIS`]. The oldest segment goes when all together
//! are larger than they may be, or when its last entry is older than it may be.
//!
//! Nothing is synced: what a power failure costs is the last seconds. What is not a whole entry is
//! passed over by readers, wherever it stands, and cut off at the end of a file that is continued.

mod segment;
mod shelf;
#[cfg(test)]
mod tests;
mod walk;

use std::io;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;

pub use self::shelf::LogDay;
use self::shelf::Shelf;
pub use self::walk::{Direction, KeptEntry, Position, Walk, Walked};

/// Entries are put together by several threads, so one may overtake another by less than this.
const SLACK_MILLIS: u64 = 1_000;

/// How much is kept, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RingSettings {
    /// Where.
    pub place: RingPlace,
    /// The most bytes of entries.
    pub bytes: u64,
    /// How long an entry is kept at least, if there is room; it goes with the others of its segment.
    pub age: Duration,
}

/// Where entries are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RingPlace {
    /// In files in a folder, which is made if it does not exist.
    Folder(PathBuf),
    /// In memory: they end with the process.
    Memory,
}

/// The entries of late. One thread appends; any may read, which never keeps that one waiting for
/// longer than to copy a segment in memory.
pub struct LogRing {
    settings: RingSettings,
    /// Held for moments only, never while a file is read or written to.
    shelf: Mutex<Shelf>,
    /// What the one who appends keeps to itself.
    pen: Mutex<segment::Pen>,
}

impl LogRing {
    /// Finds what an earlier process kept.
    ///
    /// # Errors
    /// The folder cannot be made or read.
    pub(crate) fn open(settings: RingSettings) -> io::Result<Self> {
        let found = match &settings.place {
            RingPlace::Folder(folder) => segment::find(folder)?,
            RingPlace::Memory => Vec::new(),
        };
        let ring =
            LogRing { shelf: Mutex::new(Shelf::new(found)), pen: Mutex::default(), settings };
        ring.forget_old();
        Ok(ring)
    }

    /// Whole lines, to be kept. Of what cannot be written nothing is kept.
    ///
    /// # Errors
    /// How many lines were not kept, and why.
    pub(crate) fn append(&self, mut lines: &[u8]) -> Result<(), (u64, io::Error)> {
        let mut pen = self.pen.lock();
        while !lines.is_empty() {
            let run = pen.run(lines, self.segment_bytes());
            if let Err(error) = self.write(&mut pen, &run) {
                pen.put_down();
                return Err((memchr::memchr_iter(b'\n', lines).count() as u64, error));
            }
            lines = &lines[run.bytes.len()..];
        }
        drop(pen);
        self.forget_old();
        Ok(())
    }

    fn write(&self, pen: &mut segment::Pen, run: &segment::Run<'_>) -> io::Result<()> {
        if !run.continues {
            let first = !pen.is_in_use();
            pen.put_down();
            let mut shelf = self.shelf.lock();
            let newest = shelf.newest().filter(|newest| first && newest.takes(run));
            let taken = newest.filter(|newest| newest.bytes + run.len() <= self.segment_bytes());
            let taken = taken.cloned();
            if taken.is_none() {
                shelf.make_room(self.settings.bytes.saturating_sub(self.segment_bytes()));
            }
            let next = shelf.next_number();
            drop(shelf);
            match taken {
                Some(newest) => pen.resume(&newest)?,
                None => {
                    let begun = pen.begin(&self.settings.place, next, run)?;
                    self.shelf.lock().add(begun);
                }
            }
        }
        pen.write(run)?;
        self.shelf.lock().grow(run);
        Ok(())
    }

    /// The days of which entries are kept, in their order.
    pub fn days(&self) -> Vec<LogDay> {
        self.forget_old();
        self.shelf.lock().days()
    }

    /// Where the last entry of a day ends.
    pub fn end_of(&self, day: &str) -> Option<Position> {
        let shelf = self.shelf.lock();
        let last = shelf.segments().into_iter().rfind(|segment| *segment.day == *day)?;
        Some(Position { segment: last.number, offset: last.bytes })
    }

    /// Visits entries until `visit` does not take one. Reads files: not for a thread that serves.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn walk(
        &self,
        walk: &Walk<'_>,
        visit: &mut dyn FnMut(&KeptEntry<'_>) -> bool,
    ) -> io::Result<Walked> {
        self.forget_old();
        let segments = self.shelf.lock().segments();
        walk::walk(walk, &segments, visit)
    }

    /// How long an entry is kept at least, if there is room.
    pub fn age(&self) -> Duration {
        self.settings.age
    }

    fn forget_old(&self) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let until = now.saturating_sub(self.settings.age);
        let until = u64::try_from(until.as_millis()).unwrap_or(u64::MAX);
        self.shelf.lock().forget(until);
    }

    /// A segment is a small part of the whole, since it goes as a whole; and what is read at once.
    fn segment_bytes(&self) -> u64 {
        const PARTS: u64 = 64;
        (self.settings.bytes / PARTS).clamp(16 * 1024, 4 * 1024 * 1024)
    }
}
