//! How a counter is added to.

use std::sync::atomic::{AtomicU64, Ordering};

/// Who else may add to the same counters at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Nobody: to load and to store is enough, which costs a fifth of an addition that others must
    /// not come between.
    Alone,
    /// Other threads.
    Shared,
}

impl Access {
    #[inline]
    pub(super) fn add(self, counter: &AtomicU64, count: u64) {
        match self {
            Access::Alone => {
                let sum = counter.load(Ordering::Relaxed).wrapping_add(count);
                counter.store(sum, Ordering::Relaxed);
            }
            Access::Shared => {
                counter.fetch_add(count, Ordering::Relaxed);
            }
        }
    }
}
