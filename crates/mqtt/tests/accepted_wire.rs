//! Bytes that the standard allows, where other implementations have been seen to refuse them, and
//! the exact bytes that are written.
#![allow(clippy::unwrap_used, reason = "a failed test should panic")]

use mqtt::Version::{self, V5, V311};
use mqtt::{
    Ack, ConnAck, Disconnect, Packet, PacketId, Properties, PropertiesBuf, Property, Publish, QoS,
    ReasonCode, SubAck, TopicName, decode,
};

fn one(version: Version, bytes: &[u8]) -> Packet<'_> {
    let (packet, consumed) = decode(bytes, version, bytes.len()).unwrap().unwrap();
    assert_eq!(consumed, bytes.len());
    packet
}

fn encoded(version: Version, packet: &Packet<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    packet.encode(version, &mut out).unwrap();
    out
}

fn ack(reason: ReasonCode) -> Ack<'static> {
    Ack { packet_id: PacketId::new(0x0102).unwrap(), reason, properties: Properties::EMPTY }
}

fn qos_0<'a>(topic: &'a str, properties: Properties<'a>, payload: &'a [u8]) -> Publish<'a> {
    Publish {
        dup: false,
        qos: QoS::AtMostOnce,
        retain: false,
        topic: TopicName::parse(topic).ok(),
        packet_id: None,
        properties,
        payload,
    }
}

#[test]
fn short_puback_forms_are_read_and_written() {
    let success = Packet::PubAck(ack(ReasonCode::Success));
    let refusal = Packet::PubAck(ack(ReasonCode::NotAuthorized));
    assert_eq!(one(V311, &[0x40, 2, 1, 2]), success);
    assert_eq!(one(V5, &[0x40, 2, 1, 2]), success);
    assert_eq!(one(V5, &[0x40, 3, 1, 2, 0]), success);
    assert_eq!(one(V5, &[0x40, 4, 1, 2, 0, 0]), success);
    assert_eq!(one(V5, &[0x40, 3, 1, 2, 0x87]), refusal);
    assert_eq!(one(V5, &[0x40, 4, 1, 2, 0x87, 0]), refusal);
    assert_eq!(encoded(V5, &success), [0x40, 2, 1, 2]);
    assert_eq!(encoded(V5, &refusal), [0x40, 3, 1, 2, 0x87]);
    assert_eq!(encoded(V5, &Packet::PubRel(ack(ReasonCode::Success))), [0x62, 2, 1, 2]);
}

#[test]
fn short_disconnect_forms_are_read_and_written() {
    let with = |reason| Packet::Disconnect(Disconnect { reason, properties: Properties::EMPTY });
    let normal = with(ReasonCode::Success);
    let will = with(ReasonCode::DisconnectWithWill);
    assert_eq!(one(V311, &[0xE0, 0]), normal);
    assert_eq!(one(V5, &[0xE0, 0]), normal);
    assert_eq!(one(V5, &[0xE0, 1, 0]), normal);
    assert_eq!(one(V5, &[0xE0, 1, 4]), will);
    assert_eq!(one(V5, &[0xE0, 2, 4, 0]), will);
    assert_eq!(encoded(V5, &normal), [0xE0, 0]);
    assert_eq!(encoded(V5, &will), [0xE0, 1, 4]);
}

#[test]
fn message_expiry_0_is_valid() {
    let Packet::Publish(publish) = one(V5, &[0x30, 9, 0, 1, b'a', 5, 0x02, 0, 0, 0, 0]) else {
        panic!("not a PUBLISH");
    };
    assert_eq!(publish.properties.message_expiry_interval(), Some(0));
    assert_eq!(publish.properties.topic_alias(), None);
}

#[test]
fn an_alias_may_stand_for_the_topic() {
    let Packet::Publish(publish) = one(V5, &[0x30, 6, 0, 0, 3, 0x23, 0, 7]) else {
        panic!("not a PUBLISH");
    };
    assert_eq!(publish.topic, None);
    assert_eq!(publish.properties.topic_alias(), Some(7));
}

#[test]
fn a_publish_may_hold_several_subscription_identifiers() {
    let Packet::Publish(publish) = one(V5, &[0x30, 8, 0, 1, b'a', 4, 0x0B, 1, 0x0B, 2]) else {
        panic!("not a PUBLISH");
    };
    assert_eq!(publish.properties.subscription_identifier(), Some(1));
    assert_eq!(publish.properties.iter().count(), 2);
}

#[test]
fn mqtt_5_allows_a_password_alone_and_an_empty_client_id() {
    let bytes = b"\x10\x10\0\x04MQTT\x05\x42\0\x3c\0\0\0\0\x01p";
    let Packet::Connect(connect) = one(V311, bytes) else { panic!("not a CONNECT") };
    assert_eq!(connect.version, V5);
    assert_eq!(connect.client_id, "");
    assert_eq!((connect.username, connect.password), (None, Some(&b"p"[..])));
    assert!(!format!("{connect:?}").contains("112"), "the password is in {connect:?}");
}

