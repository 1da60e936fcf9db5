//! MQTT packets from bytes and to bytes.

use std::hint::black_box;

use mqtt::Version::{V5, V311};
use mqtt::{
    Ack, Packet, PacketId, Properties, PropertiesBuf, Property, Publish, QoS, ReasonCode,
    TopicName, Version, decode,
};

/// 30 bytes.
const TOPIC: &str = "devices/0123456789/commands/ab";
const PAYLOAD: [u8; 256] = [b'x'; 256];
/// Longer than every packet here, in bytes.
const LIMIT: usize = 1024;

/// Decodes a PUBLISH of MQTT 3.1.1.
pub(crate) fn decode_publish_v311(iterations: u32) {
    decode_repeatedly(&bytes(&publish(Properties::EMPTY), V311), V311, iterations);
}

/// Decodes a PUBLISH of MQTT 5 with properties.
pub(crate) fn decode_publish_v5(iterations: u32) {
    let properties = properties();
    decode_repeatedly(&bytes(&publish(properties.as_properties()), V5), V5, iterations);
}

/// Decodes a PUBACK as both versions have it when all is well: four bytes.
pub(crate) fn decode_puback(iterations: u32) {
    let (reason, properties) = (ReasonCode::Success, Properties::EMPTY);
    let puback = Packet::PubAck(Ack { packet_id: packet_id(), reason, properties });
    decode_repeatedly(&bytes(&puback, V5), V5, iterations);
}

/// Encodes a PUBLISH of MQTT 3.1.1.
pub(crate) fn encode_publish_v311(iterations: u32) {
    encode_repeatedly(&publish(Properties::EMPTY), V311, iterations);
}

/// Encodes a PUBLISH of MQTT 5 with properties.
pub(crate) fn encode_publish_v5(iterations: u32) {
    let properties = properties();
    encode_repeatedly(&publish(properties.as_properties()), V5, iterations);
}

fn decode_repeatedly(bytes: &[u8], version: Version, iterations: u32) {
    for _ in 0..iterations {
        let decoded = decode(black_box(bytes), black_box(version), LIMIT);
        black_box(decoded).expect("the packet is well-formed").expect("the packet is whole");
    }
}

fn encode_repeatedly(packet: &Packet<'_>, version: Version, iterations: u32) {
    let mut out = Vec::with_capacity(LIMIT);
    for _ in 0..iterations {
        out.clear();
        black_box(packet).encode(black_box(version), &mut out).expect("the packet is valid");
        black_box(&out);
    }
}

fn bytes(packet: &Packet<'_>, version: Version) -> Vec<u8> {
    let mut bytes = Vec::new();
    packet.encode(version, &mut bytes).expect("the packet is valid");
    bytes
}

fn packet_id() -> PacketId {
    PacketId::new(7).expect("7 is not 0")
}

fn publish(properties: Properties<'_>) -> Packet<'_> {
    Packet::Publish(Publish {
        dup: false,
        qos: QoS::AtLeastOnce,
        retain: false,
        topic: Some(TopicName::parse(TOPIC).expect("it has no wildcards")),
        packet_id: Some(packet_id()),
        properties,
        payload: &PAYLOAD,
    })
}

/// What a direct message can carry, spec 1.6.
fn properties() -> PropertiesBuf {
    let mut properties = PropertiesBuf::new();
    for property in [
        Property::PayloadFormatIndicator(1),
        Property::ContentType("application/json"),
        Property::ResponseTopic("devices/0123456789/answers/ab"),
        Property::CorrelationData(&[7; 16]),
        Property::UserProperty("trace", "0123456789"),
        Property::UserProperty("tenant", "blue"),
    ] {
        properties.push(property).expect("the property is valid");
    }
    properties
}
