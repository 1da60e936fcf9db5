//! Packets and properties that must not be written.
#![allow(clippy::unwrap_used, reason = "a failed test should panic")]

use mqtt::Version::{V5, V311};
use mqtt::{
    Ack, Auth, ConnAck, Connect, Disconnect, EncodeError, Packet, PacketId, Properties,
    PropertiesBuf, Property, Publish, QoS, ReasonCode, SubAck, Subscribe, SubscribeOptions,
    TopicName, UnsubAck, Unsubscribe, Version, Will,
};

fn id() -> PacketId {
    PacketId::new(1).unwrap()
}

fn refused(version: Version, packet: Packet<'_>) -> EncodeError {
    let mut out = vec![1, 2, 3];
    let error = packet.encode(version, &mut out).unwrap_err();
    assert_eq!(out, [1, 2, 3], "output was touched by {}", packet.name());
    error
}

fn list(properties: &[Property<'_>]) -> PropertiesBuf {
    let mut buf = PropertiesBuf::new();
    for property in properties {
        buf.push(*property).unwrap();
    }
    buf
}

fn publish<'a>() -> Publish<'a> {
    Publish {
        dup: false,
        qos: QoS::AtLeastOnce,
        retain: false,
        topic: TopicName::parse("t").ok(),
        packet_id: Some(id()),
        properties: Properties::EMPTY,
        payload: b"",
    }
}

fn connect<'a>(version: Version) -> Connect<'a> {
    Connect {
        version,
        clean_start: true,
        keep_alive: 0,
        client_id: "c",
        properties: Properties::EMPTY,
        will: None,
        username: None,
        password: None,
    }
}

/// [MQTT-2.2.1-2], [MQTT3-2.3.1-5], [MQTT-3.3.1-2], [MQTT3-3.3.1-2], [MQTT-4.3.1-1],
/// [MQTT3-4.3.1-1].
#[test]
fn publish_fields_must_agree() {
    for version in [V311, V5] {
        let no_id = Publish { packet_id: None, ..publish() };
        let id_for_qos_0 = Publish { qos: QoS::AtMostOnce, ..publish() };
        let dup_for_qos_0 =
            Publish { qos: QoS::AtMostOnce, packet_id: None, dup: true, ..publish() };
        let no_topic = Publish { topic: None, ..publish() };
        for packet in [no_id, id_for_qos_0, dup_for_qos_0, no_topic] {
            let error = refused(version, Packet::Publish(packet));
            assert!(matches!(error, EncodeError::Invalid { .. }), "{error}");
        }
    }
    let alias = list(&[Property::TopicAlias(1)]);
    let hidden = Publish { topic: None, properties: alias.as_properties(), ..publish() };
    assert!(hidden.encode(V5, &mut Vec::new()).is_ok());
    refused(V311, Packet::Publish(hidden));
}

#[test]
fn properties_must_belong_to_the_packet() {
    let expiry = list(&[Property::SessionExpiryInterval(1)]);
    let properties = expiry.as_properties();
    let error = refused(V5, Packet::Publish(Publish { properties, ..publish() }));
    assert!(matches!(error, EncodeError::Properties { packet: "PUBLISH", .. }), "{error}");
    refused(V5, Packet::PubAck(Ack { packet_id: id(), reason: ReasonCode::Success, properties }));
    let will = Will {
        qos: QoS::AtMostOnce,
        retain: false,
        topic: TopicName::parse("t").unwrap(),
        payload: b"",
        properties,
    };
    refused(V5, Packet::Connect(Connect { will: Some(will), ..connect(V5) }));

    let ids = list(&[Property::SubscriptionIdentifier(1), Property::SubscriptionIdentifier(2)]);
    let filters = vec![("a", SubscribeOptions::default())];
    let properties = ids.as_properties();
    refused(V5, Packet::Subscribe(Subscribe { packet_id: id(), properties, filters }));
    assert!(Publish { properties, ..publish() }.encode(V5, &mut Vec::new()).is_ok());

    let data = list(&[Property::AuthenticationData(b"d")]);
    refused(V5, Packet::Connect(Connect { properties: data.as_properties(), ..connect(V5) }));
}

/// [MQTT-3.4.2-1], [MQTT-3.7.2-1], [MQTT-3.2.2-8], [MQTT-3.9.3-2], [MQTT-3.11.3-2],
/// [MQTT-3.15.2-1], [MQTT-3.14.2-1].
#[test]
fn reasons_must_belong_to_the_packet() {
    let properties = Properties::EMPTY;
    let reason = ReasonCode::KeepAliveTimeout;
    let cases = [
        Packet::PubAck(Ack { packet_id: id(), reason, properties }),
        Packet::PubComp(Ack { packet_id: id(), reason, properties }),
        Packet::ConnAck(ConnAck { session_present: false, reason, properties }),
        Packet::SubAck(SubAck { packet_id: id(), properties, reasons: vec![reason] }),
        Packet::UnsubAck(UnsubAck { packet_id: id(), properties, reasons: vec![reason] }),
        Packet::Auth(Auth { reason, properties }),
        Packet::Disconnect(Disconnect { reason: ReasonCode::ClientIdentifierNotValid, properties }),
    ];
    for packet in cases {
        let error = refused(V5, packet);
        assert!(matches!(error, EncodeError::ReasonNotAllowed { .. }), "{error}");
    }
}

/// [MQTT3-3.2.2-6].
#[test]
fn mqtt_311_cannot_say_what_it_has_no_bytes_for() {
    let properties = Properties::EMPTY;
    let refusal = Ack { packet_id: id(), reason: ReasonCode::NotAuthorized, properties };
    refused(V311, Packet::PubAck(refusal));
    refused(V311, Packet::PubRec(refusal));
    let reason = ReasonCode::SessionTakenOver;
    refused(V311, Packet::Disconnect(Disconnect { reason, properties }));
    let reason = ReasonCode::QuotaExceeded;
    refused(V311, Packet::ConnAck(ConnAck { session_present: false, reason, properties }));
    refused(V311, Packet::Auth(Auth { reason: ReasonCode::Success, properties }));
    refused(V311, Packet::Connect(Connect { password: Some(b"p"), ..connect(V311) }));
    // A PUBCOMP is the same whether the identifier was known or not.
    let reason = ReasonCode::PacketIdentifierNotFound;
    let pubcomp = Packet::PubComp(Ack { packet_id: id(), reason, properties });
    assert!(pubcomp.encode(V311, &mut Vec::new()).is_ok());
}

/// [MQTT-3.8.3-2], [MQTT3-3.8.3-3], [MQTT-3.10.3-2], [MQTT3-3.10.3-2].
#[test]
fn lists_must_not_be_empty() {
    let properties = Properties::EMPTY;
    for version in [V311, V5] {
        refused(
            version,
            Packet::Subscribe(Subscribe { packet_id: id(), properties, filters: vec![] }),
        );
        refused(
            version,
            Packet::Unsubscribe(Unsubscribe { packet_id: id(), properties, filters: vec![] }),
        );
        refused(version, Packet::SubAck(SubAck { packet_id: id(), properties, reasons: vec![] }));
    }
    refused(V5, Packet::UnsubAck(UnsubAck { packet_id: id(), properties, reasons: vec![] }));
}

/// [MQTT-3.2.2-6], [MQTT-3.8.3-4].
#[test]
fn other_combinations_that_the_standard_forbids() {
    let properties = Properties::EMPTY;
    let reason = ReasonCode::NotAuthorized;
    refused(V5, Packet::ConnAck(ConnAck { session_present: true, reason, properties }));
    let reason = ReasonCode::ContinueAuthentication;
    refused(V5, Packet::Auth(Auth { reason, properties }));
    let options = SubscribeOptions { no_local: true, ..SubscribeOptions::default() };
    let filters = vec![("$share/g/a", options)];
    refused(V5, Packet::Subscribe(Subscribe { packet_id: id(), properties, filters }));
}

#[test]
fn texts_must_fit_and_be_without_nul() {
    let long = "a".repeat(65_536);
    let too_long = |what| EncodeError::FieldTooLong { what, len: 65_536 };
    let client_id = refused(V5, Packet::Connect(Connect { client_id: &long, ..connect(V5) }));
    assert_eq!(client_id, too_long("client identifier"));
    let password = Connect { password: Some(long.as_bytes()), ..connect(V5) };
    assert_eq!(refused(V5, Packet::Connect(password)), too_long("password"));
    let username = refused(V5, Packet::Connect(Connect { username: Some("\0"), ..connect(V5) }));
    assert_eq!(username, EncodeError::NulCharacter { what: "user name" });
    let filters = vec!["a\0"];
    let properties = Properties::EMPTY;
    let filter = Packet::Unsubscribe(Unsubscribe { packet_id: id(), properties, filters });
    assert_eq!(refused(V5, filter), EncodeError::NulCharacter { what: "topic filter" });
}

/// [MQTT-3.3.2-8], [MQTT-3.3.2-14], [MQTT-1.5.7-1].
#[test]
fn a_property_list_refuses_wrong_values_and_stays_as_it_was() {
    let long = "a".repeat(65_536);
    let cases = [
        Property::PayloadFormatIndicator(2),
        Property::ContentType(&long),
        Property::ContentType("a\0"),
        Property::CorrelationData(long.as_bytes()),
        Property::ResponseTopic("a/#"),
        Property::ResponseTopic(""),
        Property::SubscriptionIdentifier(0),
        Property::SubscriptionIdentifier(268_435_456),
        Property::ReceiveMaximum(0),
        Property::MaximumPacketSize(0),
        Property::TopicAlias(0),
        Property::MaximumQoS(2),
        Property::UserProperty("\0", ""),
        Property::UserProperty("", &long),
        // It is there already.
        Property::MessageExpiryInterval(2),
    ];
    let mut buf = list(&[Property::MessageExpiryInterval(1)]);
    let before = buf.clone();
    for property in cases {
        assert!(buf.push(property).is_err(), "{:?} was accepted", property.id());
        assert_eq!(buf, before);
    }
    buf.push(Property::UserProperty("a", "b")).unwrap();
    buf.push(Property::UserProperty("a", "b")).unwrap();
    let pairs: Vec<_> = buf.as_properties().user_properties().collect();
    assert_eq!(pairs, [("a", "b"), ("a", "b")]);
}

#[test]
fn reason_codes_are_exactly_those_of_the_standard() {
    for code in 0..=u8::MAX {
        if let Ok(reason) = ReasonCode::try_from(code) {
            assert_eq!(reason.code(), code);
            assert!(ReasonCode::ALL.contains(&reason));
        }
    }
    assert_eq!(ReasonCode::ALL.len(), 43);
    assert_eq!(ReasonCode::NotAuthorized.to_string(), "NotAuthorized (0x87)");
    assert!(ReasonCode::NotAuthorized.is_error());
    assert!(!ReasonCode::NoMatchingSubscribers.is_error());
}
