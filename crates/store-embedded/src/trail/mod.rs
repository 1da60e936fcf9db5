//! Entries in files that are only appended to and removed as a whole.
//!
//! The folder `outcomes` holds files that are numbered in the order in which they were begun. A file
//! begins with a magic number and the version of the format; then come the entries, each behind its
//! length and a digest. Only the end of the newest file may be torn; it is cut off when the trail
//! is opened. A new file is begun when the newest is large or old, and the oldest is removed once
//! none of its entries is of use.

mod segment;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use store::{Durability, StoreError, Trail, Trouble};

use self::writer::Writer;

/// How many bytes may wait to be written. A disk that is so far behind is taken for a broken one.
const WAITING_BYTES: usize = 64 * 1024 * 1024;

/// How an [`EmbeddedTrail`] is kept.
pub struct TrailSettings {
    /// How safely entries are written.
    pub durability: Durability,
    /// How long an entry is of use.
    pub life: Duration,
    /// How many entries are of use at most: the newest.
    pub most: usize,
    /// Called once, on a thread of its own, when nothing more can be written.
    pub failed: Box<dyn Fn(StoreError) + Send>,
}

/// A [`Trail`] in a folder.
pub struct EmbeddedTrail {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// What those who append and the thread that writes have in common.
struct Shared {
    waiting: Mutex<Waiting>,
    news: Condvar,
}

/// What was appended and is not written yet.
#[derive(Default)]
struct Waiting {
    bytes: Vec<u8>,
    entries: usize,
    /// Nothing is taken any more.
    closed: bool,
    /// The disk is too far behind.
    overflowed: bool,
}

impl EmbeddedTrail {
    /// Opens the trail in a folder, which is made if it does not exist, and visits the entries that
    /// are still there, in their order.
    ///
    /// # Errors
    /// One sentence with the folder, the cause and what to do.
    pub(crate) fn open(
        folder: PathBuf,
        settings: TrailSettings,
        visit: &mut dyn FnMut(&[u8]),
    ) -> Result<Self, StoreError> {
        let writer = Writer::open(folder.clone(), settings, visit)?;
        let shared = Arc::new(Shared { waiting: Mutex::default(), news: Condvar::new() });
        let thread = thread::Builder::new().name("trail".into()).spawn({
            let shared = Arc::clone(&shared);
            move || writer.run(&shared)
        });
        let thread =
            thread.map_err(|error| StoreError::io("starting a thread for", &folder, &error))?;
        Ok(EmbeddedTrail { shared, thread: Mutex::new(Some(thread)) })
    }
}

impl Trail for EmbeddedTrail {
    fn append(&self, entry: &[u8]) {
        let mut waiting = self.shared.waiting.lock();
        if waiting.closed {
            return;
        }
        if waiting.bytes.len() > WAITING_BYTES {
            waiting.closed = true;
            waiting.overflowed = true;
            self.shared.news.notify_one();
            return;
        }
        let first = waiting.bytes.is_empty();
        segment::frame(entry, &mut waiting.bytes);
        waiting.entries += 1;
        if first {
            self.shared.news.notify_one();
        }
    }

    fn close(&self) {
        self.shared.waiting.lock().closed = true;
        self.shared.news.notify_one();
        if let Some(thread) = self.thread.lock().take() {
            // A panic there was reported by its own message.
            let _ = thread.join();
        }
    }
}

impl Drop for EmbeddedTrail {
    fn drop(&mut self) {
        self.close();
    }
}

fn too_slow(folder: &Path) -> StoreError {
    let sentence = format!(
        "writing to {} is slower than what has to be written; use a faster disk, then start again",
        folder.display()
    );
    StoreError::new(Trouble::Io, sentence)
}

#[cfg(test)]
mod tests;
