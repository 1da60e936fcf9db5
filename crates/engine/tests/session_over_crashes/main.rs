//! A session that outlives its process, driven by random operations with lost bytes, lost
//! connections and crashes, against a client that keeps the standard's rules for each QoS.

// What a test does not expect is a failure, whichever it is.
#![allow(clippy::wildcard_enum_match_arm)]

mod client;
mod journal;
mod operation;
mod server;
mod strategy;
mod wire;
mod world;

use engine::profile::AWS;
use mqtt::{QoS, Version};
use operation::{Operation, Terms};
use proptest::prelude::*;
use world::World;

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_024, failure_persistence: None, ..Default::default() })]

    /// The invariants are asserted with every operation, see [`World`] and
    /// [`Server`](server::Server) ([MQTT-4.3.2-1], [MQTT-4.3.3-1]).
    #[test]
    fn what_was_promised_arrives_as_its_qos_says_over_lost_connections_and_crashes(
        terms in Terms::any(),
        operations in proptest::collection::vec(Operation::any(), 1..160),
    ) {
        run(&terms, &operations);
    }
}

fn run(terms: &Terms, operations: &[Operation]) {
    let mut world = World::new(terms);
    for operation in operations {
        world.apply(operation);
    }
    world.settle();
}

/// The client may use a packet ID again once it has the PUBCOMP, also when it got that on another
/// connection than the one on which it sent its PUBREL.
#[test]
fn a_pubcomp_on_the_next_connection_waits_until_the_release_is_durable() {
    let terms = Terms::standard(Version::V5);
    run(
        &terms,
        &[
            Operation::Connect,
            Operation::Publish(QoS::ExactlyOnce),
            Operation::ToServer(1),
            Operation::Commit(9),
            Operation::ToClient(1),
            Operation::ToServer(1),
            Operation::TakeOver,
            Operation::ToServer(1),
            Operation::ToClient(1),
            Operation::Crash,
        ],
    );
}

/// A second copy behind the first would be under way when the first is acknowledged and its packet
/// ID is free.
#[test]
fn a_message_that_waits_for_the_disk_is_not_sent_a_second_time() {
    let terms = Terms { profile: &AWS, window: 1, ..Terms::standard(Version::V5) };
    run(
        &terms,
        &[
            Operation::Deliver(QoS::AtLeastOnce),
            Operation::Connect,
            Operation::Publish(QoS::AtLeastOnce),
            Operation::ToServer(1),
            Operation::Pass(30_000),
            Operation::Commit(1),
            Operation::ToClient(1),
            Operation::ToServer(1),
            Operation::Deliver(QoS::AtLeastOnce),
            Operation::Commit(9),
        ],
    );
}
