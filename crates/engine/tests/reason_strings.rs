//! Reason strings: who gets them, and that none makes a packet larger than the client takes.

// What a test does not expect is a failure, whichever it is.
#![allow(clippy::wildcard_enum_match_arm)]

use std::sync::Arc;

use engine::close::CloseReason;
use engine::limits::Bounds;
use engine::profile::STANDARD;
use engine::session::{Lifetime, Refusal, Rules, Session, negotiate};
use engine::{Moment, Ticket};
use mqtt::{
    Connect, Packet, PacketId, Properties, PropertiesBuf, Property, QoS, ReasonCode, Version,
};

const LARGE: u32 = 200;
const SMALL: u32 = 24;

fn session(version: Version, wants: bool, packet_size_max: u32) -> Session<()> {
    let rules = Arc::new(Rules::new(&STANDARD, STANDARD.quotas, &Bounds::default()));
    let mut properties = PropertiesBuf::new();
    if version == Version::V5 {
        properties.push(Property::RequestProblemInformation(u8::from(wants))).expect("valid");
        properties.push(Property::MaximumPacketSize(packet_size_max)).expect("valid");
    }
    let connect = Connect {
        version,
        clean_start: true,
        keep_alive: 0,
        client_id: "lamp",
        properties: properties.as_properties(),
        will: None,
        username: None,
        password: None,
    };
    let granted = negotiate(&connect, &rules, || unreachable!("it has a client ID"));
    let granted = granted.expect("the terms are acceptable");
    Session::new(rules, &granted, Lifetime::Connection, None, Moment::START, None)
}

/// The reason string of the one packet, which is not larger than the client takes.
fn reason_string(bytes: &[u8], version: Version, packet_size_max: u32) -> Option<String> {
    let decoded = mqtt::decode(bytes, version, 1_000).expect("well-formed");
    let (packet, length) = decoded.expect("a packet");
    assert_eq!(length, bytes.len(), "one packet");
    assert!(length <= packet_size_max as usize);
    let properties: Properties<'_> = match packet {
        Packet::ConnAck(connack) => connack.properties,
        Packet::PubAck(ack) | Packet::PubRec(ack) => ack.properties,
        Packet::SubAck(suback) => suback.properties,
        Packet::Disconnect(disconnect) => disconnect.properties,
        other => panic!("unexpected: {other:?}"),
    };
    properties.reason_string().map(str::to_owned)
}

fn id() -> PacketId {
    PacketId::new(1).expect("not 0")
}

/// An acknowledgement that refuses.
type Refuse = fn(&mut Session<()>, &mut Vec<u8>);

/// [MQTT-3.4.2-2], [MQTT-3.5.2-2], [MQTT-3.9.2-1] and [MQTT-3.1.2-29].
#[test]
fn an_acknowledgement_says_why_if_the_client_asks_and_has_room() {
    let cases: [(Refuse, &str); 3] = [
        (
            |session, out| {
                let refused = Some((ReasonCode::QuotaExceeded, "Too fast."));
                session.acknowledge(id(), QoS::AtLeastOnce, refused, Ticket::NONE, out);
            },
            "Too fast.",
        ),
        (
            |session, out| {
                let refused = Some((ReasonCode::QuotaExceeded, "Too fast."));
                session.acknowledge(id(), QoS::ExactlyOnce, refused, Ticket::NONE, out);
            },
            "Too fast.",
        ),
        (
            |session, out| {
                let reasons = vec![ReasonCode::Success, ReasonCode::NotAuthorized];
                session.answer_subscribe(id(), reasons, Ticket::NONE, out);
            },
            "The policies do not allow a filter.",
        ),
    ];
    for (refuse, sentence) in cases {
        for (wants, size, expected) in
            [(true, LARGE, Some(sentence)), (false, LARGE, None), (true, SMALL, None)]
        {
            let mut out = Vec::new();
            refuse(&mut session(Version::V5, wants, size), &mut out);
            assert_eq!(reason_string(&out, Version::V5, size).as_deref(), expected);
        }
    }
}

#[test]
fn an_acknowledgement_that_refuses_nothing_says_nothing() {
    let mut session = session(Version::V5, true, LARGE);
    let mut out = Vec::new();
    session.acknowledge(id(), QoS::AtLeastOnce, None, Ticket::NONE, &mut out);
    assert_eq!(reason_string(&out, Version::V5, LARGE), None);
    out.clear();
    session.answer_subscribe(id(), vec![ReasonCode::GrantedQoS2], Ticket::NONE, &mut out);
    assert_eq!(reason_string(&out, Version::V5, LARGE), None);
}

/// [MQTT-3.14.2-3]
#[test]
fn a_disconnect_says_why_if_there_is_room_whatever_the_client_asks() {
    for (size, said) in [(LARGE, true), (SMALL, false)] {
        let mut out = Vec::new();
        session(Version::V5, false, size).farewell(CloseReason::TakenOver, &mut out);
        let reason = reason_string(&out, Version::V5, size);
        assert_eq!(reason.is_some(), said, "{size}");
    }
    let mut out = Vec::new();
    session(Version::V311, true, LARGE).farewell(CloseReason::TakenOver, &mut out);
    assert_eq!(out, [0; 0], "MQTT 3.1.1 has no DISCONNECT of a server");
}

/// [MQTT-3.2.2-19]
#[test]
fn a_connack_that_refuses_says_why_if_there_is_room() {
    let refusal =
        Refusal { code: ReasonCode::BadAuthenticationMethod, details: "Not offered here." };
    for (size, expected) in
        [(None, Some(refusal.details)), (Some(LARGE), Some(refusal.details)), (Some(SMALL), None)]
    {
        let mut out = Vec::new();
        refusal.refuse(Version::V5, size, &mut out);
        let said = reason_string(&out, Version::V5, size.unwrap_or(u32::MAX));
        assert_eq!(said.as_deref(), expected);
    }
}
