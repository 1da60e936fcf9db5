//! A message of publish-subscribe to the client.

use mqtt::{Properties, Publish, QoS, TopicName};

use super::Session;
use crate::Moment;
use crate::access::ReceivePermit;
use crate::inflight::Slot;

/// A message as one subscriber gets it.
#[derive(Clone, Copy, Debug)]
pub struct Delivery<'a> {
    /// Where it was published.
    pub topic: TopicName<'a>,
    /// The lower of what was published and what was subscribed.
    pub qos: QoS,
    /// The publisher's properties, without its topic alias.
    pub properties: Properties<'a>,
    /// The bytes.
    pub payload: &'a [u8],
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivered {
    /// Handed to the connection.
    Sent,
    /// Discarded: the connection's publish rate is exceeded.
    Throttled,
    /// Discarded: too many QoS 1 messages wait for the client's PUBACK.
    WindowFull,
    /// Discarded: larger than the client's Maximum Packet Size ([MQTT-3.1.2-24]).
    TooLarge,
    /// Discarded: the client does not read what is sent to it.
    NotWritable,
}

impl<W> Session<W> {
    /// Appends the PUBLISH of a message that the client subscribed to.
    pub fn deliver(
        &mut self,
        delivery: &Delivery<'_>,
        _permit: ReceivePermit,
        now: Moment,
        out: &mut Vec<u8>,
    ) -> Delivered {
        let mut publish = Publish {
            dup: false,
            qos: delivery.qos,
            retain: false,
            topic: Some(delivery.topic),
            packet_id: None,
            properties: delivery.properties,
            payload: delivery.payload,
        };
        let length = self.length_on_the_wire(&publish);
        if length > self.packet_size_max as usize {
            return Delivered::TooLarge;
        }
        if out.len() + length > self.rules.outbound_buffer_bytes {
            return Delivered::NotWritable;
        }
        if self.budget.take(self.publish_rate(), now).is_err() {
            return Delivered::Throttled;
        }
        if delivery.qos != QoS::AtMostOnce {
            publish.packet_id = self.inflight.insert(Slot::Publish, self.window);
            if publish.packet_id.is_none() {
                return Delivered::WindowFull;
            }
        }
        super::encode(&mqtt::Packet::Publish(publish), self.version, out);
        Delivered::Sent
    }
}
