//! The client: it keeps the rules of the standard, and its state over every connection.

use std::collections::{HashMap, VecDeque};

use mqtt::{Packet, Publish, QoS, ReasonCode, Version};

use crate::wire::{Number, ack, bytes_of, first, number, publish};

/// The packet IDs that it uses: few, so that each is soon used again.
const IDS: u16 = 12;

pub struct Client {
    version: Version,
    /// How many of its messages at QoS 1 and 2 may be unacknowledged.
    window: usize,
    sending: Vec<Sending>,
    last_id: u16,
    next: Number,
    /// The messages at QoS 2 whose packet IDs the server has not released.
    received: HashMap<u16, Number>,
    /// What the application got, in order.
    pub arrived: Vec<(QoS, Number)>,
    topics: HashMap<u16, String>,
    /// Packets on their way to the server.
    pipe: VecDeque<Vec<u8>>,
}

/// A message that is not acknowledged.
struct Sending {
    id: u16,
    number: Number,
    qos: QoS,
    /// The PUBREC came.
    released: bool,
}

impl Client {
    pub fn new(version: Version, window: u16) -> Self {
        Client {
            version,
            window: usize::from(window),
            sending: Vec::new(),
            last_id: 0,
            next: 0,
            received: HashMap::new(),
            arrived: Vec::new(),
            topics: HashMap::new(),
            pipe: VecDeque::new(),
        }
    }

    /// The messages at QoS 1 and 2 that it began to send were the first so many.
    pub fn begun(&self) -> Number {
        self.next
    }

    /// Whether nothing is under way in either direction.
    pub fn is_settled(&self) -> bool {
        self.sending.is_empty() && self.received.is_empty()
    }

    /// The connection is over, and what was under way on it.
    pub fn part(&mut self) {
        self.pipe.clear();
        self.topics.clear();
    }

    /// A new connection: what is unacknowledged is sent again ([MQTT-4.4.0-1]).
    pub fn connect(&mut self) {
        self.part();
        for sending in &self.sending {
            let Sending { id, number, qos, released } = *sending;
            self.pipe.push_back(if released {
                bytes_of(&Packet::PubRel(ack(id)), self.version)
            } else {
                publish(number, qos, Some(id), true, self.version)
            });
        }
    }

    /// Publishes, unless too much is unacknowledged.
    pub fn publish(&mut self, qos: QoS) {
        if qos == QoS::AtMostOnce {
            // Nobody counts these.
            self.pipe.push_back(publish(Number::MAX, qos, None, false, self.version));
            return;
        }
        if self.sending.len() >= self.window {
            return;
        }
        let is_free = |id: &u16| self.sending.iter().all(|sending| sending.id != *id);
        let in_turn = (0..IDS).map(|ahead| (self.last_id + ahead) % IDS + 1);
        let id = in_turn.into_iter().find(is_free).expect("more IDs than messages");
        self.last_id = id;
        let number = self.next;
        self.next += 1;
        self.sending.push(Sending { id, number, qos, released: false });
        self.pipe.push_back(publish(number, qos, Some(id), false, self.version));
    }

    /// The next packet that reaches the server.
    pub fn poll_packet(&mut self) -> Option<Vec<u8>> {
        self.pipe.pop_front()
    }

    /// One packet of the server.
    pub fn handle(&mut self, bytes: &[u8]) {
        match first(bytes, self.version).0 {
            Packet::Publish(publish) => self.handle_publish(&publish),
            Packet::PubRel(released) => {
                let id = released.packet_id.get();
                self.received.remove(&id);
                self.send(&Packet::PubComp(ack(id)));
            }
            Packet::PubAck(acked) => {
                assert_eq!(acked.reason, ReasonCode::Success);
                self.finish(acked.packet_id.get(), QoS::AtLeastOnce, false);
            }
            Packet::PubRec(acked) => {
                assert_eq!(acked.reason, ReasonCode::Success);
                let id = acked.packet_id.get();
                let known = self.sending.iter_mut().find(|sending| sending.id == id);
                let sending = known.expect("a PUBREC is for a message that was sent");
                assert_eq!(sending.qos, QoS::ExactlyOnce);
                sending.released = true;
                self.send(&Packet::PubRel(ack(id)));
            }
            Packet::PubComp(acked) => self.finish(acked.packet_id.get(), QoS::ExactlyOnce, true),
            other => panic!("not for a client: {other:?}"),
        }
    }

    fn handle_publish(&mut self, publish: &Publish<'_>) {
        let topic = self.topic_of(publish);
        let message = number(publish);
        let Some(id) = publish.packet_id.map(|id| id.get()) else {
            self.arrived.push((publish.qos, message));
            return;
        };
        match publish.qos {
            QoS::ExactlyOnce => {
                let before = self.received.insert(id, message);
                match before {
                    None => self.arrived.push((publish.qos, message)),
                    Some(before) => assert_eq!(before, message, "a repetition hides a message"),
                }
                self.send(&Packet::PubRec(ack(id)));
            }
            QoS::AtLeastOnce | QoS::AtMostOnce => {
                if topic == "down" {
                    self.arrived.push((publish.qos, message));
                }
                self.send(&Packet::PubAck(ack(id)));
            }
        }
    }

    fn topic_of(&mut self, publish: &Publish<'_>) -> String {
        let alias = publish.properties.topic_alias();
        match (publish.topic, alias) {
            (Some(topic), None) => topic.as_str().to_owned(),
            (Some(topic), Some(alias)) => {
                self.topics.insert(alias, topic.as_str().to_owned());
                topic.as_str().to_owned()
            }
            (None, Some(alias)) => self.topics.get(&alias).expect("an alias is told first").clone(),
            (None, None) => panic!("a PUBLISH without a topic"),
        }
    }

    fn finish(&mut self, id: u16, qos: QoS, released: bool) {
        let is_it = |sending: &Sending| {
            sending.id == id && sending.qos == qos && sending.released == released
        };
        let at = self.sending.iter().position(is_it).expect("an acknowledgement is for a message");
        self.sending.remove(at);
    }

    fn send(&mut self, packet: &Packet<'_>) {
        self.pipe.push_back(bytes_of(packet, self.version));
    }
}
