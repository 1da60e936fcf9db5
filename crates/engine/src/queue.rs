//! The messages that wait for their client.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use mqtt::QoS;

use crate::Moment;
use crate::message::Message;

/// A message for one session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The message.
    pub message: Arc<Message>,
    /// Its number in the session: the order of delivery.
    pub seq: u64,
    /// The lower of what was published and what was subscribed.
    pub qos: QoS,
    /// The RETAIN flag it is sent with.
    pub retain: bool,
    /// The identifiers of the subscriptions it comes by.
    pub identifiers: Box<[u32]>,
}

impl Entry {
    fn bytes(&self) -> usize {
        size_of::<Entry>() + self.message.bytes()
    }
}

/// How much a queue may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueLimits {
    /// Messages of one session.
    pub messages: usize,
    /// Bytes of one session, as they are in memory.
    pub bytes: usize,
    /// Bytes of all sessions together.
    pub total_bytes: usize,
}

/// How many bytes all queues hold together.
#[derive(Clone, Debug, Default)]
pub struct QueueTotal(Arc<AtomicUsize>);

impl QueueTotal {
    /// The bytes.
    pub fn bytes(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// The queue is full: the newest message is the one that is discarded (spec 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueFull;

/// The messages of one session that wait, oldest first.
#[derive(Debug)]
pub struct Queue {
    entries: VecDeque<Entry>,
    bytes: usize,
    /// No message of the queue expires before it; none if none ever does.
    earliest_expiry: Option<Moment>,
    total: QueueTotal,
}

impl Queue {
    /// An empty queue that counts into `total`.
    pub fn new(total: &QueueTotal) -> Self {
        let total = total.clone();
        Queue { entries: VecDeque::new(), bytes: 0, earliest_expiry: None, total }
    }

    /// How many messages wait.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many bytes they take.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether one more message may come.
    ///
    /// # Errors
    /// [`QueueFull`].
    pub fn check(&self, message: &Message, limits: &QueueLimits) -> Result<(), QueueFull> {
        let bytes = size_of::<Entry>() + message.bytes();
        let full = self.entries.len() >= limits.messages
            || self.bytes + bytes > limits.bytes
            || self.total.bytes() + bytes > limits.total_bytes;
        if full { Err(QueueFull) } else { Ok(()) }
    }

    /// Appends a message.
    pub fn push(&mut self, entry: Entry) {
        self.count(entry.bytes());
        self.note_expiry(entry.message.expires);
        self.entries.push_back(entry);
    }

    /// The message whose turn it is.
    pub fn front(&self) -> Option<&Entry> {
        self.entries.front()
    }

    /// Takes the message whose turn it is.
    pub fn pop(&mut self) -> Option<Entry> {
        let entry = self.entries.pop_front()?;
        self.discount(entry.bytes());
        Some(entry)
    }

    /// Takes out what has expired, to make room. Looks only if something may have.
    pub fn poll_expired(&mut self, now: Moment) -> Vec<Entry> {
        if self.earliest_expiry.is_none_or(|earliest| earliest > now) {
            return Vec::new();
        }
        let (gone, kept) =
            std::mem::take(&mut self.entries).into_iter().partition(|e| e.message.is_expired(now));
        self.entries = kept;
        self.earliest_expiry = self.entries.iter().filter_map(|e| e.message.expires).min();
        let gone: Vec<Entry> = VecDeque::into(gone);
        self.discount(gone.iter().map(Entry::bytes).sum());
        gone
    }

    /// The messages, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    fn note_expiry(&mut self, expires: Option<Moment>) {
        self.earliest_expiry = match (self.earliest_expiry, expires) {
            (Some(earliest), Some(expires)) => Some(earliest.min(expires)),
            (earliest, expires) => earliest.or(expires),
        };
    }

    fn count(&mut self, bytes: usize) {
        self.bytes += bytes;
        self.total.0.fetch_add(bytes, Ordering::Relaxed);
    }

    fn discount(&mut self, bytes: usize) {
        self.bytes -= bytes;
        self.total.0.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        self.total.0.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}
