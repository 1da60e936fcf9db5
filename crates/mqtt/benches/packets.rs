//! Nanoseconds per packet on the path of a direct message: `cargo bench -p mqtt`.
#![allow(clippy::disallowed_methods, reason = "a benchmark needs the clock")]

use std::hint::black_box;
use std::time::Instant;

use mqtt::Version::{V5, V311};
use mqtt::{
    Ack, Packet, PacketId, Properties, PropertiesBuf, Property, Publish, QoS, ReasonCode,
    TopicName, Version, decode,
};

const ROUNDS: u32 = 1_000_000;

fn measure(name: &str, mut step: impl FnMut()) {
    for _ in 0..ROUNDS / 10 {
        step();
    }
    let start = Instant::now();
    for _ in 0..ROUNDS {
        step();
    }
    println!("{name}: {:.1} ns", start.elapsed().as_secs_f64() * 1e9 / f64::from(ROUNDS));
}

fn both_ways(name: &str, version: Version, packet: &Packet<'_>) {
    let mut out = Vec::with_capacity(1024);
    measure(&format!("encode {name}"), || {
        out.clear();
        black_box(packet).encode(version, &mut out).expect("the packet is valid");
    });
    measure(&format!("decode {name}"), || {
        let decoded = decode(black_box(&out), version, usize::MAX);
        black_box(decoded).expect("the packet is valid").expect("the packet is whole");
    });
}

fn main() {
    let mut properties = PropertiesBuf::new();
    for property in [
        Property::MessageExpiryInterval(60),
        Property::ContentType("application/json"),
        Property::ResponseTopic("device/0123456789/response"),
        Property::CorrelationData(&[7; 16]),
        Property::UserProperty("trace", "0123456789"),
        Property::UserProperty("tenant", "blue"),
    ] {
        properties.push(property).expect("the property is valid");
    }
    let packet_id = PacketId::new(7).expect("7 is not 0");
    let publish = Publish {
        dup: false,
        qos: QoS::AtLeastOnce,
        retain: false,
        topic: Some(TopicName::parse("devices/0123456789/commands/ab").expect("no wildcards")),
        packet_id: Some(packet_id),
        properties: Properties::EMPTY,
        payload: &[b'x'; 256],
    };
    both_ways("PUBLISH 3.1.1", V311, &Packet::Publish(publish));
    let with_properties = Publish { properties: properties.as_properties(), ..publish };
    both_ways("PUBLISH 5.0 with six properties", V5, &Packet::Publish(with_properties));
    let ack = Ack { packet_id, reason: ReasonCode::Success, properties: Properties::EMPTY };
    both_ways("PUBACK 3.1.1", V311, &Packet::PubAck(ack));
    let refusal = Ack { reason: ReasonCode::NotAuthorized, ..ack };
    both_ways("PUBACK 5.0 with a reason code", V5, &Packet::PubAck(refusal));
}
