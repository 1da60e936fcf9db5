//! How much is kept of what devices answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use broker::Settled;
use engine::limits::KEPT_RESPONSE_BYTES;
use engine::outcome::DirectOutcome;

/// The bytes of all responses that are kept for repeated requests.
#[derive(Clone, Default)]
pub(super) struct Rooms(Arc<AtomicUsize>);

/// The room of one response, free again once this is dropped.
pub(super) struct Room {
    all: Rooms,
    bytes: usize,
}

impl Rooms {
    /// Room for so many bytes, if there is.
    fn take(&self, bytes: usize) -> Option<Room> {
        let room = Room { all: self.clone(), bytes };
        let before = self.0.fetch_add(bytes, Ordering::Relaxed);
        // What does not fit gives its room back at once.
        (before + bytes <= KEPT_RESPONSE_BYTES).then_some(room)
    }

    /// The end of a message as it is kept: with its response if there is room for it.
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
        self.all.0.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_bounded_and_comes_back() {
        let rooms = Rooms::default();
        let most = rooms.take(KEPT_RESPONSE_BYTES - 1).expect("room");
        assert!(rooms.take(2).is_none());
        let last = rooms.take(1).expect("room");
        assert!(rooms.take(1).is_none());
        drop((most, last));
        assert!(rooms.take(KEPT_RESPONSE_BYTES).is_some());
    }
}
