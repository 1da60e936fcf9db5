//! One connected client under one epoch.
//!
//! A [`Session`] knows the rules of the protocol on this connection and nothing of other clients.
//! Its methods are of four kinds:
//!
//! * [`Session::handle_packet`]: what the client sent; answers are appended to the output, what
//!   concerns others comes back as a [`Step`].
//! * [`Session::send_direct`], [`Session::deliver`], [`Session::acknowledge`]: commands of the
//!   broker.
//! * [`Session::poll_timeout`]: when to call next; then [`Session::handle_timeout`] and
//!   [`Session::poll_expired`] until it has no more.
//! * getters.
//!
//! Dropping a session drops every waiter `W`, which settles it as disconnected.

mod connect;
mod deliver;
mod direct;
mod packet;
mod publish;
mod timeout;

use std::sync::Arc;

use mqtt::{Packet, PacketId, Publish, QoS, Version};

use crate::Moment;
use crate::close::CloseReason;
use crate::inflight::Inflight;
use crate::limits::Quotas;
use crate::profile::Profile;
use crate::rate::{Bucket, Rate};

pub use connect::{Granted, Refusal, negotiate};
pub use deliver::{Delivered, Delivery};
pub use packet::Step;
pub use publish::{Incoming, Topic};

/// Stands for a packet ID where only its length matters.
const ANY_PACKET_ID: Option<PacketId> = PacketId::new(1);

/// The rules of a node: the same for all its sessions.
#[derive(Clone, Debug)]
pub struct Rules {
    /// MQTT as AWS or as the standards have it.
    pub profile: &'static Profile,
    /// The quotas of the contract.
    pub quotas: Quotas,
    /// Bytes waiting to be written to one device; beyond it the connection is not writable.
    pub outbound_buffer_bytes: usize,
}

/// The state of one connected client. `W` is whoever waits for a delivery.
#[derive(Debug)]
pub struct Session<W> {
    rules: Arc<Rules>,
    version: Version,
    window: u16,
    packet_size_max: u32,
    keep_alive_seconds: u16,
    last_received: Moment,
    expires: Option<Moment>,
    inflight: Inflight<W>,
    budget: Bucket,
    aliases: Vec<Option<Arc<str>>>,
}

impl<W> Session<W> {
    /// The session of a client whose CONNECT was granted at `now`. `expires` is the end of the
    /// connection's life, if it has one (WebSocket, spec 3).
    pub fn new(rules: Arc<Rules>, granted: &Granted, now: Moment, expires: Option<Moment>) -> Self {
        Session {
            version: granted.version,
            window: granted.receive_maximum.min(rules.quotas.outbound_unacknowledged),
            packet_size_max: granted.packet_size_max,
            keep_alive_seconds: granted.keep_alive_seconds,
            last_received: now,
            expires,
            inflight: Inflight::default(),
            budget: Bucket::new(),
            aliases: Vec::new(),
            rules,
        }
    }

    /// The protocol version of the connection.
    pub fn version(&self) -> Version {
        self.version
    }

    /// How many QoS 1 messages wait for the client's PUBACK.
    pub fn inflight(&self) -> usize {
        self.inflight.len()
    }

    /// Whether anybody waits for a confirmation.
    pub fn has_waiters(&self) -> bool {
        self.inflight.next_deadline().is_some()
    }

    /// The largest packet this connection may send us, in bytes (the whole packet).
    pub fn packet_size_limit(&self) -> usize {
        packet_size_limit(&self.rules)
    }

    /// Appends the DISCONNECT that says `reason`, if there is one to say: MQTT 5 only
    /// ([MQTT-4.13.1-1]; MQTT 3.1.1 clients see the socket close).
    pub fn farewell(&self, reason: CloseReason, out: &mut Vec<u8>) {
        if let (Version::V5, Some(reason)) = (self.version, reason.disconnect_code()) {
            let properties = mqtt::Properties::EMPTY;
            encode(&Packet::Disconnect(mqtt::Disconnect { reason, properties }), self.version, out);
        }
    }

    /// The length of a PUBLISH with the packet ID that it will get if its QoS needs one.
    fn length_on_the_wire(&self, publish: &Publish<'_>) -> usize {
        let packet_id = (publish.qos != QoS::AtMostOnce).then_some(ANY_PACKET_ID).flatten();
        Publish { packet_id, ..*publish }.encoded_len(self.version)
    }

    fn publish_rate(&self) -> Option<Rate> {
        self.rules.quotas.publishes_per_connection
    }
}

/// The largest packet a client may send, in bytes: what is announced, and room for the fixed
/// header.
pub fn packet_size_limit(rules: &Rules) -> usize {
    rules.profile.maximum_packet_size as usize + 5
}

/// Appends a packet of ours. Ours are well-formed by construction; one that is not would be a
/// fault of this crate and is left out rather than written half.
fn encode(packet: &Packet<'_>, version: Version, out: &mut Vec<u8>) {
    let before = out.len();
    if packet.encode(version, out).is_err() {
        debug_assert!(false, "a packet of our own does not encode: {packet:?}");
        out.truncate(before);
    }
}