/// [MQTT-3.1.3-1], [MQTT3-3.1.3-1], [MQTT-3.1.3-3], [MQTT3-3.1.3-3]: identifier, Will, user name,
/// password.
#[test]
fn the_fields_of_a_connect_come_in_their_order() {
    let v311 = b"\x10\x19\0\x04MQTT\x04\xF6\0\0\0\x01c\0\x01t\0\x01w\0\x01u\0\x01p";
    let v5 = b"\x10\x1b\0\x04MQTT\x05\xF6\0\0\0\0\x01c\0\0\x01t\0\x01w\0\x01u\0\x01p";
    for bytes in [&v311[..], v5] {
        let Packet::Connect(connect) = one(V5, bytes) else { panic!("not a CONNECT") };
        let will = connect.will.unwrap();
        assert_eq!((connect.client_id, will.topic.as_str(), will.payload), ("c", "t", &b"w"[..]));
        assert_eq!((will.qos, will.retain), (QoS::ExactlyOnce, true));
        assert_eq!((connect.username, connect.password), (Some("u"), Some(&b"p"[..])));
    }
}

/// [MQTT-1.5.4-3], [MQTT3-1.5.3-3].
#[test]
fn a_zero_width_no_break_space_stays_where_it_is() {
    for (version, bytes) in [
        (V311, &b"\x30\x0a\0\x07\xEF\xBB\xBFa\xEF\xBB\xBFx"[..]),
        (V5, b"\x30\x0b\0\x07\xEF\xBB\xBFa\xEF\xBB\xBF\0x"),
    ] {
        let packet = one(version, bytes);
        let Packet::Publish(publish) = &packet else { panic!("not a PUBLISH") };
        assert_eq!(publish.topic.unwrap().as_str(), "\u{FEFF}a\u{FEFF}");
        assert_eq!(encoded(version, &packet), bytes);
    }
}

#[test]
fn mqtt_311_allows_an_empty_client_id() {
    let Packet::Connect(connect) = one(V5, b"\x10\x0c\0\x04MQTT\x04\x02\0\0\0\0") else {
        panic!("not a CONNECT");
    };
    assert_eq!((connect.version, connect.client_id, connect.keep_alive), (V311, "", 0));
    assert!(connect.clean_start);
}

#[test]
fn filters_reach_the_caller_unparsed() {
    // SUBACK can refuse one filter and grant another, so a bad one is no decoding error.
    let Packet::Subscribe(subscribe) = one(V311, b"\x82\x0a\0\x01\0\x02a#\x01\0\0\x02") else {
        panic!("not a SUBSCRIBE");
    };
    let texts: Vec<_> = subscribe.filters.iter().map(|(text, _)| *text).collect();
    assert_eq!(texts, ["a#", ""]);
}

#[test]
fn connack_codes_are_translated_for_mqtt_311() {
    let codes = [
        (ReasonCode::Success, 0),
        (ReasonCode::UnsupportedProtocolVersion, 1),
        (ReasonCode::ClientIdentifierNotValid, 2),
        (ReasonCode::ServerUnavailable, 3),
        (ReasonCode::BadUserNameOrPassword, 4),
        (ReasonCode::NotAuthorized, 5),
    ];
    for (reason, code) in codes {
        let packet = Packet::ConnAck(ConnAck {
            session_present: false,
            reason,
            properties: Properties::EMPTY,
        });
        assert_eq!(encoded(V311, &packet), [0x20, 2, 0, code]);
        assert_eq!(one(V311, &[0x20, 2, 0, code]), packet);
    }
}

/// [MQTT3-3.9.3-2]; without properties MQTT 5.0 writes their length of 0 [MQTT-2.2.2-1].
#[test]
fn suback_errors_become_the_one_failure_of_mqtt_311() {
    let packet = Packet::SubAck(SubAck {
        packet_id: PacketId::new(1).unwrap(),
        properties: Properties::EMPTY,
        reasons: vec![ReasonCode::GrantedQoS1, ReasonCode::NotAuthorized],
    });
    assert_eq!(encoded(V311, &packet), [0x90, 4, 0, 1, 1, 0x80]);
    assert_eq!(encoded(V5, &packet), [0x90, 5, 0, 1, 0, 1, 0x87]);
}

#[test]
fn mqtt_311_writes_no_properties() {
    let mut properties = PropertiesBuf::new();
    properties.push(Property::ContentType("text")).unwrap();
    let publish = qos_0("a", properties.as_properties(), b"hi");
    assert_eq!(encoded(V311, &Packet::Publish(publish)), b"\x30\x05\0\x01ahi");
    assert_eq!(encoded(V5, &Packet::Publish(publish)), b"\x30\x0d\0\x01a\x07\x03\0\x04texthi");
}

/// [MQTT-1.5.5-1].
#[test]
fn a_long_packet_has_a_long_remaining_length() {
    for (payload, length) in [
        (124, &[0x7F][..]),
        (125, &[0x80, 0x01]),
        (16_380, &[0xFF, 0x7F]),
        (16_381, &[0x80, 0x80, 0x01]),
        (2_097_149, &[0x80, 0x80, 0x80, 0x01]),
    ] {
        let payload = vec![0; payload];
        let publish = Packet::Publish(qos_0("a", Properties::EMPTY, &payload));
        let bytes = encoded(V311, &publish);
        assert_eq!(&bytes[1..=length.len()], length);
        assert_eq!(one(V311, &bytes), publish);
    }
}

#[test]
fn authentication_data_is_not_shown() {
    let mut properties = PropertiesBuf::new();
    properties.push(Property::AuthenticationMethod("m")).unwrap();
    properties.push(Property::AuthenticationData(&[42, 43])).unwrap();
    let shown = format!("{:?}", properties.as_properties());
    assert_eq!(shown, "[AuthenticationMethod(\"m\"), AuthenticationData(2 bytes)]");
}
