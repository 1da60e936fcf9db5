//! One connected client under one epoch.
//!
//! A [`Session`] knows the rules of the protocol on this connection and nothing of other clients.
//! Its methods are of four kinds:
//!
//! * [`Session::handle_packet`]: what the client sent; answers are appended to the output, what
//!   concerns others comes back as a [`Step`].
//! * [`Session::send_direct`], [`Session::deliver`], [`Session::acknowledge`]: commands of the
//!   broker; [`Session::poll_backlog`] until there is no more when there may be room for what waits.
//! * [`Session::poll_timeout`]: when to call next; then [`Session::handle_timeout`] and
//!   [`Session::poll_expired`] until it has no more.
//! * getters.
//!
//! What a session keeps beyond its connection is its [`Memory`]: the connection takes it over when it
//! begins and gives it back by [`Session::suspend`]. If it is to survive a crash, every change of it
//! is told as a [`Change`] ([`Session::take_changes`]), and what must not be said before a change is
//! durable is held back until [`Session::release`].
//!
//! Dropping a session drops every waiter `W`, which settles it as disconnected.

mod acknowledge;
mod aliases;
mod backlog;
mod change;
mod connect;
mod deliver;
mod direct;
mod hold;
mod memory;
mod packet;
mod publish;
mod timeout;

use std::collections::BTreeSet;
use std::sync::Arc;

use mqtt::{
    Packet, PacketId, Properties, PropertiesBuf, Property, Publish, QoS, ReasonCode, Version,
};

use crate::close::CloseReason;
use crate::inflight::Inflight;
use crate::limits::{Bounds, Quotas};
use crate::profile::Profile;
use crate::queue::QueueTotal;
use crate::rate::{Bucket, Rate};
use crate::{Moment, Ticket};

use aliases::OutboundAliases;
use hold::{Hold, Wait};

pub use backlog::Owed;
pub use change::Change;
pub use connect::{Granted, Refusal, negotiate};
pub use deliver::{Delivered, Delivery};
pub use memory::Memory;
pub use packet::Step;
pub use publish::{Incoming, Topic, TopicRefused, check_topic, is_basic_ingest};

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
    /// Bytes of the messages that wait for all sessions together.
    pub queue_bytes: usize,
    /// How many there are.
    pub queued: QueueTotal,
}

impl Rules {
    /// The rules of a new node.
    pub fn new(profile: &'static Profile, quotas: Quotas, bounds: &Bounds) -> Self {
        Rules {
            profile,
            quotas,
            outbound_buffer_bytes: bounds.outbound_buffer_bytes,
            queue_bytes: bounds.queue_bytes,
            queued: QueueTotal::default(),
        }
    }
}

/// How long a session's state lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifetime {
    /// It ends with the connection.
    Connection,
    /// It outlives the connection, in memory.
    Process,
    /// It outlives the process: its changes are recorded. What an earlier connection left is durable
    /// with this ticket.
    Store(Ticket),
}

/// The state of one connected client. `W` is whoever waits for a delivery.
#[derive(Debug)]
pub struct Session<W> {
    rules: Arc<Rules>,
    version: Version,
    window: u16,
    packet_size_max: u32,
    keep_alive_seconds: u16,
    /// Whether the client wants reason strings with its acknowledgements.
    problem_information: bool,
    /// Whether messages at QoS 1 and 2 are kept to be sent again.
    keeps: bool,
    /// Whether the changes of the session's state are recorded.
    recorded: bool,
    last_received: Moment,
    expires: Option<Moment>,
    inflight: Inflight<W>,
    budget: Bucket,
    drain: Bucket,
    backlog_resumes: Option<Moment>,
    aliases: Vec<Option<Arc<str>>>,
    aliases_out: Option<Box<OutboundAliases>>,
    next_seq: u64,
    memory: Option<Box<Memory>>,
    changes: Vec<Change>,
    hold: Option<Box<Hold>>,
}

