//! What became of the confirmed messages, also after their answers; and which request is the
//! repetition of which.

mod book;
mod feed;
mod kept;
mod key;
mod receipt;
mod record;
mod room;
mod shelf;
mod status;

use std::sync::{Arc, Weak};
use std::time::Duration;

use engine::limits::{Bounds, KEPT_RESPONSE_BYTES};
use engine::{Moment, Wall};
use parking_lot::Mutex;
use store::Trail;
use telemetry::TraceId;

use book::Book;
pub(crate) use feed::{Feed, Filter, Reader, Since};
pub use feed::{Receipt, ReceiptListener};
use key::KeyHasher;
pub(crate) use key::{Key, fingerprint};
pub(crate) use record::{Known, Record, Seat, Target};
pub(crate) use room::Room;
use room::Rooms;
pub use status::ReceiptStatus;

/// The messages of a while, by trace ID and by idempotency key. Bounded by time and number: beyond
/// its time a message is forgotten, beyond the number the oldest of a principal that has many.
pub(crate) struct Deliveries {
    book: Mutex<Book>,
    kept_for: Duration,
    wall: Wall,
    key_hasher: KeyHasher,
    /// Of the responses that are kept for repeated requests.
    rooms: Rooms,
    /// Of the messages that wait for their clients.
    waiting: Rooms,
    link: Arc<Link>,
    /// Where those with an idempotency key are kept for the next process.
    trail: Option<Arc<dyn Trail>>,
}

/// What every message reaches of the rest. One pointer, since there are many of them.
struct Link {
    feed: Arc<Feed>,
    deliveries: Weak<Deliveries>,
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
            book: Mutex::new(Book::new(bounds.receipts)),
            kept_for: bounds.receipt_life,
            wall,
            key_hasher: KeyHasher::default(),
            rooms: Rooms::new(KEPT_RESPONSE_BYTES),
            waiting: Rooms::new(bounds.waiting_bytes),
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
        book.forget_old(now);
        if let Some(present) = book.find_key(record) {
            return match present.is_same_request(record) {
                true => Claim::Repeated(Arc::clone(present)),
                false => Claim::Conflict,
            };
        }
        book.add(Arc::clone(record), now.after(self.kept_for));
        Claim::New
    }

    /// Room for a message of so many bytes that waits for its client, if there is.
    pub(crate) fn waiting_room(&self, bytes: usize) -> Option<Room> {
        self.waiting.take(bytes)
    }

    /// Something of a message was sent: it counts among those that are kept.
    fn sent(&self, record: &Record) {
        self.book.lock().sent(record.trace_id());
    }

    /// A message was never sent: its key is free, a repetition is tried anew, and it takes nobody's
    /// place.
    fn never_sent(&self, record: &Record) {
        self.book.lock().never_sent(record.trace_id());
    }

    /// The message of that trace ID, if it is still known.
    pub(crate) fn get(&self, trace_id: TraceId, now: Moment) -> Option<Arc<Record>> {
        let mut book = self.book.lock();
        book.forget_old(now);
        book.find(trace_id).map(Arc::clone)
    }
}
