//! What one publisher may send, and sends.

use std::time::Instant;

use super::flight::Flight;
use super::pace::Pace;
use crate::outbound::Outbound;
use crate::template::Template;

/// A publisher without its connection.
pub(crate) struct Publisher {
    template: Template,
    /// Messages that have not arrived everywhere.
    pub(crate) flight: Flight,
    /// Messages that the broker has not acknowledged.
    pub(crate) outbound: Outbound,
    /// When messages are due.
    pub(crate) pace: Pace,
    /// Whether it is among those that will send next.
    pub(crate) queued: bool,
}

impl Publisher {
    /// With nothing sent, in a closed loop.
    pub(crate) fn new(template: Template, flight: Flight, outbound: Outbound) -> Self {
        Self { template, flight, outbound, pace: Pace::Closed, queued: false }
    }

    /// Whether there is enough for a write: in a closed loop half of what may ever be sent at once.
    pub(crate) fn is_worth_a_write(&self) -> bool {
        let enough = match self.pace {
            Pace::Closed => (self.flight.window().min(self.outbound.limit()) / 2).max(1),
            Pace::Open(_) => 1,
        };
        self.room() >= enough
    }

    /// Appends all that may be sent now: how many messages those are.
    pub(crate) fn fill(&mut self, now: Instant, out: &mut Vec<u8>) -> u32 {
        let room = self.room();
        for _ in 0..room {
            let sequence = self.flight.launched();
            self.flight.launch(self.pace.due(sequence, now));
            let packet_id = self.outbound.publish();
            self.template.write(sequence, packet_id, out);
        }
        room
    }

    /// Messages that are due and not sent.
    pub(crate) fn unsent(&self) -> u64 {
        match self.pace {
            Pace::Closed => 0,
            Pace::Open(timetable) => timetable.released() - self.flight.launched(),
        }
    }

    fn room(&self) -> u32 {
        let room = self.flight.room().min(self.outbound.room());
        match self.pace {
            Pace::Closed => room,
            Pace::Open(_) => room.min(u32::try_from(self.unsent()).unwrap_or(u32::MAX)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::Allowed;
    use crate::pubsub::pace::Timetable;
    use mqtt::{QoS, TopicName, Version};
    use std::time::Duration;

    fn publisher(window: u32, qos: QoS, unacknowledged: u32) -> Publisher {
        let topic = TopicName::parse("t").unwrap();
        let template = Template::new((topic, 0), qos, Version::V5, 16).unwrap();
        let outbound = Outbound::new(qos, Allowed { unacknowledged });
        Publisher::new(template, Flight::new(1, window), outbound)
    }

    #[test]
    fn the_window_bounds_what_is_sent() {
        let mut publisher = publisher(3, QoS::AtMostOnce, 1);
        let (now, mut out) = (Instant::now(), Vec::new());
        assert_eq!(publisher.fill(now, &mut out), 3);
        assert_eq!(publisher.fill(now, &mut out), 0);
        assert!(!publisher.is_worth_a_write());
        publisher.flight.land(0);
        assert!(publisher.is_worth_a_write());
        assert_eq!(publisher.fill(now, &mut out), 1);
    }

    #[test]
    fn the_broker_bounds_what_waits_for_its_acknowledgement() {
        for qos in [QoS::AtLeastOnce, QoS::ExactlyOnce] {
            let mut publisher = publisher(10, qos, 2);
            let mut out = Vec::new();
            assert_eq!(publisher.fill(Instant::now(), &mut out), 2);
            publisher.flight.land(0);
            assert_eq!(publisher.fill(Instant::now(), &mut out), 0);
        }
    }

    #[test]
    fn an_open_loop_sends_what_is_due_with_the_time_at_which_it_was() {
        let mut publisher = publisher(10, QoS::AtMostOnce, 0);
        let (start, mut out) = (Instant::now(), Vec::new());
        publisher.pace = Pace::Open(Timetable::new(start, 1000, (0, 1)));
        assert_eq!(publisher.fill(start, &mut out), 0);
        publisher.pace.release();
        publisher.pace.release();
        assert_eq!(publisher.unsent(), 2);
        assert_eq!(publisher.fill(start + Duration::from_secs(1), &mut out), 2);
        assert_eq!(publisher.unsent(), 0);
        publisher.flight.land(0);
        let due = publisher.flight.land(1).unwrap().due;
        assert_eq!(due, start + Duration::from_millis(1));
    }
}
