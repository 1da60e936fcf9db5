//! What a client may publish: topics, aliases, sizes, quality of service, rate.

// What a test does not expect is a failure, whichever it is.
#![allow(clippy::wildcard_enum_match_arm)]

use std::sync::Arc;

use engine::Moment;
use engine::close::CloseReason;
use engine::limits::{Bounds, Quotas};
use engine::profile::{AWS, Profile, STANDARD};
use engine::rate::Rate;
use engine::session::{Lifetime, Rules, Session, Step, negotiate};
use mqtt::{
    Auth, Connect, Disconnect, Packet, PacketId, Properties, PropertiesBuf, Property, Publish, QoS,
    ReasonCode, TopicName, Version,
};

struct Device {
    session: Session<()>,
    out: Vec<u8>,
}

/// What the session made of a publish.
#[derive(Debug, PartialEq, Eq)]
enum Made {
    Published(String),
    Throttled(String),
    Repeated(u16),
    Closed(ReasonCode),
}

impl Device {
    fn new(version: Version, profile: &'static Profile, quotas: Quotas) -> Self {
        let rules = Arc::new(Rules::new(profile, quotas, &Bounds::default()));
        let connect = Connect {
            version,
            clean_start: true,
            keep_alive: 60,
            client_id: "lamp",
            properties: Properties::EMPTY,
            will: None,
            username: None,
            password: None,
        };
        let granted =
            negotiate(&connect, &rules, || unreachable!("it has a client ID")).expect("acceptable");
        let lifetime = Lifetime::Connection;
        let session = Session::new(rules, &granted, lifetime, None, Moment::START, None);
        Device { session, out: Vec::new() }
    }

    fn publish(&mut self, publish: Publish<'_>) -> Made {
        let step =
            self.session.handle_packet(Packet::Publish(publish), Moment::START, &mut self.out);
        match step {
            Step::Publish(incoming) => Made::Published(incoming.topic.as_str().to_owned()),
            Step::Repeated(id) => Made::Repeated(id.get()),
            Step::Throttled(topic) => Made::Throttled(topic.as_str().to_owned()),
            Step::Close(CloseReason::ClientError(code)) => Made::Closed(code),
            other => panic!("a PUBLISH led to {other:?}"),
        }
    }

    /// Publishes on a topic, by alias or both.
    fn publish_as(&mut self, topic: Option<&str>, alias: Option<u16>) -> Made {
        let mut properties = PropertiesBuf::new();
        if let Some(alias) = alias {
            properties.push(Property::TopicAlias(alias)).expect("valid");
        }
        let topic = topic.map(|topic| TopicName::parse(topic).expect("valid"));
        self.publish(Publish { topic, properties: properties.as_properties(), ..message() })
    }
}

fn message() -> Publish<'static> {
    Publish {
        dup: false,
        qos: QoS::AtMostOnce,
        retain: false,
        topic: TopicName::parse("a").ok(),
        packet_id: None,
        properties: Properties::EMPTY,
        payload: b"",
    }
}

fn device(version: Version, profile: &'static Profile) -> Device {
    Device::new(version, profile, Quotas::default().without_rates())
}

fn published(topic: &str) -> Made {
    Made::Published(topic.to_owned())
}

#[test]
fn topics_keep_the_rules_of_the_profile() {
    let longest = "x".repeat(256);
    let long = "x".repeat(257);
    let cases = [
        ("a", true),
        ("/", true),
        ("1/2/3/4/5/6/7/8", true),
        ("1/2/3/4/5/6/7/8/9", false),
        ("$aws/rules/r", false),
        ("$aws/rules//a", false),
        ("$aws/rules/r/a", true),
        ("$aws/rules/r/1/2/3/4/5/6/7/8", true),
        ("$aws/rules/r/1/2/3/4/5/6/7/8/9", false),
        ("$aws/events/presence/connected/x", false),
        ("a/$b", true),
        (&*longest, true),
        (&*long, false),
    ];
    for version in [Version::V311, Version::V5] {
        for (topic, aws) in cases {
            let expected =
                if aws { published(topic) } else { Made::Closed(ReasonCode::TopicNameInvalid) };
            assert_eq!(device(version, &AWS).publish_as(Some(topic), None), expected);
            assert_eq!(device(version, &STANDARD).publish_as(Some(topic), None), published(topic));
        }
    }
}

#[test]
fn an_alias_stands_for_the_topic_it_was_last_given() {
    let mut device = device(Version::V5, &AWS);
    assert_eq!(device.publish_as(Some("a"), Some(8)), published("a"));
    assert_eq!(device.publish_as(None, Some(8)), published("a"));
    assert_eq!(device.publish_as(Some("b"), Some(8)), published("b"));
    assert_eq!(device.publish_as(Some("c"), Some(1)), published("c"));
    assert_eq!(device.publish_as(None, Some(8)), published("b"));
    assert_eq!(device.publish_as(None, Some(1)), published("c"));
}

/// On a new connection a client may give the alias with a message that it sends again.
#[test]
fn a_message_that_was_taken_before_gives_its_alias() {
    let mut device = device(Version::V5, &STANDARD);
    let packet_id = PacketId::new(7);
    device.session.receive(packet_id.expect("not 0"));
    let mut properties = PropertiesBuf::new();
    properties.push(Property::TopicAlias(2)).expect("valid");
    let properties = properties.as_properties();
    let again = Publish { dup: true, qos: QoS::ExactlyOnce, packet_id, properties, ..message() };
    assert_eq!(device.publish(again), Made::Repeated(7));
    assert_eq!(device.publish_as(None, Some(2)), published("a"));
}

