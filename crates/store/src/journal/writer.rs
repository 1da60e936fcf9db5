//! The journal's thread.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::{Changes, Records, StoreError, Sync};

use super::event::JournalEvent;
use super::failure::StoreFailed;
use super::pending::Work;
use engine::Ticket;

use super::Shared;

/// With [`Durability::Batched`](crate::Durability::Batched), how long something committed is with the
/// operating system only, if the disk keeps up.
pub const SYNC_EVERY: Duration = Duration::from_millis(100);

/// A buffer that one large group needed is not kept for the small ones.
const KEPT_BUFFER_BYTES: usize = 8 * 1024 * 1024;

/// Cuts groups and commits them until the journal closes or a commit fails.
pub(super) struct Writer {
    shared: Arc<Shared>,
    records: Arc<dyn Records>,
    sync: Sync,
    observer: Box<dyn Fn(JournalEvent) + Send + std::marker::Sync>,
    /// When what is only with the operating system has to go to the disk.
    sync_due: Option<Instant>,
}

impl Writer {
    pub(super) fn new(
        shared: Arc<Shared>,
        records: Arc<dyn Records>,
        sync: Sync,
        observer: Box<dyn Fn(JournalEvent) + Send + std::marker::Sync>,
    ) -> Self {
        Self { shared, records, sync, observer, sync_due: None }
    }

    /// The thread's life.
    pub(super) fn run(mut self) {
        let Err(failure) = self.serve() else { return };
        let sentence = failure.sentence().to_owned();
        self.shared.pending.fail(failure.clone());
        self.shared.waiters.fail(&failure);
        self.observe(JournalEvent::Failed { sentence });
    }

    fn serve(&mut self) -> Result<(), StoreFailed> {
        let mut buffer = Changes::new();
        loop {
            match self.shared.pending.wait(self.sync_due) {
                Work::Commit => self.commit(&mut buffer)?,
                Work::Nothing => {}
                Work::Close => return self.sync_if_due_by(None),
            }
            self.sync_if_due_by(Some(Instant::now()))?;
        }
    }

    /// Commits the group that is there, and tells those who waited for it.
    fn commit(&mut self, buffer: &mut Changes) -> Result<(), StoreFailed> {
        let last = self.shared.pending.cut(buffer);
        let written_bytes = buffer.bytes();
        buffer.coalesce();
        let began = Instant::now();
        // All of it may have been deleted before it had to be written.
        if !buffer.is_empty() {
            guarded(|| self.records.commit(buffer, self.sync))?;
            if self.sync == Sync::System {
                self.sync_due.get_or_insert(began + SYNC_EVERY);
            }
        }
        let micros = micros_since(began);
        self.settle(last, written_bytes);
        let (changes, bytes) = (buffer.len(), buffer.bytes());
        self.observe(JournalEvent::Committed { changes, bytes, micros });
        buffer.clear();
        if buffer.capacity() > KEPT_BUFFER_BYTES {
            *buffer = Changes::new();
        }
        Ok(())
    }

    fn settle(&self, last: Ticket, written_bytes: usize) {
        self.shared.pending.committed(last, written_bytes);
        self.shared.waiters.tell(last);
    }

    /// Brings to the disk what had to be there by now, or, without a moment, what is not there.
    fn sync_if_due_by(&mut self, now: Option<Instant>) -> Result<(), StoreFailed> {
        let Some(due) = self.sync_due else { return Ok(()) };
        if now.is_some_and(|now| now < due) {
            return Ok(());
        }
        let began = Instant::now();
        guarded(|| self.records.sync())?;
        self.sync_due = None;
        self.observe(JournalEvent::Synced { micros: micros_since(began) });
        Ok(())
    }

    /// An observer that panics takes no durability away.
    fn observe(&self, event: JournalEvent) {
        drop(catch_unwind(AssertUnwindSafe(|| (self.observer)(event))));
    }
}

/// A store that panics has failed: whoever waits has to be told.
fn guarded(work: impl FnOnce() -> Result<(), StoreError>) -> Result<(), StoreFailed> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result.map_err(|error| StoreFailed::new(&error)),
        Err(panic) => Err(StoreFailed::panicked(message(&*panic))),
    }
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic")
}

fn micros_since(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX)
}
