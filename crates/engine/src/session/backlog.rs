//! What the session owes its client: messages of an earlier connection, then those that wait.

use mqtt::{Ack, Packet, PacketId, Properties, ReasonCode};

use super::Session;
use super::change::Change;
use super::deliver::{Delivered, Wire};
use super::hold::Wait;
use crate::Moment;
use crate::access::ReceivePermit;
use crate::inflight::Slot;
use crate::queue::Entry;

/// How many bytes may wait for the disk and the socket before the backlog goes on: a direct message never waits
/// behind more of it than this.
const AHEAD_BYTES: usize = 64 * 1024;

/// A part of the window that the backlog leaves to direct messages, as a divisor.
const RESERVE: u16 = 10;

/// A message whose turn it is.
#[derive(Debug)]
pub struct Owed {
    entry: Entry,
    /// The packet ID under which it was sent before.
    packet_id: Option<PacketId>,
}

impl Owed {
    /// The message.
    pub fn entry(&self) -> &Entry {
        &self.entry
    }
}

impl<W> Session<W> {
    /// Whether messages wait for their turn.
    pub fn has_backlog(&self) -> bool {
        self.inflight.has_unsent()
            || self.memory.as_ref().is_some_and(|memory| !memory.queue.is_empty())
    }

    /// When the backlog goes on, if only a rate keeps it from doing so.
    pub fn backlog_resumes(&self) -> Option<Moment> {
        self.backlog_resumes
    }

    /// Whether there is room for one more message of those that can wait: behind the backlog, within
    /// the window, and not far ahead of the socket.
    pub fn has_room(&self, out: &[u8]) -> bool {
        let reserved = self.window - self.window / RESERVE;
        !self.has_backlog()
            && self.bytes_ahead(out) < AHEAD_BYTES
            && !self.inflight.is_full(reserved)
    }

    /// The message whose turn it is, if there is room for it; then [`Session::send_owed`] or
    /// [`Session::discard_owed`]. What was sent on an earlier connection comes first, in its order
    /// and under its packet IDs ([MQTT-4.4.0-1], [MQTT-4.6.0-1]).
    pub fn poll_backlog(&mut self, now: Moment, out: &mut Vec<u8>) -> Option<Owed> {
        self.backlog_resumes = None;
        if !self.has_backlog() {
            return None;
        }
        while self.bytes_ahead(out) < AHEAD_BYTES && self.inflight.has_unsent() {
            if self.inflight.is_full(self.window) {
                return None;
            }
            let (id, slot) = self.inflight.poll_unsent(now)?;
            match slot {
                Slot::Kept(entry, _) => {
                    return Some(Owed { entry: entry.clone(), packet_id: Some(id) });
                }
                Slot::Released(..) | Slot::Once(_) | Slot::Direct { .. } => {
                    self.emit(&pubrel(id), Wait::No, out);
                }
            }
        }
        let reserved = self.window - self.window / RESERVE;
        if self.bytes_ahead(out) >= AHEAD_BYTES || self.inflight.is_full(reserved) {
            return None;
        }
        self.poll_queue(now)
    }

    fn poll_queue(&mut self, now: Moment) -> Option<Owed> {
        loop {
            let memory = self.memory.as_mut()?;
            let front = memory.queue.front()?;
            if !front.message.is_expired(now) {
                break;
            }
            let seq = front.seq;
            memory.queue.pop();
            self.record(|| Change::Removed { seq });
        }
        let quotas = &self.rules.quotas;
        let drained = self.drain.take(quotas.dequeued_per_connection, now);
        let taken = drained.and_then(|()| self.budget.take(quotas.publishes_per_connection, now));
        if let Err(wait) = taken {
            self.backlog_resumes = Some(now.after(wait));
            return None;
        }
        let entry = self.memory.as_mut()?.queue.pop()?;
        Some(Owed { entry, packet_id: None })
    }

    /// Appends the PUBLISH of a message that waited.
    pub fn send_owed(
        &mut self,
        owed: Owed,
        _permit: ReceivePermit,
        now: Moment,
        out: &mut Vec<u8>,
    ) -> Delivered {
        let Owed { entry, packet_id } = owed;
        let wire = Wire::of_entry(&entry, packet_id.or(super::ANY_PACKET_ID));
        if self.wire_length(&wire, now) > self.packet_size_max as usize {
            self.discard_owed(Owed { entry, packet_id });
            return Delivered::TooLarge;
        }
        match packet_id {
            Some(_) => {
                let dup = self.rules.profile.dup_on_redelivery;
                self.send(&Wire { dup, ..wire }, Wait::No, now, out);
            }
            None => self.send_entry(entry, now, out),
        }
        Delivered::Sent
    }

    /// Gives up a message that the client may not have any more.
    pub fn discard_owed(&mut self, owed: Owed) {
        if let Some(id) = owed.packet_id {
            self.inflight.acknowledge(id);
        }
        self.record(|| Change::Removed { seq: owed.entry.seq });
    }

    /// The messages that are to be sent again on this connection because nothing was heard of them
    /// for long ([`Profile::resend_after`](crate::profile::Profile::resend_after); spec 4.3).
    pub(super) fn resend(&mut self, now: Moment, out: &mut Vec<u8>) {
        let Some(patience) = self.rules.profile.resend_after else { return };
        let Some(before) = now.before(patience) else { return };
        while let Some((id, slot)) = self.inflight.poll_sent_before(before, now) {
            if out.len() >= AHEAD_BYTES || self.hold.is_some() {
                // The client or the disk is slow: what is under way may be this very message.
                continue;
            }
            match slot {
                Slot::Kept(entry, _) => {
                    let entry = entry.clone();
                    self.send(&Wire::of_entry(&entry, Some(id)), Wait::No, now, out);
                }
                Slot::Released(..) | Slot::Once(_) | Slot::Direct { .. } => {
                    self.emit(&pubrel(id), Wait::No, out);
                }
            }
        }
    }
}

pub(super) fn pubrel(packet_id: PacketId) -> Packet<'static> {
    let properties = Properties::EMPTY;
    Packet::PubRel(Ack { packet_id, reason: ReasonCode::Success, properties })
}
