//! What became of the confirmed messages, also after their answers; and which request is the
//! repetition of which.

mod feed;
mod kept;
mod key;
mod receipt;
mod record;
mod room;
mod status;

use std::collections::VecDeque;
use std::sync::{Arc, Weak};
use std::time::Duration;

use engine::limits::Bounds;
use engine::{Moment, Wall};
use hashbrown::HashTable;
use parking_lot::Mutex;
use store::Trail;
use telemetry::TraceId;

pub(crate) use feed::{Feed, Filter, Reader, Since};
pub use feed::{Receipt, ReceiptListener};
use key::KeyHasher;
pub(crate) use key::{Key, fingerprint};
pub(crate) use record::{Known, Record, Target};
use room::Rooms;
pub use status::ReceiptStatus;

/// The messages of a while, by trace ID and by idempotency key. Bounded by time and number: beyond
/// either the oldest is forgotten.
pub(crate) struct Deliveries {
    book: Mutex<Book>,
    kept_for: Duration,
    most: usize,
    wall: Wall,
    key_hasher: KeyHasher,
    rooms: Rooms,
    link: Arc<Link>,
    /// Where those with an idempotency key are kept for the next process.
    trail: Option<Arc<dyn Trail>>,
}

/// What every message reaches of the rest. One pointer, since there are many of them.
struct Link {
    feed: Arc<Feed>,
    deliveries: Weak<Deliveries>,
}

#[derive(Default)]
struct Book {
    /// Found without looking at more of them than the one that is asked for.
    by_trace_id: HashTable<Arc<Record>>,
    by_key: HashTable<Arc<Record>>,
    /// All of them, oldest first, and until when they are kept.
    order: VecDeque<(Moment, Arc<Record>)>,
}

/// What a request is.
pub(crate) enum Claim {
    /// A message of its own.
    New,
    /// The repetition of that one.
    Repeated(Arc<Record>),
    /// Another message under a key that is taken.
    Conflict,
}

impl Deliveries {
    /// Keeps each message as long, and as many of them, as the bounds say, in memory.
    pub(crate) fn new(bounds: &Bounds, wall: Wall) -> Self {
        let link = Link { feed: Feed::new(bounds, wall), deliveries: Weak::new() };
        Deliveries {
            book: Mutex::default(),
            kept_for: bounds.receipt_life,
            most: bounds.receipts,
            wall,
            key_hasher: KeyHasher::default(),
            rooms: Rooms::default(),
            link: Arc::new(link),
            trail: None,
        }
    }

    /// Ready for messages, which reach it from then on.
    pub(crate) fn share(self) -> Arc<Self> {
        Arc::new_cyclic(|deliveries| {
            let (feed, deliveries) = (Arc::clone(&self.link.feed), Weak::clone(deliveries));
            Deliveries { link: Arc::new(Link { feed, deliveries }), ..self }
        })
    }

    /// Where changes of messages are told.
    pub(crate) fn feed(&self) -> &Arc<Feed> {
        &self.link.feed
    }

    /// The key of that text of a principal.
    pub(crate) fn key(&self, principal_id: &str, text: &str) -> Key {
        self.key_hasher.key(principal_id, text)
    }

    /// Takes a message down, unless its key is that of another.
    pub(crate) fn claim(&self, record: &Arc<Record>, now: Moment) -> Claim {
        let mut book = self.book.lock();
        book.forget_old(now, self.most);
        if let Some(present) = book.find_key(record) {
            return match present.is_same_request(record) {
                true => Claim::Repeated(Arc::clone(present)),
                false => Claim::Conflict,
            };
        }
        book.add(Arc::clone(record), now.after(self.kept_for));
        Claim::New
    }

    /// A message that was never sent: its key is free, a repetition is tried anew.
    pub(crate) fn release_key(&self, record: &Record) {
        let mut book = self.book.lock();
        book.remove_key(record);
    }

    /// The message of that trace ID, if it is still known.
    pub(crate) fn get(&self, trace_id: TraceId, now: Moment) -> Option<Arc<Record>> {
        let mut book = self.book.lock();
        book.forget_old(now, self.most);
        book.find(trace_id)
    }
}

/// A trace ID is random as it is.
fn hash(trace_id: TraceId) -> u64 {
    let [bytes @ .., _, _, _, _, _, _, _, _] = *trace_id.as_bytes();
    u64::from_le_bytes(bytes)
}

impl Book {
    fn add(&mut self, record: Arc<Record>, until: Moment) {
        if let Some(key) = record.key() {
            let rehash = |present: &Arc<Record>| present.key().map_or(0, |key| key.hash);
            self.by_key.insert_unique(key.hash, Arc::clone(&record), rehash);
        }
        let rehash = |present: &Arc<Record>| hash(present.trace_id());
        self.by_trace_id.insert_unique(hash(record.trace_id()), Arc::clone(&record), rehash);
        self.order.push_back((until, record));
    }

    fn find(&self, trace_id: TraceId) -> Option<Arc<Record>> {
        let is_it = |record: &Arc<Record>| record.trace_id() == trace_id;
        self.by_trace_id.find(hash(trace_id), is_it).map(Arc::clone)
    }

    fn forget_old(&mut self, now: Moment, most: usize) {
        while let Some((until, _)) = self.order.front()
            && (*until <= now || self.order.len() >= most)
        {
            let Some((_, record)) = self.order.pop_front() else { return };
            let is_it = |present: &Arc<Record>| Arc::ptr_eq(present, &record);
            if let Ok(found) = self.by_trace_id.find_entry(hash(record.trace_id()), is_it) {
                found.remove();
            }
            self.remove_key(&record);
        }
    }

    /// The message that has the same key.
    fn find_key(&self, record: &Record) -> Option<&Arc<Record>> {
        let key = record.key()?;
        self.by_key.find(key.hash, |present| present.has_same_key(record))
    }

    fn remove_key(&mut self, record: &Record) {
        let Some(key) = record.key() else { return };
        let is_it = |present: &Arc<Record>| std::ptr::eq(Arc::as_ptr(present), record);
        if let Ok(found) = self.by_key.find_entry(key.hash, is_it) {
            found.remove();
        }
    }
}
