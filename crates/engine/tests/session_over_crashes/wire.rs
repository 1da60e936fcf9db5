//! Packets as both sides write them.

use mqtt::{Ack, Packet, PacketId, Properties, Publish, QoS, ReasonCode, TopicName, Version};

/// The number of a message: all there is in it.
pub type Number = u32;

/// The bytes of a packet.
pub fn bytes_of(packet: &Packet<'_>, version: Version) -> Vec<u8> {
    let mut bytes = Vec::new();
    packet.encode(version, &mut bytes).expect("the test's packets are well-formed");
    bytes
}

/// The first packet and its length.
pub fn first(bytes: &[u8], version: Version) -> (Packet<'_>, usize) {
    mqtt::decode(bytes, version, 1 << 20).expect("well-formed").expect("whole")
}

pub fn ack(id: u16) -> Ack<'static> {
    let packet_id = PacketId::new(id).expect("not 0");
    Ack { packet_id, reason: ReasonCode::Success, properties: Properties::EMPTY }
}

/// A PUBLISH of the client.
pub fn publish(number: Number, qos: QoS, id: Option<u16>, dup: bool, version: Version) -> Vec<u8> {
    let packet = Packet::Publish(Publish {
        dup,
        qos,
        retain: false,
        topic: TopicName::parse("up").ok(),
        packet_id: id.and_then(PacketId::new),
        properties: Properties::EMPTY,
        payload: &number.to_be_bytes(),
    });
    bytes_of(&packet, version)
}

/// The message in a PUBLISH.
pub fn number(publish: &Publish<'_>) -> Number {
    Number::from_be_bytes(publish.payload.try_into().expect("four bytes"))
}
