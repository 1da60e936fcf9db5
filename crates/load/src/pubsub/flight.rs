//! The messages of one publisher that have not arrived everywhere.

use std::collections::VecDeque;
use std::time::Instant;

/// A window that moves when its first message has arrived everywhere.
///
/// Invariant: the first entry, if any, has arrived less than `fan` times.
pub(crate) struct Flight {
    fan: u32,
    window: u32,
    /// The sequence number of the first entry.
    first: u64,
    messages: VecDeque<Message>,
}

/// A message on its way.
struct Message {
    due: Instant,
    /// How often it has arrived.
    arrived: u32,
}

/// One arrival of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Landing {
    /// When the message was due to be sent.
    pub(crate) due: Instant,
    /// Whether nobody waits for it any more.
    pub(crate) everywhere: bool,
}

impl Flight {
    /// Nothing on its way. A message has to arrive at `fan` subscribers, and `window` may be on
    /// their way.
    pub(crate) fn new(fan: u32, window: u32) -> Self {
        Self { fan, window, first: 0, messages: VecDeque::with_capacity(window as usize) }
    }

    /// How many may be on their way.
    pub(crate) fn window(&self) -> u32 {
        self.window
    }

    /// How many more may be sent.
    pub(crate) fn room(&self) -> u32 {
        self.window - self.messages.len() as u32
    }

    /// How many have been sent: the sequence number of the next one.
    pub(crate) fn launched(&self) -> u64 {
        self.first + self.messages.len() as u64
    }

    /// The next message is sent, which was due at this time.
    pub(crate) fn launch(&mut self, due: Instant) {
        self.messages.push_back(Message { due, arrived: 0 });
    }

    /// A message has arrived at one subscriber; `None` if it is not on its way.
    pub(crate) fn land(&mut self, sequence: u64) -> Option<Landing> {
        let index = sequence.checked_sub(self.first)?;
        let message = self.messages.get_mut(index as usize)?;
        message.arrived += 1;
        let landing = Landing { due: message.due, everywhere: message.arrived == self.fan };
        while self.messages.front().is_some_and(|message| message.arrived >= self.fan) {
            self.messages.pop_front();
            self.first += 1;
        }
        Some(landing)
    }

    /// How many arrivals are still to come.
    pub(crate) fn awaited(&self) -> u64 {
        let missing = |message: &Message| u64::from(self.fan.saturating_sub(message.arrived));
        self.messages.iter().map(missing).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_comes_when_a_message_has_arrived_everywhere() {
        let mut flight = Flight::new(2, 3);
        let due = Instant::now();
        for launched in 0..3 {
            assert_eq!(flight.launched(), launched);
            flight.launch(due);
        }
        assert_eq!((flight.room(), flight.awaited()), (0, 6));
        assert_eq!(flight.land(0), Some(Landing { due, everywhere: false }));
        flight.land(1);
        assert_eq!(flight.land(1), Some(Landing { due, everywhere: true }));
        assert_eq!((flight.room(), flight.awaited()), (0, 3));
        assert_eq!(flight.land(0), Some(Landing { due, everywhere: true }));
        assert_eq!((flight.room(), flight.awaited(), flight.launched()), (2, 2, 3));
    }

    #[test]
    fn numbers_that_are_not_on_their_way_change_nothing() {
        let mut flight = Flight::new(1, 2);
        flight.launch(Instant::now());
        assert!(flight.land(0).is_some());
        assert_eq!((flight.land(0), flight.land(9)), (None, None));
        assert_eq!((flight.room(), flight.awaited()), (2, 0));
    }
}
