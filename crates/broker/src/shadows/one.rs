//! One shadow's place in the node.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use engine::Ticket;
use engine::rate::Bucket;
use parking_lot::{Mutex, MutexGuard};
use shadow::{Kept, ShadowId};

use super::outbox::Outbox;

/// A shadow, or the place of one that does not exist and is asked for.
pub(crate) struct Shadow {
    pub(crate) id: ShadowId,
    /// Its rate.
    pub(crate) requests: Bucket,
    pub(crate) outbox: Outbox,
    /// Whether there is a document, for those who look without the lock.
    alive: AtomicBool,
    state: Mutex<State>,
}

/// What the lock protects.
pub(crate) struct State {
    kept: Kept,
    /// With which the last change is durable.
    pub(crate) durable: Ticket,
    /// Set once it has left the node: a request must look it up again.
    pub(crate) removed: bool,
}

impl Shadow {
    pub(crate) fn new(id: ShadowId, kept: Kept) -> Arc<Self> {
        Arc::new(Shadow {
            id,
            requests: Bucket::new(),
            outbox: Outbox::default(),
            alive: AtomicBool::new(kept.is_alive()),
            state: Mutex::new(State { kept, durable: Ticket::NONE, removed: false }),
        })
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    pub(crate) fn is_alive(&self) -> bool {
        self.alive.load(Ordering::Relaxed)
    }

    /// Keeps something else from now on. Called with its lock held.
    pub(crate) fn keep(&self, state: &mut State, kept: Kept, durable: Ticket) {
        self.alive.store(kept.is_alive(), Ordering::Relaxed);
        state.kept = kept;
        state.durable = durable;
    }
}

impl State {
    pub(crate) fn kept(&self) -> &Kept {
        &self.kept
    }
}
