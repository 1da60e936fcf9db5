//! Strategies for packets that the standard allows.
//!
//! A packet borrows its text, so the strategies leak theirs: a few kilobytes in a test process.

use mqtt::{
    Ack, Auth, ConnAck, Connect, Disconnect, Packet, PacketId, Properties, PropertiesBuf, Property,
    Publish, QoS, ReasonCode, RetainHandling, SubAck, Subscribe, SubscribeOptions, TopicName,
    UnsubAck, Unsubscribe, Version, Will,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

fn text() -> impl Strategy<Value = &'static str> {
    let character = prop_oneof![
        4 => prop::char::range('a', 'f'),
        1 => select(vec!['/', '$', '+', '#', ' ', '\u{7F}', '\u{FEFF}']),
        1 => any::<char>().prop_filter("U+0000 is forbidden", |c| *c != '\0'),
    ];
    vec(character, 0..20).prop_map(|text| &*String::from_iter(text).leak())
}

fn topic() -> impl Strategy<Value = TopicName<'static>> {
    text().prop_filter_map("is no topic name", |text| TopicName::parse(text).ok())
}

fn bytes() -> impl Strategy<Value = &'static [u8]> {
    vec(any::<u8>(), 0..40).prop_map(|bytes| &*bytes.leak())
}

fn payload() -> impl Strategy<Value = &'static [u8]> {
    prop_oneof![9 => bytes(), 1 => vec(any::<u8>(), 120..20_000).prop_map(|bytes| &*bytes.leak())]
}

fn qos() -> impl Strategy<Value = QoS> {
    select(vec![QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce])
}

fn packet_id() -> impl Strategy<Value = PacketId> {
    (1..=u16::MAX).prop_map(|id| PacketId::new(id).unwrap())
}

fn reason(codes: &'static [u8]) -> impl Strategy<Value = ReasonCode> {
    select(codes).prop_map(|code| ReasonCode::try_from(code).unwrap())
}

pub fn property() -> impl Strategy<Value = Property<'static>> {
    prop_oneof![
        (0..2u8).prop_map(Property::PayloadFormatIndicator),
        any::<u32>().prop_map(Property::MessageExpiryInterval),
        text().prop_map(Property::ContentType),
        topic().prop_map(|topic| Property::ResponseTopic(topic.as_str())),
        bytes().prop_map(Property::CorrelationData),
        (1..=268_435_455u32).prop_map(Property::SubscriptionIdentifier),
        any::<u32>().prop_map(Property::SessionExpiryInterval),
        text().prop_map(Property::AssignedClientIdentifier),
        any::<u16>().prop_map(Property::ServerKeepAlive),
        prop_oneof![
            text().prop_map(Property::AuthenticationMethod),
            bytes().prop_map(Property::AuthenticationData),
            (0..2u8).prop_map(Property::RequestProblemInformation),
            any::<u32>().prop_map(Property::WillDelayInterval),
            (0..2u8).prop_map(Property::RequestResponseInformation),
            text().prop_map(Property::ResponseInformation),
            text().prop_map(Property::ServerReference),
            text().prop_map(Property::ReasonString),
        ],
        prop_oneof![
            (1..=u16::MAX).prop_map(Property::ReceiveMaximum),
            any::<u16>().prop_map(Property::TopicAliasMaximum),
            (1..=u16::MAX).prop_map(Property::TopicAlias),
            (0..2u8).prop_map(Property::MaximumQoS),
            (0..2u8).prop_map(Property::RetainAvailable),
            (1..=u32::MAX).prop_map(Property::MaximumPacketSize),
            (0..2u8).prop_map(Property::WildcardSubscriptionAvailable),
            (0..2u8).prop_map(Property::SubscriptionIdentifierAvailable),
            (0..2u8).prop_map(Property::SharedSubscriptionAvailable),
        ],
        (text(), text()).prop_map(|(name, value)| Property::UserProperty(name, value)),
    ]
}

