//! What is written and not yet committed.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use parking_lot::{Condvar, Mutex};

use crate::Changes;

use super::failure::StoreFailed;
use super::together::{Boundary, Together};
use engine::Ticket;

/// The group that grows, and how far the commits are.
///
/// Locks in this order: the boundary, the group.
#[derive(Default)]
pub(super) struct Pending {
    boundary: Boundary,
    group: Mutex<Group>,
    /// Something was written, or the journal closes.
    wake: Condvar,
    durable: AtomicU64,
    bytes: AtomicUsize,
    failure: OnceLock<Arc<StoreFailed>>,
}

#[derive(Default)]
struct Group {
    changes: Changes,
    last: Ticket,
    closing: bool,
}

/// What the journal's thread does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Work {
    /// There is a group to commit.
    Commit,
    /// Nothing was written by the time given.
    Nothing,
    /// Everything is committed and nothing will be written any more.
    Close,
}

impl Pending {
    pub(super) fn add(&self, changes: &Changes) -> Ticket {
        if changes.is_empty() {
            return Ticket::NONE;
        }
        let mut group = self.group.lock();
        if group.closing || self.failure.get().is_some() {
            return Ticket::NEVER;
        }
        self.bytes.fetch_add(changes.bytes(), Ordering::Relaxed);
        group.changes.append(changes);
        group.last = Ticket::new(group.last.number() + 1);
        let ticket = group.last;
        drop(group);
        self.wake.notify_one();
        ticket
    }

    pub(super) fn together(&self) -> Together<'_> {
        self.boundary.share()
    }

    pub(super) fn is_durable(&self, ticket: Ticket) -> bool {
        ticket.number() <= self.durable.load(Ordering::Acquire)
    }

    pub(super) fn failure(&self) -> Option<&Arc<StoreFailed>> {
        self.failure.get()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    pub(super) fn close(&self) {
        self.group.lock().closing = true;
        self.wake.notify_one();
    }

    /// Waits until there is something to do, at most until the moment given.
    pub(super) fn wait(&self, until: Option<Instant>) -> Work {
        let mut group = self.group.lock();
        loop {
            if !group.changes.is_empty() {
                return Work::Commit;
            }
            if group.closing {
                return Work::Close;
            }
            match until {
                None => self.wake.wait(&mut group),
                Some(until) if self.wake.wait_until(&mut group, until).timed_out() => {
                    if group.changes.is_empty() && !group.closing {
                        return Work::Nothing;
                    }
                }
                Some(_) => {}
            }
        }
    }

    /// Takes the group out, leaving an empty buffer in its place, at a moment in which nobody writes
    /// together. Says the last ticket in it.
    pub(super) fn cut(&self, buffer: &mut Changes) -> Ticket {
        let _alone = self.boundary.cut();
        let mut group = self.group.lock();
        std::mem::swap(&mut group.changes, buffer);
        group.last
    }

    /// The group up to this ticket, of so many bytes as they were written, is committed.
    pub(super) fn committed(&self, last: Ticket, bytes: usize) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        self.durable.store(last.number(), Ordering::Release);
    }

    /// Nothing becomes durable any more, and nothing more is kept.
    pub(super) fn fail(&self, failure: StoreFailed) {
        let mut group = self.group.lock();
        // The journal's thread ends with its first failure, so this is the only one.
        drop(self.failure.set(Arc::new(failure)));
        group.changes = Changes::new();
        self.bytes.store(0, Ordering::Relaxed);
    }
}
