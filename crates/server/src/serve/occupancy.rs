//! How many connections are open.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

/// Counts the open connections of all listeners, up to a limit.
#[derive(Clone)]
pub struct Occupancy(Arc<Count>);

struct Count {
    open: AtomicUsize,
    limit: usize,
    emptied: Notify,
}

/// One open connection; dropped, it is not open any more.
pub(super) struct Presence(Arc<Count>);

impl Occupancy {
    /// None open yet.
    pub(super) fn new(limit: usize) -> Self {
        Occupancy(Arc::new(Count { open: AtomicUsize::new(0), limit, emptied: Notify::new() }))
    }

    /// Counts one more, if there is room.
    pub(super) fn enter(&self) -> Option<Presence> {
        let presence = Presence::count(&self.0);
        (self.open() <= self.0.limit).then_some(presence)
    }

    /// How many are open.
    pub(super) fn open(&self) -> usize {
        self.0.open.load(Ordering::Acquire)
    }

    /// Waits until none is open.
    pub(super) async fn emptied(&self) {
        loop {
            let emptied = self.0.emptied.notified();
            if self.open() == 0 {
                return;
            }
            emptied.await;
        }
    }
}

impl Presence {
    fn count(count: &Arc<Count>) -> Self {
        count.open.fetch_add(1, Ordering::AcqRel);
        Presence(Arc::clone(count))
    }
}

impl Clone for Presence {
    fn clone(&self) -> Self {
        Presence::count(&self.0)
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        if self.0.open.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.emptied.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_connection_counts_until_its_last_presence_is_gone() {
        let occupancy = Occupancy::new(2);
        let first = occupancy.enter().expect("room");
        let copy = first.clone();
        assert!(occupancy.enter().is_none());
        drop(first);
        assert_eq!(occupancy.open(), 1);
        let waiting = tokio::spawn({
            let occupancy = occupancy.clone();
            async move { occupancy.emptied().await }
        });
        tokio::task::yield_now().await;
        drop(copy);
        waiting.await.expect("no panic");
    }
}
