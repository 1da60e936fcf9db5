//! A session driven by random operations under virtual time, against a small model of what the
//! device and the senders know.

// What a test does not expect is a failure, whichever it is.
#![allow(clippy::wildcard_enum_match_arm)]

mod client;
mod harness;
mod operation;
mod packets;
mod waiter;

use harness::Harness;
use operation::{Operation, Terms};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..Default::default() })]

    /// The invariants are asserted after every operation, see [`Harness`].
    #[test]
    fn every_waiter_settles_once_and_only_a_puback_of_its_own_confirms(
        terms in Terms::any(),
        operations in proptest::collection::vec(Operation::any(), 1..120),
    ) {
        let mut harness = Harness::new(&terms);
        for operation in &operations {
            if harness.is_closed() {
                break;
            }
            harness.apply(operation);
            harness.check();
        }
        harness.close();
    }
}

/// The 16 bits of the packet identifiers wrap around while some stay taken.
#[test]
fn a_packet_id_is_not_reused_while_unacknowledged_over_a_wrap_around() {
    let mut harness = Harness::new(&Terms::unlimited(8));
    for at in 0..70_000 {
        harness.send_confirmed(b"");
        if ![0, 5, 6, 60_000].contains(&at) {
            harness.acknowledge_newest();
        }
    }
    harness.check();
    harness.close();
}