/// A list of properties with these identifiers, written down here from the standard's table 2-4
/// and not from the code. User properties may always be there.
fn properties(
    version: Version,
    allowed: &'static [u8],
) -> impl Strategy<Value = Properties<'static>> {
    let most = match version {
        Version::V311 => 0,
        Version::V5 => 12,
    };
    vec(property(), 0..=most).prop_map(move |list| {
        let has_method = list.iter().any(|p| matches!(p, Property::AuthenticationMethod(_)));
        let mut chosen = PropertiesBuf::new();
        for property in list {
            let id = property.id();
            let lonely = matches!(property, Property::AuthenticationData(_)) && !has_method;
            // Outside PUBLISH (which alone has an alias) subscription identifiers do not repeat.
            let repeated = id == 0x0B
                && !allowed.contains(&0x23)
                && chosen.as_properties().subscription_identifier().is_some();
            if (allowed.contains(&id) || id == 0x26) && !lonely && !repeated {
                // A repeated property is refused, which leaves the list as it was.
                let _ = chosen.push(property);
            }
        }
        Box::leak(Box::new(chosen)).as_properties()
    })
}

fn will(version: Version) -> impl Strategy<Value = Will<'static>> {
    let allowed = &[0x01, 0x02, 0x03, 0x08, 0x09, 0x18];
    (qos(), any::<bool>(), topic(), payload(), properties(version, allowed)).prop_map(
        |(qos, retain, topic, payload, properties)| Will {
            qos,
            retain,
            topic,
            payload,
            properties,
        },
    )
}

fn connect(version: Version) -> impl Strategy<Value = Packet<'static>> {
    let allowed = &[0x11, 0x15, 0x16, 0x17, 0x19, 0x21, 0x22, 0x27];
    let credentials = (option::of(text()), option::of(bytes()));
    let names = (any::<bool>(), any::<u16>(), text());
    (names, properties(version, allowed), option::of(will(version)), credentials).prop_map(
        move |((clean_start, keep_alive, client_id), properties, will, (username, password))| {
            let lonely = version == Version::V311 && username.is_none();
            let password = password.filter(|_| !lonely);
            Packet::Connect(Connect {
                version,
                clean_start,
                keep_alive,
                client_id,
                properties,
                will,
                username,
                password,
            })
        },
    )
}

fn connack(version: Version) -> impl Strategy<Value = Packet<'static>> {
    let allowed = &[
        0x11, 0x12, 0x13, 0x15, 0x16, 0x1A, 0x1C, 0x1F, 0x21, 0x22, 0x24, 0x25, 0x27, 0x28, 0x29,
        0x2A,
    ];
    let codes: &[u8] = match version {
        Version::V311 => &[0x00, 0x84, 0x85, 0x86, 0x87, 0x88],
        Version::V5 => &[
            0x00, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8A, 0x8C, 0x90,
            0x95, 0x97, 0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9F,
        ],
    };
    (any::<bool>(), reason(codes), properties(version, allowed)).prop_map(
        |(present, reason, properties)| {
            let session_present = present && !reason.is_error();
            Packet::ConnAck(ConnAck { session_present, reason, properties })
        },
    )
}

fn publish(version: Version) -> impl Strategy<Value = Packet<'static>> {
    let allowed = &[0x01, 0x02, 0x03, 0x08, 0x09, 0x0B, 0x23];
    let head = (any::<bool>(), qos(), any::<bool>(), packet_id());
    (head, topic(), any::<bool>(), properties(version, allowed), payload()).prop_map(
        |((dup, qos, retain, id), topic, hide, properties, payload)| {
            let hidden = hide && properties.topic_alias().is_some();
            let acknowledged = qos != QoS::AtMostOnce;
            Packet::Publish(Publish {
                dup: dup && acknowledged,
                qos,
                retain,
                topic: (!hidden).then_some(topic),
                packet_id: acknowledged.then_some(id),
                properties,
                payload,
            })
        },
    )
}

fn ack(
    version: Version,
    codes: &'static [u8],
    packet: fn(Ack<'static>) -> Packet<'static>,
) -> impl Strategy<Value = Packet<'static>> {
    (packet_id(), reason(codes), properties(version, &[0x1F])).prop_map(
        move |(packet_id, reason, properties)| packet(Ack { packet_id, reason, properties }),
    )
}

fn acks(version: Version) -> BoxedStrategy<Packet<'static>> {
    let (received, released): (&[u8], &[u8]) = match version {
        Version::V311 => (&[0x00], &[0x00]),
        Version::V5 => (&[0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99], &[0x00, 0x92]),
    };
    prop_oneof![
        ack(version, received, Packet::PubAck),
        ack(version, received, Packet::PubRec),
        ack(version, released, Packet::PubRel),
        ack(version, released, Packet::PubComp),
    ]
    .boxed()
}

