//! What may happen, and the terms between the client and the server.

use engine::profile::{AWS, Profile, STANDARD};
use mqtt::{QoS, Version};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

/// The terms of every connection of the client.
#[derive(Clone, Debug)]
pub struct Terms {
    pub version: Version,
    pub profile: &'static Profile,
    /// Messages to the client that may be unacknowledged.
    pub window: u16,
    /// Messages of the client that may be unacknowledged.
    pub inbound: u16,
    /// The client's Topic Alias Maximum.
    pub aliases: u16,
    /// Messages that may wait for the client.
    pub queued: usize,
    /// The packet IDs of the messages at QoS 2 that the server begins with, first to last.
    pub bound: Vec<u16>,
}

impl Terms {
    pub fn any() -> impl Strategy<Value = Self> {
        (
            select(vec![Version::V311, Version::V5]),
            select(vec![&AWS, &STANDARD, &STANDARD]),
            1_u16..12,
            1_u16..6,
            0_u16..2,
            prop_oneof![2 => Just(1_000_usize), 1 => 1_usize..6],
            // IDs that are soon come round to, in any order.
            subsequence(vec![65_533, 65_534, 65_535, 1, 2, 3, 4], 0..4).prop_shuffle(),
        )
            .prop_map(|(version, profile, window, inbound, aliases, queued, bound)| {
                Terms { version, profile, window, inbound, aliases, queued, bound }
            })
    }

    /// The rules of the standard, and nothing in the way.
    pub fn standard(version: Version) -> Self {
        let (window, inbound, queued) = (10, 10, 1_000);
        let (profile, aliases, bound) = (&STANDARD, 0, Vec::new());
        Terms { version, profile, window, inbound, aliases, queued, bound }
    }
}

/// One thing that happens.
#[derive(Clone, Debug)]
pub enum Operation {
    /// Somebody publishes to the client.
    Deliver(QoS),
    /// The client publishes.
    Publish(QoS),
    /// A confirmed direct message.
    Direct,
    /// That many packets of the client reach the server.
    ToServer(usize),
    /// That many packets of the server reach the client.
    ToClient(usize),
    /// That many groups of changes become durable.
    Commit(usize),
    /// The connection is lost, and everything under way with it.
    Part,
    /// The client connects, if it is not connected.
    Connect,
    /// The client connects whether the server thinks it is connected or not.
    TakeOver,
    /// The server loses all that is not durable, and starts anew.
    Crash,
    /// Time passes, in milliseconds.
    Pass(u64),
}

impl Operation {
    pub fn any() -> impl Strategy<Value = Self> {
        let qos = || {
            prop_oneof![
                1 => Just(QoS::AtMostOnce),
                3 => Just(QoS::AtLeastOnce),
                4 => Just(QoS::ExactlyOnce),
            ]
        };
        let some = || prop_oneof![4 => 1_usize..4, 1 => Just(usize::MAX)];
        prop_oneof![
            6 => qos().prop_map(Operation::Deliver),
            6 => qos().prop_map(Operation::Publish),
            1 => Just(Operation::Direct),
            8 => some().prop_map(Operation::ToServer),
            8 => some().prop_map(Operation::ToClient),
            8 => some().prop_map(Operation::Commit),
            1 => Just(Operation::Part),
            4 => Just(Operation::Connect),
            2 => Just(Operation::TakeOver),
            1 => Just(Operation::Crash),
            1 => (0_u64..40_000).prop_map(Operation::Pass),
        ]
    }
}
