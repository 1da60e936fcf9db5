//! A session that outlives its process: operations of both sides, with lost connections and crashes,
//! against the client and the server of the engine's property test, which assert the invariants.

#![no_main]

#[path = "../../crates/engine/tests/session_over_crashes/client.rs"]
mod client;
#[path = "../../crates/engine/tests/session_over_crashes/journal.rs"]
mod journal;
#[path = "../../crates/engine/tests/session_over_crashes/operation.rs"]
mod operation;
#[path = "../../crates/engine/tests/session_over_crashes/server.rs"]
mod server;
#[path = "../../crates/engine/tests/session_over_crashes/wire.rs"]
mod wire;
#[path = "../../crates/engine/tests/session_over_crashes/world.rs"]
mod world;

use engine::profile::{AWS, STANDARD};
use libfuzzer_sys::fuzz_target;
use mqtt::{QoS, Version};
use operation::{Operation, Terms};
use world::World;

/// The most operations of one input.
const OPERATIONS: usize = 400;

// Three bytes for the terms, then a byte an operation: what in the lower four bits, how much in the
// upper four.
fuzz_target!(|bytes: &[u8]| {
    let Some((&[choice, windows, queued], operations)) = bytes.split_first_chunk() else { return };
    let terms = Terms {
        profile: if choice & 2 == 0 { &STANDARD } else { &AWS },
        window: u16::from(windows & 15) + 1,
        inbound: u16::from(windows >> 4) % 6 + 1,
        aliases: u16::from(choice >> 2 & 1),
        queued: usize::from(queued) + 1,
        bound: [65_533, 1, 65_534][..usize::from(choice >> 3 & 3)].to_vec(),
        ..Terms::standard(if choice & 1 == 0 { Version::V5 } else { Version::V311 })
    };
    let mut world = World::new(&terms);
    for byte in operations.iter().take(OPERATIONS) {
        world.apply(&operation(byte & 15, usize::from(byte >> 4)));
    }
    world.settle();
});

fn operation(what: u8, amount: usize) -> Operation {
    match what {
        0 => Operation::Deliver(QoS::AtMostOnce),
        1 => Operation::Deliver(QoS::AtLeastOnce),
        2 | 3 => Operation::Deliver(QoS::ExactlyOnce),
        4 => Operation::Publish(QoS::AtLeastOnce),
        5 | 6 => Operation::Publish(QoS::ExactlyOnce),
        7 => Operation::Direct,
        8 => Operation::ToServer(amount),
        9 => Operation::ToClient(amount),
        10 => Operation::Commit(amount),
        11 => Operation::Part,
        12 => Operation::Connect,
        13 => Operation::TakeOver,
        14 => Operation::Crash,
        _ => Operation::Pass(amount as u64 * 3_000),
    }
}
