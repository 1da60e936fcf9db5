//! The messages of one publisher that have not arrived everywhere.

use std::collections::VecDeque;

/// A window that moves when its first message has arrived everywhere.
///
/// Invariant: the first entry, if any, is below `fan`.
pub(crate) struct Flight {
    fan: u32,
    window: u32,
    /// The sequence number of the first entry.
    first: u64,
    /// How often each message on its way has arrived.
    arrived: VecDeque<u32>,
}

impl Flight {
    /// Nothing on its way. A message has to arrive at `fan` subscribers, and `window` may be on
    /// their way.
    pub(crate) fn new(fan: u32, window: u32) -> Self {
        Self { fan, window, first: 0, arrived: VecDeque::with_capacity(window as usize) }
    }

    /// How many may be on their way.
    pub(crate) fn window(&self) -> u32 {
        self.window
    }

    /// How many more may be sent.
    pub(crate) fn room(&self) -> u32 {
        self.window - self.arrived.len() as u32
    }

    /// The next message is sent: its sequence number.
    pub(crate) fn launch(&mut self) -> u64 {
        self.arrived.push_back(0);
        self.first + self.arrived.len() as u64 - 1
    }

    /// A message has arrived at one subscriber.
    pub(crate) fn land(&mut self, sequence: u64) {
        let Some(index) = sequence.checked_sub(self.first) else { return };
        let Some(count) = self.arrived.get_mut(index as usize) else { return };
        *count += 1;
        while self.arrived.front().is_some_and(|count| *count >= self.fan) {
            self.arrived.pop_front();
            self.first += 1;
        }
    }

    /// How many arrivals are still to come.
    pub(crate) fn awaited(&self) -> u64 {
        self.arrived.iter().map(|count| u64::from(self.fan.saturating_sub(*count))).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_comes_when_a_message_has_arrived_everywhere() {
        let mut flight = Flight::new(2, 3);
        assert_eq!([flight.launch(), flight.launch(), flight.launch()], [0, 1, 2]);
        assert_eq!((flight.room(), flight.awaited()), (0, 6));
        flight.land(0);
        flight.land(1);
        flight.land(1);
        assert_eq!((flight.room(), flight.awaited()), (0, 3));
        flight.land(0);
        assert_eq!((flight.room(), flight.awaited()), (2, 2));
        assert_eq!(flight.launch(), 3);
    }

    #[test]
    fn numbers_that_are_not_on_their_way_change_nothing() {
        let mut flight = Flight::new(1, 2);
        flight.launch();
        flight.land(0);
        flight.land(0);
        flight.land(9);
        assert_eq!((flight.room(), flight.awaited()), (2, 0));
    }
}
