//! What may happen to a session, and the terms it began under.

use engine::profile::{AWS, Profile, STANDARD};
use engine::rate::Rate;
use mqtt::{QoS, ReasonCode, Version};
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// The terms of the connection and the quotas of the node.
#[derive(Clone, Debug)]
pub struct Terms {
    pub version: Version,
    pub profile: &'static Profile,
    pub keep_alive: u16,
    pub receive_maximum: Option<u16>,
    pub maximum_packet_size: Option<u32>,
    pub window: u16,
    pub rate: Option<Rate>,
    pub outbound_buffer_bytes: usize,
    pub life_seconds: Option<u64>,
}

impl Terms {
    pub fn any() -> impl Strategy<Value = Self> {
        let client = (
            select(vec![Version::V311, Version::V5]),
            select(vec![&AWS, &STANDARD]),
            0_u16..40,
            proptest::option::of(1_u16..6),
            proptest::option::of(512_u32..700),
        );
        let node = (
            1_u16..8,
            proptest::option::of((1_u32..50, 1_u32..50)),
            prop_oneof![600_usize..2_000, Just(1 << 20)],
            proptest::option::of(1_u64..200),
        );
        (client, node).prop_map(|(client, node)| Terms {
            version: client.0,
            profile: client.1,
            keep_alive: client.2,
            receive_maximum: client.3,
            maximum_packet_size: client.4,
            window: node.0,
            rate: node.1.map(|(per_second, burst)| Rate { per_second, burst }),
            outbound_buffer_bytes: node.2,
            life_seconds: node.3,
        })
    }

    /// Nothing in the way but the window.
    pub fn unlimited(window: u16) -> Self {
        Terms {
            version: Version::V5,
            profile: &STANDARD,
            keep_alive: 0,
            receive_maximum: None,
            maximum_packet_size: None,
            window,
            rate: None,
            outbound_buffer_bytes: 1 << 20,
            life_seconds: None,
        }
    }
}

/// One thing that happens.
#[derive(Clone, Debug)]
pub enum Operation {
    /// A direct message; with a timeout in milliseconds, a confirmed one.
    Send { timeout: Option<u64>, payload: usize, content_type: bool },
    /// A message of publish-subscribe to the device.
    Deliver { qos: QoS, payload: usize },
    /// A PUBACK of something that was written at some time: right, repeated or late.
    Acknowledge { which: Index, code: ReasonCode },
    /// A PUBACK of any packet identifier.
    AcknowledgeAny { id: u16 },
    /// Time passes; the node wakes up at every deadline on the way.
    Pass { millis: u64 },
    /// Time passes while the node is too busy to look at deadlines.
    Stall { millis: u64 },
    /// The device reads everything that waits for it.
    Read,
    /// PINGREQ.
    Ping,
    /// The device publishes.
    Publish { qos: QoS, named: Option<bool>, alias: Option<u16> },
    /// The device leaves.
    Disconnect { with_will: bool, expiry: Option<u32> },
}

impl Operation {
    pub fn any() -> impl Strategy<Value = Self> {
        let payload = || prop_oneof![4 => 0_usize..64, 2 => 470_usize..690, 1 => 0_usize..1_500];
        let millis = || prop_oneof![3 => 0_u64..400, 2 => 400_u64..6_000, 1 => 6_000_u64..70_000];
        let qos = || select(vec![QoS::AtMostOnce, QoS::AtLeastOnce]);
        prop_oneof![
            8 => (proptest::option::weighted(0.8, 1_u64..15_000), payload(), any::<bool>())
                .prop_map(|(timeout, payload, content_type)| {
                    Operation::Send { timeout, payload, content_type }
                }),
            3 => (qos(), payload()).prop_map(|(qos, payload)| Operation::Deliver { qos, payload }),
            6 => (any::<Index>(), puback_code())
                .prop_map(|(which, code)| Operation::Acknowledge { which, code }),
            1 => (1_u16..12).prop_map(|id| Operation::AcknowledgeAny { id }),
            3 => millis().prop_map(|millis| Operation::Pass { millis }),
            1 => millis().prop_map(|millis| Operation::Stall { millis }),
            3 => Just(Operation::Read),
            2 => Just(Operation::Ping),
            2 => (
                qos(),
                proptest::option::weighted(0.8, proptest::bool::weighted(0.9)),
                proptest::option::of(0_u16..10),
            )
                .prop_map(|(qos, named, alias)| Operation::Publish { qos, named, alias }),
            1 => (any::<bool>(), proptest::option::of(any::<u32>())).prop_map(
                |(with_will, expiry)| Operation::Disconnect { with_will, expiry }
            ),
        ]
    }
}

fn puback_code() -> impl Strategy<Value = ReasonCode> {
    prop_oneof![
        3 => Just(ReasonCode::Success),
        1 => Just(ReasonCode::NoMatchingSubscribers),
        1 => select(vec![
            ReasonCode::UnspecifiedError,
            ReasonCode::ImplementationSpecificError,
            ReasonCode::NotAuthorized,
            ReasonCode::TopicNameInvalid,
            ReasonCode::PacketIdentifierInUse,
            ReasonCode::QuotaExceeded,
            ReasonCode::PayloadFormatInvalid,
        ]),
    ]
}
