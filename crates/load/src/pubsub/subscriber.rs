//! What one subscriber has received.

use std::collections::VecDeque;

use mqtt::{PacketId, Publish, QoS};

use crate::arrivals::Expectation;

/// A subscriber without its connection.
#[derive(Default)]
pub(crate) struct Subscriber {
    /// Which of its publisher's messages come next.
    pub(crate) expectation: Expectation,
    /// Packet IDs of QoS 2 without PUBREL, in the order in which they came.
    unreleased: VecDeque<PacketId>,
}

impl Subscriber {
    /// A PUBLISH came: whether it is another message than those whose packet IDs the broker has not
    /// released `[MQTT-4.3.3-10]`.
    pub(crate) fn receive(&mut self, publish: &Publish<'_>) -> bool {
        let Some(packet_id) = publish.packet_id.filter(|_| publish.qos == QoS::ExactlyOnce) else {
            return true;
        };
        let new = !self.unreleased.contains(&packet_id);
        if new {
            self.unreleased.push_back(packet_id);
        }
        new
    }

    /// A PUBREL came: whether it is for something that was received.
    pub(crate) fn release(&mut self, packet_id: PacketId) -> bool {
        let found = self.unreleased.iter().position(|id| *id == packet_id);
        found.and_then(|at| self.unreleased.remove(at)).is_some()
    }

    /// PUBRELs that have not come.
    pub(crate) fn unreleased(&self) -> u64 {
        self.unreleased.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mqtt::{Properties, TopicName};

    fn publish(qos: QoS, id: Option<u16>) -> Publish<'static> {
        Publish {
            dup: false,
            qos,
            retain: false,
            topic: Some(TopicName::parse("t").unwrap()),
            packet_id: id.and_then(PacketId::new),
            properties: Properties::EMPTY,
            payload: b"",
        }
    }

    #[test]
    fn with_qos_2_a_packet_id_is_the_same_message_until_it_is_released() {
        let mut subscriber = Subscriber::default();
        let message = publish(QoS::ExactlyOnce, Some(7));
        let id = PacketId::new(7).unwrap();
        assert!(subscriber.receive(&message) && !subscriber.receive(&message));
        assert_eq!(subscriber.unreleased(), 1);
        assert!(subscriber.release(id) && !subscriber.release(id));
        assert!(subscriber.receive(&message));
    }

    #[test]
    fn with_other_qos_nothing_is_waited_for() {
        let mut subscriber = Subscriber::default();
        let messages = [publish(QoS::AtMostOnce, None), publish(QoS::AtLeastOnce, Some(7))];
        assert!(messages.iter().all(|message| subscriber.receive(message)));
        assert!(subscriber.receive(&messages[1]));
        assert_eq!(subscriber.unreleased(), 0);
    }
}
