//! The thread that writes a trail.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use store::{Durability, SYNC_EVERY, StoreError};

use super::segment::{self, Content};
use super::{Shared, TrailSettings, too_slow};
use crate::cause;

/// A file that is larger than this gets no more entries.
const FILE_BYTES: u64 = 8 * 1024 * 1024;

/// Into how many files at least the entries of one life are put, so that old ones can be removed.
const FILES_PER_LIFE: u32 = 4;

/// How long entries are gathered before they are given to the operating system.
const GATHER: Duration = Duration::from_millis(1);

/// A file that gets no more entries.
struct Closed {
    path: PathBuf,
    entries: usize,
    at: SystemTime,
}

/// The file that entries are appended to.
struct Open {
    file: File,
    path: PathBuf,
    entries: usize,
    bytes: u64,
    begun: Instant,
}

pub(super) struct Writer {
    folder: PathBuf,
    settings: TrailSettings,
    /// The oldest first.
    closed: VecDeque<Closed>,
    open: Option<Open>,
    next: u64,
    /// Since when something is not on the disk.
    unsynced: Option<Instant>,
}

impl Writer {
    /// Reads what is there and mends the end of the newest file.
    pub(super) fn open(
        folder: PathBuf,
        settings: TrailSettings,
        visit: &mut dyn FnMut(&[u8]),
    ) -> Result<Self, StoreError> {
        let failed = |error: &io::Error| StoreError::io("reading", &folder, error);
        fs::create_dir_all(&folder)
            .map_err(|error| StoreError::io("making the folder", &folder, &error))?;
        let files = files(&folder).map_err(|error| failed(&error))?;
        let next = files.last().map_or(1, |(number, _)| number + 1);
        let mut closed = VecDeque::new();
        let newest = files.len().saturating_sub(1);
        for (at, (_, path)) in files.into_iter().enumerate() {
            let torn = if at == newest { Torn::Mend } else { Torn::Refuse };
            closed.extend(take(&folder, path, settings.life, torn, visit)?);
        }
        Ok(Writer { folder, settings, closed, open: None, next, unsynced: None })
    }

    /// Writes what is appended until the trail is closed or fails.
    pub(super) fn run(mut self, shared: &Shared) {
        let mut bytes = Vec::new();
        loop {
            let (entries, ending, overflowed) = self.wait(shared, &mut bytes);
            let done = match overflowed {
                true => Err(too_slow(&self.folder)),
                false => self.write(&bytes, entries).and_then(|()| self.sync_if_due(ending)),
            };
            if let Err(error) = done {
                let mut waiting = shared.waiting.lock();
                waiting.closed = true;
                waiting.bytes = Vec::new();
                drop(waiting);
                (self.settings.failed)(error);
                return;
            }
            bytes.clear();
            if ending {
                return;
            }
        }
    }

    /// Takes what was appended: how many entries, whether they are the last, and whether there were
    /// too many.
    fn wait(&self, shared: &Shared, bytes: &mut Vec<u8>) -> (usize, bool, bool) {
        let due = self.unsynced.map(|since| since + SYNC_EVERY);
        let mut waiting = shared.waiting.lock();
        while waiting.bytes.is_empty() && !waiting.closed {
            match due {
                None => shared.news.wait(&mut waiting),
                Some(due) => {
                    if shared.news.wait_until(&mut waiting, due).timed_out() {
                        return (0, false, false);
                    }
                }
            }
        }
        if !waiting.closed && self.settings.durability == Durability::Batched {
            drop(waiting);
            thread::sleep(GATHER);
            waiting = shared.waiting.lock();
        }
        std::mem::swap(&mut waiting.bytes, bytes);
        let entries = std::mem::take(&mut waiting.entries);
        (entries, waiting.closed, waiting.overflowed)
    }

    fn write(&mut self, bytes: &[u8], entries: usize) -> Result<(), StoreError> {
        if bytes.is_empty() {
            return Ok(());
        }
        let open = match self.open.take() {
            Some(open) => open,
            None => self.begin()?,
        };
        let open = self.open.insert(open);
        open.file
            .write_all(bytes)
            .map_err(|error| StoreError::io("writing", &open.path, &error))?;
        open.entries += entries;
        open.bytes += bytes.len() as u64;
        let old = open.begun.elapsed() * FILES_PER_LIFE > self.settings.life;
        let full = open.bytes > FILE_BYTES;
        self.unsynced.get_or_insert_with(Instant::now);
        if old || full {
            self.end()?;
        }
        Ok(())
    }