impl<W> Session<W> {
    /// The session of a client whose CONNECT was granted at `now`. `memory` is what an earlier
    /// connection left; `expires` is the end of the connection's life, if it has one (WebSocket,
    /// spec 3).
    pub fn new(
        rules: Arc<Rules>,
        granted: &Granted,
        lifetime: Lifetime,
        memory: Option<Box<Memory>>,
        now: Moment,
        expires: Option<Moment>,
    ) -> Self {
        let aliases_out = granted.topic_alias_maximum.min(rules.profile.outbound_topic_aliases);
        let mut session = Session {
            version: granted.version,
            window: granted.receive_maximum.min(rules.quotas.outbound_unacknowledged),
            packet_size_max: granted.packet_size_max,
            keep_alive_seconds: granted.keep_alive_seconds,
            problem_information: granted.problem_information,
            keeps: lifetime != Lifetime::Connection || rules.profile.resend_after.is_some(),
            recorded: matches!(lifetime, Lifetime::Store(_)),
            last_received: now,
            expires,
            inflight: Inflight::default(),
            budget: Bucket::new(),
            drain: Bucket::new(),
            backlog_resumes: None,
            aliases: Vec::new(),
            aliases_out: (aliases_out > 0).then(|| Box::new(OutboundAliases::new(aliases_out))),
            next_seq: 0,
            memory: None,
            changes: Vec::new(),
            hold: None,
            rules,
        };
        if let Some(memory) = memory {
            session.resume(memory, lifetime);
        }
        session
    }

    fn resume(&mut self, mut memory: Box<Memory>, lifetime: Lifetime) {
        let unacknowledged = std::mem::take(&mut memory.unacknowledged);
        if let Lifetime::Store(ticket) = lifetime {
            // Nothing is said about what the earlier connection left before it is durable; nor about
            // what it left no more, as a packet ID that its client released.
            self.hold.get_or_insert_default().push(Wait::Until(ticket), false, Vec::new());
        }
        self.inflight = Inflight::resumed(memory.last_id, unacknowledged);
        self.next_seq = memory.next_seq;
        self.memory = Some(memory);
    }

    /// Takes out what the session keeps beyond the connection, which is over.
    pub fn suspend(&mut self) -> Option<Box<Memory>> {
        let (last_id, unacknowledged) = self.inflight.suspend();
        let memory = self.memory.take();
        if memory.is_none() && unacknowledged.is_empty() {
            return None;
        }
        let mut memory = memory.unwrap_or_else(|| Box::new(Memory::new(&self.rules.queued)));
        memory.last_id = last_id;
        memory.unacknowledged = unacknowledged;
        memory.next_seq = self.next_seq;
        Some(memory)
    }

