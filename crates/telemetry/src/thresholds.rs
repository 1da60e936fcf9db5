//! How important an entry must be to be written, and about whom.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU8, Ordering};

use arc_swap::ArcSwap;

use crate::Level;
use crate::event::{Event, Party};

/// The least important level that is written: for everything, or for what an entry is about. What is
/// narrower counts: a client before an address, an address before a principal, a principal before a
/// type of event, and that before everything (spec 8.1, 12).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Thresholds {
    /// For all that nothing else is said of; as the log was started with if none.
    pub default: Option<Level>,
    /// By the entry's `eventType`.
    pub event_types: HashMap<String, Level>,
    /// By `principalId`.
    pub principal_ids: HashMap<String, Level>,
    /// By `sourceIp`; an address of IPv4 that is written in IPv6 counts as one of IPv4.
    pub source_ips: HashMap<IpAddr, Level>,
    /// By `clientId`.
    pub client_ids: HashMap<String, Level>,
}

/// Whom an entry is about, as far as it says so.
#[derive(Clone, Copy, Debug, Default)]
pub struct Subject<'a> {
    /// `clientId`.
    pub client_id: Option<&'a str>,
    /// `principalId`.
    pub principal_id: Option<&'a str>,
    /// `sourceIp` and `sourcePort`.
    pub source: Option<SocketAddr>,
}

impl<'a> From<Party<'a>> for Subject<'a> {
    fn from(party: Party<'a>) -> Self {
        Subject {
            client_id: Some(party.client_id),
            principal_id: Some(party.principal_id),
            source: Some(party.source),
        }
    }
}

impl Thresholds {
    /// Whether they are the same whatever an entry is about.
    fn are_one(&self) -> bool {
        let Thresholds { default: _, event_types, principal_ids, source_ips, client_ids } = self;
        event_types.is_empty()
            && principal_ids.is_empty()
            && source_ips.is_empty()
            && client_ids.is_empty()
    }

    fn of<E: Event>(&self, event: &E) -> Option<Level> {
        let Subject { client_id, principal_id, source } = event.subject();
        let of_client = client_id.and_then(|id| self.client_ids.get(id));
        let of_source = || source.and_then(|at| self.source_ips.get(&at.ip().to_canonical()));
        let of_principal = || principal_id.and_then(|id| self.principal_ids.get(id));
        let found = of_client.or_else(of_source).or_else(of_principal);
        found.or_else(|| self.event_types.get(E::TYPE)).copied().or(self.default)
    }
}

/// Decides which events are written. Asked for each, and seldom told anything new.
pub(crate) struct Gate {
    /// As the log was started with.
    started_with: Level,
    /// The threshold if it is the same for everything, as a number; [`BY_SUBJECT`] if not.
    one: AtomicU8,
    thresholds: ArcSwap<Thresholds>,
}

/// No level has this number.
const BY_SUBJECT: u8 = u8::MAX;

impl Gate {
    pub(crate) fn new(level: Level) -> Self {
        let thresholds = ArcSwap::from_pointee(Thresholds::default());
        Gate { started_with: level, one: AtomicU8::new(level as u8), thresholds }
    }

    pub(crate) fn started_with(&self) -> Level {
        self.started_with
    }

    pub(crate) fn set(&self, thresholds: Thresholds) {
        let one = match thresholds.are_one() {
            true => thresholds.default.unwrap_or(self.started_with) as u8,
            false => BY_SUBJECT,
        };
        // Whoever learns that it is by subject finds the subjects.
        self.thresholds.store(thresholds.into());
        self.one.store(one, Ordering::Release);
    }

    #[inline]
    pub(crate) fn lets_pass<E: Event>(&self, event: &E) -> bool {
        match self.one.load(Ordering::Acquire) {
            BY_SUBJECT => self.lets_pass_by_subject(event),
            one => event.level() as u8 >= one,
        }
    }

    #[cold]
    fn lets_pass_by_subject<E: Event>(&self, event: &E) -> bool {
        event.level() >= self.thresholds.load().of(event).unwrap_or(self.started_with)
    }
}