    fn sync_if_due(&mut self, now: bool) -> Result<(), StoreError> {
        let due = match self.settings.durability {
            Durability::Always => true,
            Durability::Batched | Durability::Memory => {
                self.unsynced.is_some_and(|since| since.elapsed() >= SYNC_EVERY)
            }
        };
        if now || due { self.sync() } else { Ok(()) }
    }

    fn sync(&mut self) -> Result<(), StoreError> {
        if self.unsynced.take().is_none() {
            return Ok(());
        }
        let Some(open) = &self.open else { return Ok(()) };
        open.file.sync_data().map_err(|error| StoreError::io("syncing", &open.path, &error))
    }

    /// Begins a file.
    fn begin(&mut self) -> Result<Open, StoreError> {
        let path = self.folder.join(format!("{:08}.trail", self.next));
        self.next += 1;
        let making = |error: io::Error| StoreError::io("making", &path, &error);
        let file = segment::create(&path).map_err(making)?;
        File::open(&self.folder).and_then(|folder| folder.sync_all()).map_err(making)?;
        Ok(Open { file, path, entries: 0, bytes: 0, begun: Instant::now() })
    }

    /// Ends the newest file: older ones are on the disk as a whole before the next is begun.
    fn end(&mut self) -> Result<(), StoreError> {
        self.sync()?;
        if let Some(Open { path, entries, .. }) = self.open.take() {
            self.closed.push_back(Closed { path, entries, at: SystemTime::now() });
        }
        self.remove_old()
    }

    fn remove_old(&mut self) -> Result<(), StoreError> {
        let mut later: usize = self.closed.iter().map(|closed| closed.entries).sum();
        while let Some(oldest) = self.closed.front() {
            later -= oldest.entries;
            if later < self.settings.most && !is_over(oldest.at, self.settings.life) {
                break;
            }
            fs::remove_file(&oldest.path)
                .map_err(|error| StoreError::io("removing", &oldest.path, &error))?;
            self.closed.pop_front();
        }
        Ok(())
    }
}

/// What to do with a file whose end is not whole.
#[derive(Clone, Copy)]
enum Torn {
    Mend,
    Refuse,
}

/// Reads a file of an earlier process; none if nothing of it is of use.
fn take(
    folder: &Path,
    path: PathBuf,
    life: Duration,
    torn: Torn,
    visit: &mut dyn FnMut(&[u8]),
) -> Result<Option<Closed>, StoreError> {
    let read = |error: io::Error| StoreError::io("reading", &path, &error);
    let at = fs::metadata(&path).and_then(|metadata| metadata.modified()).map_err(read)?;
    if is_over(at, life) {
        fs::remove_file(&path).map_err(|error| StoreError::io("removing", &path, &error))?;
        return Ok(None);
    }
    let entries = match (segment::read(&path, visit).map_err(read)?, torn) {
        (Content::Whole(entries), _) => entries,
        (Content::Torn(entries, whole), Torn::Mend) => {
            segment::mend(&path, whole)
                .map_err(|error| StoreError::io("writing", &path, &error))?;
            if entries == 0 {
                return Ok(None);
            }
            entries
        }
        (Content::Torn(..), Torn::Refuse) => {
            return Err(cause::damaged_outcomes(folder, &path));
        }
        (Content::Foreign, _) => {
            return Err(cause::version(folder, "another version of Tenfour"));
        }
    };
    Ok(Some(Closed { path, entries, at }))
}

/// Whether something that was last touched then is of no use any more. A clock that was set back
/// makes nothing older.
fn is_over(at: SystemTime, life: Duration) -> bool {
    SystemTime::now().duration_since(at).is_ok_and(|age| age > life)
}

/// The files with their numbers, in order.
fn files(folder: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "trail") {
            let number = path.file_stem().and_then(|stem| stem.to_str()?.parse().ok());
            files.extend(number.map(|number| (number, path)));
        }
    }
    files.sort_unstable();
    Ok(files)
}
