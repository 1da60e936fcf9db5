//! A direct message to the client.

use mqtt::{PacketId, Publish, QoS, Version};

use super::Session;
use crate::Moment;
use crate::access::ReceivePermit;
use crate::direct::{DirectMessage, Prospect};
use crate::inflight::Slot;
use crate::outcome::DirectOutcome;
use crate::rate::{Bucket, Draw};

impl<W> Session<W> {
    /// Appends the PUBLISH of a direct message to `out`; with a confirmation, `waiter` is kept until
    /// its PUBACK, its deadline or the end of the session.
    ///
    /// # Errors
    /// The outcome, with nothing written and nobody waiting.
    pub fn send_direct(
        &mut self,
        message: &DirectMessage<'_>,
        _permit: ReceivePermit,
        waiter: impl FnOnce() -> W,
        now: Moment,
        out: &mut Vec<u8>,
    ) -> Result<(), DirectOutcome> {
        let mut publish = publish_of(message);
        if let Some(properties) = message.optional {
            let longer = Publish { properties, ..publish };
            if self.check_room(&longer, out.len()).is_ok() {
                publish = longer;
            }
        }
        self.check_direct(&publish, Bucket::take, now, out.len())?;
        let Some(timeout) = message.confirmation else {
            return encode(&publish, self.version, out);
        };
        let vacancy =
            self.inflight.vacancy(self.window).ok_or(DirectOutcome::ReceiverWindowFull)?;
        publish.packet_id = Some(vacancy.id());
        encode(&publish, self.version, out)?;
        let patience = message.deadline.map_or(timeout, |deadline| deadline.min(timeout));
        let deadline = Some(now.after(patience));
        vacancy.fill(Slot::Direct { waiter: waiter(), deadline });
        Ok(())
    }

    /// What would become of a direct message, with nothing changed; `pending` bytes wait to be
    /// written.
    ///
    /// # Errors
    /// The outcome with which [`Session::send_direct`] would refuse it now.
    pub fn would_send_direct(
        &self,
        message: &DirectMessage<'_>,
        _permit: &ReceivePermit,
        now: Moment,
        pending: usize,
    ) -> Result<(), DirectOutcome> {
        self.check_direct(&publish_of(message), Bucket::look, now, pending)
    }

    /// The checks in the order of spec 1.5. `draw` takes from the budget, or only looks at it.
    #[inline]
    fn check_direct(
        &self,
        publish: &Publish<'_>,
        draw: impl Draw,
        now: Moment,
        pending: usize,
    ) -> Result<(), DirectOutcome> {
        if self.is_opening() {
            // It does not know yet that it is connected.
            return Err(DirectOutcome::TargetNotConnected);
        }
        if draw(&self.budget, self.publish_rate(), now).is_err() {
            return Err(DirectOutcome::ReceiverThrottled);
        }
        if publish.qos != QoS::AtMostOnce && self.inflight.is_full(self.window) {
            return Err(DirectOutcome::ReceiverWindowFull);
        }
        self.check_room(publish, pending)
    }

    /// Whether the client takes a packet so long, and its buffer.
    #[inline]
    fn check_room(&self, publish: &Publish<'_>, pending: usize) -> Result<(), DirectOutcome> {
        let length = self.length_on_the_wire(publish);
        if length > self.packet_size_max as usize {
            return Err(DirectOutcome::ReceiverPacketTooLarge { limit: self.packet_size_max });
        }
        if pending > 0 && pending + length > self.rules.outbound_buffer_bytes {
            return Err(DirectOutcome::ReceiverNotWritable);
        }
        Ok(())
    }

    /// What the session has to do with a direct message, for people.
    pub fn prospect(&self, message: &DirectMessage<'_>) -> Prospect {
        Prospect {
            version: self.version,
            inflight: self.inflight(),
            window: self.window,
            packet_bytes: self.length_on_the_wire(&publish_of(message)),
            packet_size_max: self.packet_size_max,
        }
    }

    /// Everybody who waits, in the order of the messages.
    pub fn waiters_mut(&mut self) -> impl Iterator<Item = &mut W> {
        self.inflight.waiters_mut()
    }

    /// Who waits under that packet ID.
    pub fn waiter_mut(&mut self, id: PacketId) -> Option<&mut W> {
        self.inflight.waiter_mut(id)
    }

    /// Goes on to wait for the PUBACK of that packet ID.
    pub fn wait_on(&mut self, id: PacketId, until: Moment) {
        self.inflight.set_deadline(id, until);
    }

    /// Gives up a direct message that was not sent: its packet ID is free.
    pub fn forget_direct(&mut self, id: PacketId) {
        self.inflight.acknowledge(id);
    }

    /// The waiter of the message that was sent last, if somebody waits for it.
    pub fn newest_waiter(&mut self) -> Option<&mut W> {
        self.inflight.newest_waiter()
    }
}

/// The packet, without the packet ID that it gets if it is to be acknowledged.
#[inline]
fn publish_of<'a>(message: &DirectMessage<'a>) -> Publish<'a> {
    Publish {
        dup: false,
        qos: if message.confirmation.is_some() { QoS::AtLeastOnce } else { QoS::AtMostOnce },
        retain: false,
        topic: Some(message.topic),
        packet_id: None,
        properties: message.properties,
        payload: message.payload,
    }
}

/// Appends the packet, or nothing.
fn encode(publish: &Publish<'_>, version: Version, out: &mut Vec<u8>) -> Result<(), DirectOutcome> {
    let before = out.len();
    publish.encode(version, out).map_err(|_| {
        out.truncate(before);
        DirectOutcome::Internal
    })
}