#[test]
fn aliases_out_of_range_or_never_given_end_the_connection() {
    for alias in [9, u16::MAX] {
        let closed = Made::Closed(ReasonCode::TopicAliasInvalid);
        assert_eq!(device(Version::V5, &AWS).publish_as(Some("a"), Some(alias)), closed);
        assert_eq!(device(Version::V5, &AWS).publish_as(None, Some(alias)), closed);
    }
    let closed = Made::Closed(ReasonCode::ProtocolError);
    let mut device = device(Version::V5, &AWS);
    assert_eq!(device.publish_as(None, Some(1)), closed);
    assert_eq!(device.publish_as(Some("a"), Some(3)), published("a"));
    for alias in [1, 2, 4] {
        assert_eq!(device.publish_as(None, Some(alias)), closed, "{alias}");
    }
}

#[test]
fn a_topic_that_is_refused_leaves_no_alias_behind() {
    let mut device = device(Version::V5, &AWS);
    let refused = device.publish_as(Some("$aws/x"), Some(1));
    assert_eq!(refused, Made::Closed(ReasonCode::TopicNameInvalid));
    assert_eq!(device.publish_as(None, Some(1)), Made::Closed(ReasonCode::ProtocolError));
}

#[test]
fn what_the_server_does_not_offer_ends_the_connection() {
    let id = PacketId::new(1);
    let qos2 = Publish { qos: QoS::ExactlyOnce, packet_id: id, ..message() };
    let mut named = PropertiesBuf::new();
    named.push(Property::SubscriptionIdentifier(1)).expect("valid");
    let named = Publish { properties: named.as_properties(), ..message() };
    let large = vec![0; 128 * 1024 + 1];
    let large = Publish { payload: &large, ..message() };
    for (publish, code) in [
        (qos2, ReasonCode::QoSNotSupported),
        (named, ReasonCode::ProtocolError),
        (large, ReasonCode::PacketTooLarge),
    ] {
        assert_eq!(device(Version::V5, &AWS).publish(publish), Made::Closed(code));
    }
    assert_eq!(device(Version::V5, &STANDARD).publish(qos2), published("a"));
    let largest = vec![0; 128 * 1024];
    let largest = Publish { payload: &largest, ..message() };
    assert_eq!(device(Version::V5, &AWS).publish(largest), published("a"));
}

#[test]
fn beyond_the_rate_a_publish_is_discarded_and_mqtt_5_is_told() {
    let rate = Some(Rate { per_second: 1, burst: 2 });
    for version in [Version::V311, Version::V5] {
        let quotas = Quotas { publishes_per_connection: rate, ..Quotas::default() };
        let mut device = Device::new(version, &AWS, quotas);
        let publish = Publish { qos: QoS::AtLeastOnce, packet_id: PacketId::new(9), ..message() };
        assert_eq!(device.publish(publish), published("a"));
        assert_eq!(device.publish(publish), published("a"));
        assert_eq!(device.out, [0; 0], "the broker acknowledges what it took");
        assert_eq!(device.publish(publish), Made::Throttled("a".into()));
        let told = mqtt::decode(&device.out, version, 1_000).expect("well-formed");
        let told = told.map(|(packet, _)| match packet {
            Packet::PubAck(ack) => (ack.packet_id.get(), ack.reason),
            other => panic!("a publish led to {other:?}"),
        });
        let expected = (9, ReasonCode::QuotaExceeded);
        assert_eq!(told, (version == Version::V5).then_some(expected));
    }
}

#[test]
fn packets_that_only_a_server_sends_end_the_connection() {
    let packet_id = PacketId::new(1).expect("not 0");
    let auth = Auth { reason: ReasonCode::ReAuthenticate, properties: Properties::EMPTY };
    let packets = [
        Packet::SubAck(mqtt::SubAck {
            packet_id,
            properties: Properties::EMPTY,
            reasons: vec![ReasonCode::Success],
        }),
        Packet::PingResp,
        Packet::Auth(auth),
    ];
    for packet in packets {
        let mut device = device(Version::V5, &AWS);
        let step = device.session.handle_packet(packet, Moment::START, &mut device.out);
        let expected = CloseReason::ClientError(ReasonCode::ProtocolError);
        assert!(matches!(step, Step::Close(reason) if reason == expected));
    }
}

#[test]
fn a_disconnect_says_whether_the_will_is_published_and_may_not_borrow_the_servers_words() {
    let disconnect = |reason| {
        let mut device = device(Version::V5, &AWS);
        let packet = Packet::Disconnect(Disconnect { reason, properties: Properties::EMPTY });
        match device.session.handle_packet(packet, Moment::START, &mut device.out) {
            Step::Disconnect { reason, session_expiry_seconds: None } => reason,
            Step::Close(reason) => reason,
            other => panic!("a DISCONNECT led to {other:?}"),
        }
    };
    let quietly = disconnect(ReasonCode::Success);
    assert_eq!(quietly, CloseReason::ClientInitiated { with_will: false });
    assert!(!quietly.publishes_will());
    let with_will = disconnect(ReasonCode::DisconnectWithWill);
    assert_eq!(with_will, CloseReason::ClientInitiated { with_will: true });
    assert!(with_will.publishes_will());
    for reason in [ReasonCode::ServerShuttingDown, ReasonCode::SessionTakenOver] {
        let expected = CloseReason::ClientError(ReasonCode::ProtocolError);
        assert_eq!(disconnect(reason), expected);
    }
}