    /// What changed since the last call, to be made durable; then [`Session::seal`].
    pub fn take_changes(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.changes)
    }

    /// Whether anything changed that is to be made durable.
    pub fn has_changes(&self) -> bool {
        !self.changes.is_empty()
    }

    /// The changes that were taken have this ticket.
    pub fn seal(&mut self, ticket: Ticket) {
        if let Some(hold) = &mut self.hold {
            hold.seal(ticket);
        }
    }

    /// The ticket after which [`Session::release`] is to be called, if nobody waits for it yet; now
    /// the caller does.
    pub fn expect_release(&mut self) -> Option<Ticket> {
        self.hold.as_mut().and_then(|hold| hold.expect())
    }

    /// Appends what was held back until `durable`.
    pub fn release(&mut self, durable: Ticket, out: &mut Vec<u8>) {
        if let Some(hold) = &mut self.hold {
            hold.release(durable, out);
            if hold.is_empty() {
                self.hold = None;
            }
        }
    }

    /// How many acknowledgements of the client's messages are held back.
    pub fn held_acknowledgements(&self) -> usize {
        self.hold.as_ref().map_or(0, |hold| hold.acknowledgements())
    }

    /// How many bytes are on their way to the client: written to `out`, or held back.
    pub fn bytes_ahead(&self, out: &[u8]) -> usize {
        out.len() + self.hold.as_ref().map_or(0, |hold| hold.bytes())
    }

    /// The protocol version of the connection.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The keep-alive in force, in seconds; 0 is none.
    pub fn keep_alive_seconds(&self) -> u16 {
        self.keep_alive_seconds
    }

    /// When the last packet of the client came.
    pub fn last_received(&self) -> Moment {
        self.last_received
    }

    /// How many messages at QoS 1 and 2 wait for the client's acknowledgement.
    pub fn inflight(&self) -> usize {
        self.inflight.len()
    }

    /// Whether anybody waits for a confirmation.
    pub fn has_waiters(&self) -> bool {
        self.inflight.next_deadline().is_some()
    }

    /// Whether a message was sent that is sent again on this connection if nothing is heard of it.
    pub fn has_resends(&self) -> bool {
        self.rules.profile.resend_after.is_some() && self.inflight.oldest_sent().is_some()
    }

    /// The largest packet this connection may send us, in bytes (the whole packet).
    pub fn packet_size_limit(&self) -> usize {
        packet_size_limit(&self.rules)
    }

    /// Appends the DISCONNECT that says `reason`, if there is one to say: MQTT 5 only
    /// ([MQTT-4.13.1-1]; MQTT 3.1.1 clients see the socket close). A client that still waits for its
    /// CONNACK is refused ([MQTT-3.14.0-1]).
    pub fn farewell(&self, reason: CloseReason, out: &mut Vec<u8>) {
        if self.is_opening() {
            let code = ReasonCode::ServerUnavailable;
            let refusal = Refusal { code, details: reason.sentence() };
            return refusal.refuse(self.version, Some(self.packet_size_max), out);
        }
        if let (Version::V5, Some(reason_code)) = (self.version, reason.disconnect_code()) {
            // [MQTT-3.14.2-3]
            let said = reason_string(self.version, Some(reason.sentence()));
            let full = mqtt::Disconnect { reason: reason_code, properties: said.as_properties() };
            let disconnect = if full.encoded_len(self.version) <= self.packet_size_max as usize {
                full
            } else {
                mqtt::Disconnect { properties: Properties::EMPTY, ..full }
            };
            encode(&Packet::Disconnect(disconnect), self.version, out);
        }
    }

    /// Whether the CONNACK is held back; nothing may be sent before it ([MQTT-3.2.0-1]).
    pub fn is_opening(&self) -> bool {
        self.hold.as_ref().is_some_and(|hold| hold.is_opening())
    }

    /// Appends a packet, or holds it back for what it waits for.
    fn emit(&mut self, packet: &Packet<'_>, wait: Wait, out: &mut Vec<u8>) {
        self.emit_counted(packet, wait, false, out);
    }

    fn emit_counted(&mut self, packet: &Packet<'_>, wait: Wait, counts: bool, out: &mut Vec<u8>) {
        if wait == Wait::No && self.hold.is_none() {
            return encode(packet, self.version, out);
        }
        let mut bytes = Vec::new();
        encode(packet, self.version, &mut bytes);
        self.hold.get_or_insert_default().push(wait, counts, bytes);
    }

    /// Records a change of what outlives the process.
    fn record(&mut self, change: impl FnOnce() -> Change) {
        if self.recorded {
            self.changes.push(change());
        }
    }

    /// The packet IDs of the client's messages at QoS 2 that it has not released.
    fn received(&self) -> Option<&BTreeSet<PacketId>> {
        self.memory.as_ref().map(|memory| &memory.received)
    }

    fn received_mut(&mut self) -> &mut BTreeSet<PacketId> {
        let Session { memory, rules, .. } = self;
        &mut memory.get_or_insert_with(|| Box::new(Memory::new(&rules.queued))).received
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

/// The properties that say why, in MQTT 5.
fn reason_string(version: Version, sentence: Option<&str>) -> PropertiesBuf {
    let mut properties = PropertiesBuf::new();
    if let (Version::V5, Some(sentence)) = (version, sentence) {
        let pushed = properties.push(Property::ReasonString(sentence));
        debug_assert!(pushed.is_ok(), "a sentence of our own does not encode");
    }
    properties
}
