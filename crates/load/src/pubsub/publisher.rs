//! What one publisher may send, and sends.

use std::collections::VecDeque;

use super::flight::Flight;
use super::template::Template;
use crate::link::Allowed;

/// A publisher without its connection.
pub(crate) struct Publisher {
    template: Template,
    /// Messages that have not arrived everywhere.
    pub(crate) flight: Flight,
    /// Whether the broker acknowledges, and how much it lets wait.
    acknowledged: Option<Allowed>,
    /// Packet IDs without PUBACK, in the order of the messages.
    unacknowledged: VecDeque<u16>,
    last_id: u16,
    /// Whether it is among those that will send next.
    pub(crate) due: bool,
}

impl Publisher {
    /// With nothing sent. `acknowledged` is what the broker allows with QoS 1, and `None` with
    /// QoS 0.
    pub(crate) fn new(template: Template, flight: Flight, acknowledged: Option<Allowed>) -> Self {
        let unacknowledged = VecDeque::new();
        Self { template, flight, acknowledged, unacknowledged, last_id: 0, due: false }
    }

    /// How many messages make a write worth its price: half of what may ever be sent at once.
    pub(crate) fn worth_a_write(&self) -> u32 {
        let allowed = self.acknowledged.map_or(u32::MAX, |allowed| allowed.unacknowledged);
        (self.flight.window().min(allowed) / 2).max(1)
    }

    /// How many messages may be sent now.
    pub(crate) fn room(&self) -> u32 {
        let allowed = self.acknowledged.map_or(u32::MAX, |allowed| {
            allowed.unacknowledged.saturating_sub(self.unacknowledged.len() as u32)
        });
        self.flight.room().min(allowed)
    }

    /// Appends all that may be sent now: how many messages those are.
    pub(crate) fn fill(&mut self, out: &mut Vec<u8>) -> u32 {
        let room = self.room();
        for _ in 0..room {
            let sequence = self.flight.launch();
            if self.acknowledged.is_some() {
                self.last_id = self.last_id.checked_add(1).unwrap_or(1);
                self.unacknowledged.push_back(self.last_id);
            }
            self.template.write(sequence, self.last_id, out);
        }
        room
    }

    /// A PUBACK came: whether anybody waited for it. Brokers acknowledge in order, so the search
    /// ends at once.
    pub(crate) fn acknowledge(&mut self, packet_id: u16) -> bool {
        let found = self.unacknowledged.iter().position(|id| *id == packet_id);
        found.and_then(|at| self.unacknowledged.remove(at)).is_some()
    }

    /// PUBACKs that have not come.
    pub(crate) fn unacknowledged(&self) -> u64 {
        self.unacknowledged.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mqtt::{QoS, TopicName, Version};

    fn publisher(window: u32, acknowledged: Option<Allowed>) -> Publisher {
        let qos = if acknowledged.is_some() { QoS::AtLeastOnce } else { QoS::AtMostOnce };
        let topic = TopicName::parse("t").unwrap();
        let template = Template::new((topic, 0), qos, Version::V5, 16).unwrap();
        Publisher::new(template, Flight::new(1, window), acknowledged)
    }

    #[test]
    fn the_window_bounds_what_is_sent() {
        let mut publisher = publisher(3, None);
        let mut out = Vec::new();
        assert_eq!(publisher.fill(&mut out), 3);
        assert_eq!((publisher.fill(&mut out), publisher.unacknowledged()), (0, 0));
        publisher.flight.land(0);
        assert_eq!(publisher.fill(&mut out), 1);
    }

    #[test]
    fn the_broker_bounds_what_waits_for_its_acknowledgement() {
        let mut publisher = publisher(10, Some(Allowed { unacknowledged: 2 }));
        let mut out = Vec::new();
        assert_eq!((publisher.fill(&mut out), publisher.unacknowledged()), (2, 2));
        publisher.flight.land(0);
        assert_eq!(publisher.room(), 0);
        assert!(publisher.acknowledge(1) && !publisher.acknowledge(1) && !publisher.acknowledge(9));
        assert_eq!(publisher.room(), 1);
    }
}
