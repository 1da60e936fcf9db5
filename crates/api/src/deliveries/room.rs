//! How much is kept of messages, for all of them together.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use broker::Settled;
use engine::outcome::DirectOutcome;

/// The bytes of everything that is kept for one purpose.
#[derive(Clone)]
pub(super) struct Rooms {
    taken: Arc<AtomicUsize>,
    most: usize,
}

/// The room of one message, free again once this is dropped.
pub(crate) struct Room {
    all: Rooms,
    bytes: usize,
}

impl Rooms {
    /// For so many bytes.
    pub(super) fn new(most: usize) -> Self {
        Rooms { taken: Arc::default(), most }
    }

    /// Room for so many bytes, if there is.
    pub(super) fn take(&self, bytes: usize) -> Option<Room> {
        let room = Room { all: self.clone(), bytes };
        let before = self.taken.fetch_add(bytes, Ordering::Relaxed);
        // What does not fit gives its room back at once.
        (before + bytes <= self.most).then_some(room)
    }

    /// The end of a message as it is kept for repeated requests: with its response if there is room for it.
    pub(super) fn keep(&self, settled: &Settled) -> (Settled, Option<Room>) {
        let room = settled.response.as_ref().and_then(|response| self.take(response.bytes()));
        match (settled.outcome == DirectOutcome::Responded, &room) {
            (true, None) => (without_response(settled), room),
            (true, Some(_)) | (false, _) => (settled.clone(), room),
        }
    }
}

/// The end of a message whose response is not kept.
pub(super) fn without_response(settled: &Settled) -> Settled {
    let outcome = match settled.response {
        Some(_) => DirectOutcome::Acknowledged,
        None => settled.outcome.clone(),
    };
    Settled { outcome, response: None, ..settled.clone() }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.all.taken.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_bounded_and_comes_back() {
        let rooms = Rooms::new(100);
        let most = rooms.take(99).expect("room");
        assert!(rooms.take(2).is_none());
        let last = rooms.take(1).expect("room");
        assert!(rooms.take(1).is_none());
        drop((most, last));
        assert!(rooms.take(100).is_some());
    }
}
