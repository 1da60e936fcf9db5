//! How many requests of a connection are not answered yet.

use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use parking_lot::Mutex;

/// Requests that are not answered, by the epoch of their connection and their thing (spec 10.4).
#[derive(Default)]
pub(crate) struct InFlights(Mutex<HashMap<(u64, Box<str>), usize, RandomState>>);

/// A request that is not answered; dropped, it is.
pub(crate) struct InFlight {
    all: Arc<InFlights>,
    epoch: u64,
    thing: Box<str>,
}

impl InFlights {
    /// One more, unless there are `most`.
    pub(crate) fn begin(
        self: &Arc<Self>,
        epoch: u64,
        thing: &str,
        most: usize,
    ) -> Option<InFlight> {
        let mut all = self.0.lock();
        let count = all.entry((epoch, thing.into())).or_default();
        // An entry that is there counts one at least, so that none is left behind.
        if *count >= most.max(1) {
            return None;
        }
        *count += 1;
        Some(InFlight { all: Arc::clone(self), epoch, thing: thing.into() })
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let mut all = self.all.0.lock();
        let key = (self.epoch, std::mem::take(&mut self.thing));
        if let Some(count) = all.get_mut(&key) {
            *count -= 1;
            if *count == 0 {
                all.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answered_make_room_and_leave_nothing_behind() {
        let all = Arc::<InFlights>::default();
        let first = all.begin(1, "lamp", 2);
        let second = all.begin(1, "lamp", 2);
        assert!(first.is_some() && second.is_some());
        assert!(all.begin(1, "lamp", 2).is_none());
        assert!(all.begin(1, "door", 2).is_some(), "another thing");
        assert!(all.begin(2, "lamp", 2).is_some(), "another connection");
        drop(first);
        let third = all.begin(1, "lamp", 2);
        assert!(third.is_some());
        drop((second, third));
        assert!(all.0.lock().is_empty());
    }
}
