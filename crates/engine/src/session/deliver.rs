//! A message of publish-subscribe to the client.

use std::sync::Arc;

use mqtt::{Packet, PacketId, Properties, PropertiesBuf, Property, Publish, QoS, Version};

use super::aliases::Naming;
use super::change::Change;
use super::hold::Wait;
use super::memory::Memory;
use super::{ANY_PACKET_ID, Session};
use crate::Moment;
use crate::access::ReceivePermit;
use crate::inflight::Slot;
use crate::message::{Message, Publication, Shared};
use crate::queue::{Entry, QueueFull};

/// A message as one subscriber gets it.
#[derive(Clone, Copy, Debug)]
pub struct Delivery<'a> {
    /// The message.
    pub message: &'a Shared<'a>,
    /// The lower of what was published and what was subscribed ([MQTT-3.8.4-8]).
    pub qos: QoS,
    /// The RETAIN flag it is sent with ([MQTT-3.3.1-8] to [MQTT-3.3.1-13]).
    pub retain: bool,
    /// The identifiers of the subscriptions it comes by ([MQTT-3.3.4-3] to [MQTT-3.3.4-5]).
    pub identifiers: &'a [u32],
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivered {
    /// Handed to the connection.
    Sent,
    /// It waits for its turn.
    Queued,
    /// Discarded: the connection's publish rate is exceeded.
    Throttled,
    /// Discarded: too many messages wait for the client already.
    QueueFull,
    /// Discarded: larger than the client's Maximum Packet Size ([MQTT-3.1.2-24]).
    TooLarge,
    /// Discarded: the client does not read what is sent to it, and at QoS 0 nothing waits.
    NotWritable,
}

impl Delivery<'_> {
    pub(super) fn entry(&self, message: Arc<Message>, seq: u64) -> Entry {
        let Delivery { qos, retain, identifiers, .. } = *self;
        Entry { message, seq, qos, retain, identifiers: identifiers.into() }
    }
}

/// How one message goes onto the wire.
#[derive(Clone, Copy)]
pub(super) struct Wire<'a> {
    pub(super) publication: Publication<'a>,
    pub(super) dup: bool,
    pub(super) qos: QoS,
    pub(super) retain: bool,
    pub(super) identifiers: &'a [u32],
    pub(super) packet_id: Option<PacketId>,
}

impl<'a> Wire<'a> {
    pub(super) fn of_entry(entry: &'a Entry, packet_id: Option<PacketId>) -> Self {
        Wire {
            publication: entry.message.publication(),
            dup: false,
            qos: entry.qos,
            retain: entry.retain,
            identifiers: &entry.identifiers,
            packet_id,
        }
    }
}

impl<W> Session<W> {
    /// Appends the PUBLISH of a message that the client subscribed to, or queues it.
    pub fn deliver(
        &mut self,
        delivery: &Delivery<'_>,
        _permit: ReceivePermit,
        now: Moment,
        out: &mut Vec<u8>,
    ) -> Delivered {
        let wire = Wire {
            publication: *delivery.message.publication(),
            dup: false,
            qos: delivery.qos,
            retain: delivery.retain,
            identifiers: delivery.identifiers,
            packet_id: (delivery.qos != QoS::AtMostOnce).then_some(ANY_PACKET_ID).flatten(),
        };
        let length = self.wire_length(&wire, now);
        if length > self.packet_size_max as usize {
            return Delivered::TooLarge;
        }
        let ahead = self.bytes_ahead(out);
        let writable = ahead == 0 || ahead + length <= self.rules.outbound_buffer_bytes;
        if delivery.qos == QoS::AtMostOnce {
            return self.deliver_once(&wire, writable, now, out);
        }
        if !writable || self.has_backlog() || self.inflight.is_full(self.window) {
            return self.enqueue(delivery, now);
        }
        if self.budget.take(self.publish_rate(), now).is_err() {
            return Delivered::Throttled;
        }
        let entry = self.keeps.then(|| {
            let entry = delivery.entry(delivery.message.keep(), self.next_seq);
            self.next_seq += 1;
            entry
        });
        match entry {
            Some(entry) => {
                self.record(|| Change::Kept { entry: entry.clone(), packet_id: None });
                self.send_entry(entry, now, out);
            }
            None => self.send_untracked(wire, now, out),
        }
        Delivered::Sent
    }

    fn deliver_once(
        &mut self,
        wire: &Wire<'_>,
        writable: bool,
        now: Moment,
        out: &mut Vec<u8>,
    ) -> Delivered {
        if !writable {
            return Delivered::NotWritable;
        }
        if self.budget.take(self.publish_rate(), now).is_err() {
            return Delivered::Throttled;
        }
        self.send(wire, Wait::No, now, out);
        Delivered::Sent
    }

