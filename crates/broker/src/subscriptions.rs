//! The subscriptions of all sessions.

use std::sync::atomic::{AtomicU64, Ordering};

use engine::topics::Topics;
use parking_lot::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::subscribe::Subscriber;

/// The subscriptions of all sessions, behind a lock, and how often they changed.
#[derive(Default)]
pub(crate) struct Subscriptions {
    topics: RwLock<Topics<Subscriber>>,
    changes: AtomicU64,
}

impl Subscriptions {
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Topics<Subscriber>> {
        self.topics.read()
    }

    /// To change them. Counted once the lock is held: whoever asked for the count and looked up
    /// before looks up again.
    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, Topics<Subscriber>> {
        let topics = self.topics.write();
        self.changes.fetch_add(1, Ordering::Release);
        topics
    }

    /// How often they changed. What is looked up after asking holds while the answer is the same.
    pub(crate) fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }
}
