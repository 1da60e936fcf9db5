//! What may happen, and the terms between the client and the server.

use engine::profile::{Profile, STANDARD};
use mqtt::{QoS, Version};

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