    fn enqueue(&mut self, delivery: &Delivery<'_>, now: Moment) -> Delivered {
        let Session { memory, rules, next_seq, changes, recorded, .. } = self;
        let memory = memory.get_or_insert_with(|| Box::new(Memory::new(&rules.queued)));
        memory.next_seq = *next_seq;
        let queued = memory.enqueue(delivery, rules, now, |change| {
            if *recorded {
                changes.push(change);
            }
        });
        *next_seq = memory.next_seq;
        match queued {
            Ok(()) => Delivered::Queued,
            Err(QueueFull) => Delivered::QueueFull,
        }
    }

    /// Sends a message at QoS 1 or 2 that is kept until it is acknowledged.
    pub(super) fn send_entry(&mut self, entry: Entry, now: Moment, out: &mut Vec<u8>) {
        let Some(vacancy) = self.inflight.vacancy(u16::MAX) else { return };
        let packet_id = vacancy.id();
        vacancy.fill(Slot::Kept(entry.clone(), Some(now)));
        // At QoS 2 the client knows the message by its packet ID, so that it has to be the same
        // after a crash; at QoS 1 it may as well get the message again under another one.
        let exactly_once = entry.qos == QoS::ExactlyOnce;
        if exactly_once {
            let packet_id = Some(packet_id);
            self.record(|| Change::Kept { entry: entry.clone(), packet_id });
        }
        let wait = if exactly_once && self.recorded { Wait::ForChanges } else { Wait::No };
        self.send(&Wire::of_entry(&entry, Some(packet_id)), wait, now, out);
    }

    fn send_untracked(&mut self, wire: Wire<'_>, now: Moment, out: &mut Vec<u8>) {
        let packet_id = self.inflight.insert(Slot::Once(wire.qos), self.window);
        if packet_id.is_some() {
            self.send(&Wire { packet_id, ..wire }, Wait::No, now, out);
        }
    }

    /// Appends the PUBLISH, or holds it back until what it waits for is durable.
    pub(super) fn send(&mut self, wire: &Wire<'_>, wait: Wait, now: Moment, out: &mut Vec<u8>) {
        let topic = wire.publication.topic;
        let naming = self.aliases_out.as_ref().map_or(Naming::Name, |known| known.naming(topic));
        let extended = self.extended_properties(wire, naming, now);
        let properties = match &extended {
            Some(properties) => properties.as_properties(),
            None => wire.publication.properties,
        };
        let packet = Packet::Publish(publish(wire, naming, properties));
        self.emit(&packet, wait, out);
        if let Some(known) = &mut self.aliases_out {
            known.learn(topic, naming);
        }
    }

    /// The length of the PUBLISH, in bytes.
    pub(super) fn wire_length(&self, wire: &Wire<'_>, now: Moment) -> usize {
        let topic = wire.publication.topic;
        let naming = self.aliases_out.as_ref().map_or(Naming::Name, |known| known.naming(topic));
        let extended = self.extended_properties(wire, naming, now);
        let properties = match &extended {
            Some(properties) => properties.as_properties(),
            None => wire.publication.properties,
        };
        publish(wire, naming, properties).encoded_len(self.version)
    }

    /// The properties with what this server adds; none if that is nothing.
    fn extended_properties(
        &self,
        wire: &Wire<'_>,
        naming: Naming,
        now: Moment,
    ) -> Option<PropertiesBuf> {
        let expiry = wire.publication.remaining_seconds(now);
        let plain = expiry.is_none() && wire.identifiers.is_empty() && naming == Naming::Name;
        if self.version == Version::V311 || plain {
            return None;
        }
        let mut properties = PropertiesBuf::from(wire.publication.properties);
        let mut add = |property| {
            let pushed = properties.push(property);
            debug_assert!(pushed.is_ok(), "a property of our own does not encode");
        };
        if let Some(seconds) = expiry {
            add(Property::MessageExpiryInterval(seconds));
        }
        for identifier in wire.identifiers {
            add(Property::SubscriptionIdentifier(*identifier));
        }
        match naming {
            Naming::Name => {}
            Naming::Both(alias) | Naming::Alias(alias) => add(Property::TopicAlias(alias)),
        }
        Some(properties)
    }
}

fn publish<'a>(wire: &Wire<'a>, naming: Naming, properties: Properties<'a>) -> Publish<'a> {
    Publish {
        dup: wire.dup,
        qos: wire.qos,
        retain: wire.retain,
        topic: match naming {
            Naming::Name | Naming::Both(_) => Some(wire.publication.topic),
            Naming::Alias(_) => None,
        },
        packet_id: wire.packet_id,
        properties,
        payload: wire.publication.payload,
    }
}
