//! What the clients and whoever kills the server share.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

use std::sync::{Mutex, PoisonError};

/// How long anything may take that has to happen when the server is not killed any more.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A moment, as a number that only rises: what has the smaller one came first.
pub(crate) type Stamp = u64;

/// What the clients do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Phase {
    /// They publish, subscribe, come and go.
    Load,
    /// Publishers see to it that everything they sent is acknowledged, and end.
    Finish,
    /// Subscribers take what they are owed, and end.
    Drain,
}

/// Shared by all threads of a run.
pub(crate) struct Stage {
    pub(crate) seed: u64,
    clock: AtomicU64,
    phase: AtomicU8,
    server: Mutex<Option<Place>>,
    violations: Mutex<Vec<String>>,
}

/// Where the server is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) address: SocketAddr,
    /// Which process it is, counted from the first.
    pub(crate) life: u64,
}

impl Stage {
    pub(crate) fn new(seed: u64) -> Self {
        Stage {
            seed,
            clock: AtomicU64::new(1),
            phase: AtomicU8::new(Phase::Load as u8),
            server: Mutex::new(None),
            violations: Mutex::new(Vec::new()),
        }
    }

    /// The present moment, which is nobody else's.
    pub(crate) fn stamp(&self) -> Stamp {
        self.clock.fetch_add(1, Ordering::SeqCst)
    }

    pub(crate) fn has_reached(&self, phase: Phase) -> bool {
        self.phase.load(Ordering::SeqCst) >= phase as u8
    }

    pub(crate) fn enter(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::SeqCst);
    }

    pub(crate) fn server(&self) -> Option<Place> {
        *self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_server(&self, place: Option<Place>) {
        *self.server.lock().unwrap_or_else(PoisonError::into_inner) = place;
    }

    /// A promise was broken.
    pub(crate) fn accuse(&self, what: String) {
        self.violations.lock().unwrap_or_else(PoisonError::into_inner).push(what);
    }

    pub(crate) fn violations(&self) -> Vec<String> {
        self.violations.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
