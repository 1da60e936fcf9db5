//! What a session keeps when its connection ends ([MQTT-4.1.0-1]).

use std::collections::BTreeSet;

use mqtt::PacketId;

use crate::Moment;
use crate::inflight::{Released, Unacknowledged};
use crate::queue::{Entry, Queue, QueueFull, QueueLimits, QueueTotal};
use crate::session::{Change, Delivery, Rules};

/// What a session keeps beyond its subscriptions: messages that wait or were not acknowledged, and
/// the packet IDs of messages at QoS 2 that the client sent and has not released.
#[derive(Debug)]
pub struct Memory {
    /// The packet ID that was handed out last.
    pub(super) last_id: u16,
    /// Empty while there is a connection, which has them in its window.
    pub(super) unacknowledged: Vec<(PacketId, Unacknowledged)>,
    pub(super) queue: Queue,
    pub(super) received: BTreeSet<PacketId>,
    pub(super) next_seq: u64,
}

impl Memory {
    /// That of a new session.
    pub fn new(total: &QueueTotal) -> Self {
        Memory {
            last_id: 0,
            unacknowledged: Vec::new(),
            queue: Queue::new(total),
            received: BTreeSet::new(),
            next_seq: 0,
        }
    }

    /// How many messages wait for the client.
    pub fn waiting(&self) -> usize {
        self.queue.len() + self.unacknowledged.len()
    }

    /// How many of them were sent on an earlier connection and not acknowledged.
    pub fn unacknowledged(&self) -> usize {
        self.unacknowledged.len()
    }

    /// Queues a message for a client that cannot have it now, and tells what changed. When the queue
    /// is full, what has expired makes room.
    ///
    /// # Errors
    /// [`QueueFull`]; then the message is discarded.
    pub fn enqueue(
        &mut self,
        delivery: &Delivery<'_>,
        rules: &Rules,
        now: Moment,
        mut changed: impl FnMut(Change),
    ) -> Result<(), QueueFull> {
        let message = delivery.message.keep();
        let limits = rules.queue_limits();
        if self.queue.check(&message, &limits).is_err() {
            let expired = self.queue.poll_expired(now).into_iter();
            expired.for_each(|entry| changed(Change::Removed { seq: entry.seq }));
            self.queue.check(&message, &limits)?;
        }
        let entry = delivery.entry(message, self.next_seq);
        self.next_seq += 1;
        changed(Change::Kept { entry: entry.clone(), packet_id: None });
        self.queue.push(entry);
        Ok(())
    }

    /// Puts back a message as it was kept, in the order of the numbers; with the packet ID under
    /// which it may have been sent.
    pub fn restore(&mut self, entry: Entry, packet_id: Option<PacketId>) {
        self.next_seq = self.next_seq.max(entry.seq + 1);
        match packet_id {
            Some(id) => self.restore_unacknowledged(id, Unacknowledged::Message(entry)),
            None => self.queue.push(entry),
        }
    }

    /// Everything is put back. A message without a packet ID that comes before one with a packet ID
    /// was sent, at QoS 1, under an ID that nobody remembers: it is sent again in its place, under
    /// another.
    pub fn finish_restoring(&mut self) {
        let Some(last_sent) = self.unacknowledged.iter().filter_map(|(_, kept)| kept.seq()).max()
        else {
            return;
        };
        let mut taken: BTreeSet<PacketId> = self.unacknowledged.iter().map(|(id, _)| *id).collect();
        let mut free = (1..=u16::MAX).filter_map(PacketId::new);
        while self.queue.front().is_some_and(|entry| entry.seq < last_sent) {
            let Some(id) = free.find(|id| taken.insert(*id)) else { break };
            let Some(entry) = self.queue.pop() else { break };
            self.unacknowledged.push((id, Unacknowledged::Message(entry)));
        }
        self.unacknowledged.sort_by_key(|(_, kept)| kept.seq());
        self.last_id = taken.last().map_or(0, |id| id.get());
    }

    /// Puts back a message at QoS 2 that the client has and of which PUBCOMP is missing.
    pub fn restore_released(&mut self, seq: u64, packet_id: PacketId) {
        self.next_seq = self.next_seq.max(seq + 1);
        let released = Released { seq: Some(seq) };
        self.restore_unacknowledged(packet_id, Unacknowledged::Released(released));
    }

    /// Puts back the packet ID of a message at QoS 2 that the client has not released.
    pub fn restore_received(&mut self, packet_id: PacketId) {
        self.received.insert(packet_id);
    }

    /// The numbers of all messages, and the packet IDs of those the client sent: what is to be
    /// forgotten when the session ends.
    pub fn contents(&self) -> (Vec<u64>, Vec<PacketId>) {
        let unacknowledged = self.unacknowledged.iter().filter_map(|(_, kept)| kept.seq());
        let queued = self.queue.iter().map(|entry| entry.seq);
        (unacknowledged.chain(queued).collect(), self.received.iter().copied().collect())
    }

    fn restore_unacknowledged(&mut self, id: PacketId, kept: Unacknowledged) {
        self.last_id = id.get();
        self.unacknowledged.push((id, kept));
    }
}

impl Rules {
    pub(super) fn queue_limits(&self) -> QueueLimits {
        QueueLimits {
            messages: self.quotas.queued_messages,
            bytes: self.quotas.queued_bytes,
            total_bytes: self.queue_bytes,
        }
    }
}