fn options(version: Version) -> impl Strategy<Value = SubscribeOptions> {
    let handling = vec![RetainHandling::Send, RetainHandling::SendIfNew, RetainHandling::DoNotSend];
    (qos(), any::<bool>(), any::<bool>(), select(handling)).prop_map(
        move |(qos, no_local, retain_as_published, retain_handling)| match version {
            Version::V311 => SubscribeOptions { qos, ..SubscribeOptions::default() },
            Version::V5 => SubscribeOptions { qos, no_local, retain_as_published, retain_handling },
        },
    )
}

fn subscribe(version: Version) -> impl Strategy<Value = Packet<'static>> {
    let filter = prop_oneof![text(), Just("$share/group/a/+"), Just("a/#")];
    let filters = vec((filter, options(version)), 1..5).prop_map(|mut filters| {
        for (filter, options) in &mut filters {
            options.no_local &= !filter.starts_with("$share/");
        }
        filters
    });
    (packet_id(), properties(version, &[0x0B]), filters).prop_map(
        |(packet_id, properties, filters)| {
            Packet::Subscribe(Subscribe { packet_id, properties, filters })
        },
    )
}

fn suback(version: Version) -> impl Strategy<Value = Packet<'static>> {
    let codes: &[u8] = match version {
        Version::V311 => &[0x00, 0x01, 0x02, 0x80],
        Version::V5 => &[0x00, 0x01, 0x02, 0x80, 0x83, 0x87, 0x8F, 0x91, 0x97, 0x9E, 0xA1, 0xA2],
    };
    (packet_id(), properties(version, &[0x1F]), vec(reason(codes), 1..5)).prop_map(
        |(packet_id, properties, reasons)| {
            Packet::SubAck(SubAck { packet_id, properties, reasons })
        },
    )
}

fn unsubscribe(version: Version) -> impl Strategy<Value = Packet<'static>> {
    (packet_id(), properties(version, &[]), vec(text(), 1..5)).prop_map(
        |(packet_id, properties, filters)| {
            Packet::Unsubscribe(Unsubscribe { packet_id, properties, filters })
        },
    )
}

fn unsuback(version: Version) -> impl Strategy<Value = Packet<'static>> {
    let reasons = match version {
        Version::V311 => vec(reason(&[0x00]), 0..1),
        Version::V5 => vec(reason(&[0x00, 0x11, 0x80, 0x83, 0x87, 0x8F, 0x91]), 1..5),
    };
    (packet_id(), properties(version, &[0x1F]), reasons).prop_map(
        |(packet_id, properties, reasons)| {
            Packet::UnsubAck(UnsubAck { packet_id, properties, reasons })
        },
    )
}

fn disconnect(version: Version) -> impl Strategy<Value = Packet<'static>> {
    let codes: &[u8] = match version {
        Version::V311 => &[0x00],
        Version::V5 => &[
            0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8B, 0x8C, 0x8D, 0x8E, 0x8F, 0x90,
            0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9E, 0x9F, 0xA0,
            0xA1, 0xA2,
        ],
    };
    (reason(codes), properties(version, &[0x11, 0x1C, 0x1F]))
        .prop_map(|(reason, properties)| Packet::Disconnect(Disconnect { reason, properties }))
}

fn auth() -> impl Strategy<Value = Packet<'static>> {
    let list = properties(Version::V5, &[0x15, 0x16, 0x1F]);
    (reason(&[0x00, 0x18, 0x19]), list).prop_map(|(reason, properties)| {
        let named = properties.authentication_method().is_some();
        Packet::Auth(if named {
            Auth { reason, properties }
        } else {
            Auth { reason: ReasonCode::Success, properties: Properties::EMPTY }
        })
    })
}

fn packet_of(version: Version) -> BoxedStrategy<Packet<'static>> {
    let common = prop_oneof![
        connect(version),
        connack(version),
        publish(version),
        acks(version),
        subscribe(version),
        suback(version),
        unsubscribe(version),
        unsuback(version),
        disconnect(version),
        select(vec![Packet::PingReq, Packet::PingResp]),
    ];
    match version {
        Version::V311 => common.boxed(),
        Version::V5 => prop_oneof![10 => common, 1 => auth()].boxed(),
    }
}

/// Any packet that may be sent in the version beside it.
pub fn packet() -> impl Strategy<Value = (Version, Packet<'static>)> {
    select(vec![Version::V311, Version::V5])
        .prop_flat_map(|version| (Just(version), packet_of(version)))
}
