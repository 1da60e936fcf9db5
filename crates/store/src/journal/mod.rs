//! Commits in groups.
//!
//! What is written while one commit runs makes up the next one. So a lone write is on the disk after
//! one commit's time, and many writers share one: the disk decides the size of the groups, not a
//! timer.

mod event;
mod failure;
mod pending;
mod together;
mod waiters;
mod writer;

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle, ThreadId};

use engine::Ticket;
use parking_lot::Mutex;

use crate::{Changes, Durability, Records, Sync};

use self::pending::Pending;
use self::waiters::{Standing, Waiters};
use self::writer::Writer;

pub use event::JournalEvent;
pub use failure::StoreFailed;
pub use together::Together;
pub use writer::SYNC_EVERY;

/// Takes changes from all threads and commits them in groups, in the order in which they were
/// written, on a thread of its own.
///
/// Dropping it closes it.
pub struct Journal {
    shared: Arc<Shared>,
    thread: ThreadId,
    running: Mutex<Option<JoinHandle<()>>>,
}

/// What callers and the journal's thread share.
#[derive(Default)]
struct Shared {
    pending: Pending,
    waiters: Waiters,
}

impl Journal {
    /// Starts the thread. `observer` is told on that thread what it does.
    ///
    /// # Errors
    /// The operating system has no thread to spare, or the durability is
    /// [`Durability::Memory`], which needs no journal.
    pub fn start(
        records: Arc<dyn Records>,
        durability: Durability,
        observer: Box<dyn Fn(JournalEvent) + Send + std::marker::Sync>,
    ) -> io::Result<Arc<Self>> {
        let sync = match durability {
            Durability::Always => Sync::Disk,
            Durability::Batched => Sync::System,
            Durability::Memory => {
                let sentence = "a journal writes to a store, which the durability `memory` has not";
                return Err(io::Error::new(io::ErrorKind::InvalidInput, sentence));
            }
        };
        let shared = Arc::new(Shared::default());
        let writer = Writer::new(Arc::clone(&shared), records, sync, observer);
        let running =
            thread::Builder::new().name("journal".to_owned()).spawn(move || writer.run())?;
        let thread = running.thread().id();
        Ok(Arc::new(Self { shared, thread, running: Mutex::new(Some(running)) }))
    }

    /// Adds the changes to what is committed next. Never waits for a disk, so nothing here bounds what
    /// is written faster than it can be committed: see [`Journal::pending_bytes`]. After a failure, and after
    /// [`Journal::close`], they are ignored and their ticket never becomes durable.
    pub fn write(&self, changes: &Changes) -> Ticket {
        self.shared.pending.add(changes)
    }

    /// Keeps everything that this thread writes, while the guard exists, in one commit. Guards may
    /// be nested, and many threads can have one at once. Hold it for as long as it takes to change
    /// memory, and not while waiting for anything but a lock: no commit begins meanwhile.
    pub fn together(&self) -> Together<'_> {
        self.shared.pending.together()
    }

    /// Whether a crash cannot take the write any more, as far as the durability promises.
    #[must_use]
    pub fn is_durable(&self, ticket: Ticket) -> bool {
        self.shared.pending.is_durable(ticket)
    }

    /// Calls `then` once the write is durable, or can never be. The calls are in the order of the
    /// tickets, mostly on the journal's thread; if nobody before it still has to be told and the
    /// answer is known, the caller calls it itself, at once. No lock of the journal is held
    /// meanwhile. It must not wait: the next commit waits for it.
    pub fn when_durable(
        &self,
        ticket: Ticket,
        then: impl FnOnce(Result<(), StoreFailed>) + Send + 'static,
    ) {
        let pending = &self.shared.pending;
        let standing = || {
            if pending.is_durable(ticket) {
                return Standing::Durable;
            }
            match pending.failure() {
                Some(failure) => Standing::Failed(StoreFailed::clone(failure)),
                None if ticket == Ticket::NEVER => Standing::Failed(StoreFailed::closed()),
                None => Standing::Pending,
            }
        };
        self.shared.waiters.wait(ticket, standing, then);
    }

    /// Why nothing becomes durable any more, from the first commit on that failed.
    #[must_use]
    pub fn failure(&self) -> Option<Arc<StoreFailed>> {
        self.shared.pending.failure().cloned()
    }

    /// Bytes of keys and values that were written and are not committed yet: what to slow down by.
    #[must_use]
    pub fn pending_bytes(&self) -> usize {
        self.shared.pending.bytes()
    }

    /// Commits what was written, brings it to the disk and ends the thread; everybody who waits is
    /// told before it returns. Later writes are ignored. The store stays open: closing it is up to
    /// whoever opened it. Called by a waiter or the observer, on the journal's own thread, it only
    /// asks for that.
    pub fn close(&self) {
        self.shared.pending.close();
        if thread::current().id() == self.thread {
            return;
        }
        // Whoever closes at the same time waits here.
        let mut running = self.running.lock();
        if let Some(thread) = running.take() {
            thread.join().expect("the journal's thread catches the panics of what it calls");
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.close();
    }
}

#[cfg(test)]
mod tests;
