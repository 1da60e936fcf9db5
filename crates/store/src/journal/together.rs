//! Writes that land in one commit.

use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::{RwLock, RwLockReadGuard, RwLockWriteGuard};

/// How long the thread that cuts the groups waits for a moment in which nobody writes together
/// before it asks those who come to let it in.
const PATIENCE: Duration = Duration::from_millis(1);
/// How long those who come let it in at most.
const COURTESY: Duration = Duration::from_millis(1);

thread_local! {
    /// How many of these guards the thread has: with one it must not wait for a second.
    static HELD: Cell<u32> = const { Cell::new(0) };
}

/// While it exists, everything its thread writes to the journal lands in one commit: all of it is
/// there after a crash, or nothing.
#[must_use = "the writes have to be within its life"]
pub struct Together<'a> {
    _shared: RwLockReadGuard<'a, ()>,
    /// It counts on the thread it was made on.
    _not_send: PhantomData<*const ()>,
}

impl Drop for Together<'_> {
    fn drop(&mut self) {
        HELD.with(|held| held.set(held.get() - 1));
    }
}

/// The place where a group ends: shared by all who write together, and taken alone by the thread
/// that cuts.
///
/// Sharing never waits for the cut for long, whatever locks the caller holds: a lock that
/// another sharer waits for must not be held for ever by one who waits for the cut. But then a
/// cut could wait for ever for a moment in which nobody shares. So a cut that had to wait makes those
/// who come wait a little, which lets the sharers run out.
#[derive(Debug, Default)]
pub(super) struct Boundary {
    lock: RwLock<()>,
    cut_waits: AtomicBool,
}

impl Boundary {
    /// Keeps cuts away.
    pub(super) fn share(&self) -> Together<'_> {
        let nested = HELD.with(|held| held.replace(held.get() + 1) > 0);
        let polite = if !nested && self.cut_waits.load(Ordering::Relaxed) {
            self.lock.try_read_for(COURTESY)
        } else {
            None
        };
        let shared = polite.unwrap_or_else(|| self.lock.read_recursive());
        Together { _shared: shared, _not_send: PhantomData }
    }

    /// Keeps sharers away, once those who share are done.
    pub(super) fn cut(&self) -> RwLockWriteGuard<'_, ()> {
        if let Some(alone) = self.lock.try_write_for(PATIENCE) {
            return alone;
        }
        self.cut_waits.store(true, Ordering::Relaxed);
        let alone = self.lock.write();
        self.cut_waits.store(false, Ordering::Relaxed);
        alone
    }
}
