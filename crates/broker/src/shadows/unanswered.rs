//! What waits to be answered.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes of answers that may wait before requests are turned away. Each waits for what it tells to be
/// durable, which takes long only when the disk is in trouble.
const MOST_BYTES: usize = 256 << 20;

/// The requests that are not answered yet.
#[derive(Default)]
pub(super) struct Unanswered {
    requests: AtomicUsize,
    /// Of what is to be told.
    bytes: AtomicUsize,
}

impl Unanswered {
    pub(super) fn begin(&self, bytes: usize) {
        self.requests.fetch_add(1, Ordering::AcqRel);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn end(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        self.requests.fetch_sub(1, Ordering::AcqRel);
    }

    pub(super) fn requests(&self) -> usize {
        self.requests.load(Ordering::Acquire)
    }

    /// Whether no more may wait.
    pub(super) fn is_full(&self) -> bool {
        self.bytes.load(Ordering::Relaxed) >= MOST_BYTES
    }
}
