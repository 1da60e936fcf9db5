//! Receipts as they happen: whoever wants to hear of a message's changes is told of them here.

mod event;
mod filter;
mod position;
mod reader;
mod tape;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use engine::Wall;
use engine::limits::Bounds;
use parking_lot::Mutex;
use serde_json::Value;
use tokio::runtime::Handle;
use uuid::Uuid;

use super::receipt::View;
use super::status::ReceiptStatus;
use event::Event;
pub(crate) use filter::Filter;
pub(crate) use position::Since;
pub(crate) use reader::Reader;
use tape::{Taken, Tape};

/// Somebody who is told of receipts wherever they are to be taken, whosesoever they are.
pub trait ReceiptListener: Send + Sync {
    /// Whether receipts with that status are of use.
    fn wants(&self, status: ReceiptStatus) -> bool;

    /// Takes a receipt. It is called while the message is locked: it must neither wait nor ask
    /// anything of the API.
    fn hear(&self, receipt: Receipt<'_>);
}

/// What became of a message so far.
#[derive(Clone, Copy, Debug)]
pub struct Receipt<'a> {
    /// Who sent it.
    pub principal_id: &'a str,
    /// All of it, as `GET /receipts/{traceId}` answers it.
    pub document: &'a Value,
}

/// What is told to readers and to the listener. While there are none of either, telling costs two
/// loads.
pub(crate) struct Feed {
    /// Whether events are taken down: somebody reads, or did not long ago and may come back.
    recording: AtomicBool,
    tape: Mutex<Tape>,
    listener: OnceLock<Arc<dyn ReceiptListener>>,
    wall: Wall,
    /// How long events are of use to those who may come back.
    life: Duration,
}

impl Feed {
    /// Nobody reads yet.
    pub(crate) fn new(bounds: &Bounds, wall: Wall) -> Arc<Self> {
        Arc::new(Feed {
            recording: AtomicBool::new(false),
            tape: Mutex::new(Tape::new(bounds.receipt_events, bounds.receipt_readers)),
            listener: OnceLock::new(),
            wall,
            life: bounds.receipt_life,
        })
    }

    /// Tells the listener of everything from now on; there is one at most.
    pub(crate) fn tell_all(&self, listener: Arc<dyn ReceiptListener>) {
        let refused = self.listener.set(listener);
        debug_assert!(refused.is_ok(), "a second listener");
    }

    /// Whether anybody is to be told anything.
    pub(super) fn is_wanted(&self) -> bool {
        self.recording.load(Ordering::Relaxed) || self.listener.get().is_some()
    }

    /// Tells of a message that has just changed. In the order of its changes: its lock is held.
    pub(super) fn tell(&self, view: View<'_>) {
        let status = view.status();
        let listener = self.listener.get().filter(|listener| listener.wants(status));
        let recording = self.recording.load(Ordering::Relaxed);
        if !recording && listener.is_none() {
            return;
        }
        let (known, document) = (view.known, view.document(self.wall));
        if recording {
            let event = Event {
                number: 0,
                principal_id: Arc::clone(&known.principal_id),
                client_id: known.target.client_id().into(),
                data: document.to_string().into(),
            };
            self.tape.lock().append(event);
        }
        if let Some(listener) = listener {
            listener.hear(Receipt { principal_id: &known.principal_id, document: &document });
        }
    }

    /// Lets somebody read along; none if there are as many as there may be.
    pub(crate) fn read(self: &Arc<Self>, filter: Filter, since: Since) -> Option<Reader> {
        let mut tape = self.tape.lock();
        let entered = tape.enter(filter, since, || Uuid::new_v4().as_u64_pair().0)?;
        self.recording.store(true, Ordering::Relaxed);
        drop(tape);
        Some(Reader::new(Arc::clone(self), entered))
    }

    fn take(&self, seat: u64) -> Taken {
        self.tape.lock().take(seat)
    }

    /// A reader goes. What it may come back for is kept for a while.
    fn leave(feed: &Arc<Self>, seat: u64) {
        let Some(visits) = feed.tape.lock().leave(seat) else { return };
        // Without a runtime the process ends, and all is forgotten anyway.
        let Ok(runtime) = Handle::try_current() else { return };
        let feed = Arc::downgrade(feed);
        runtime.spawn(async move {
            let mut visits = Some(visits);
            while let (Some(present), Some(life)) = (visits, feed.upgrade().map(|feed| feed.life)) {
                tokio::time::sleep(life).await;
                visits = feed.upgrade().and_then(|feed| feed.forget(present));
            }
        });
    }

    fn forget(&self, visits: u64) -> Option<u64> {
        let mut tape = self.tape.lock();
        let again = tape.forget(visits);
        self.recording.store(tape.is_recording(), Ordering::Relaxed);
        again
    }
}
