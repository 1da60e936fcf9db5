//! Any terms and any operations.

use engine::profile::{AWS, STANDARD};
use mqtt::{QoS, Version};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::operation::{Operation, Terms};

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
