//! What makes the sessions, retained messages and shadows durable.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use engine::retained::Retained;
use engine::session::{Change, Lifetime, Memory};
use engine::{Moment, Ticket, Wall};
use mqtt::{ClientId, TopicName, Version};
use shadow::{Content, Kept as KeptShadow, ShadowId};
use store::record::{
    queue, received, retained, session, shadow as shadow_record, subscription, will,
};
use store::{Changes, Journal, StoreFailed, Together};

use crate::device::{Kept, Subscribed};
use crate::node::Storage;
use crate::will::Will;

/// Writes what changed to the journal, if there is one. What changes under a device's lock is
/// written under it, so that the journal's order is that of the changes.
pub(crate) struct Keeper {
    storage: Option<Storage>,
    wall: Wall,
    /// The number that the next session gets.
    numbers: AtomicU64,
    /// The last ticket given.
    latest: AtomicU64,
}

impl Keeper {
    pub(crate) fn new(storage: Option<Storage>, wall: Wall, first_number: u64) -> Self {
        let numbers = AtomicU64::new(first_number);
        Keeper { storage, wall, numbers, latest: AtomicU64::new(0) }
    }

    /// Whether anything outlives the process.
    pub(crate) fn is_storing(&self) -> bool {
        self.storage.is_some()
    }

    /// How long the state of a session lasts that outlives its connection by `expiry_seconds`.
    pub(crate) fn lifetime(&self, expiry_seconds: u32) -> Lifetime {
        match (expiry_seconds, &self.storage) {
            (0, _) => Lifetime::Connection,
            (_, None) => Lifetime::Process,
            (_, Some(_)) => Lifetime::Store(self.latest()),
        }
    }

    /// The ticket of everything written so far.
    pub(crate) fn latest(&self) -> Ticket {
        Ticket::new(self.latest.load(Ordering::Acquire))
    }

    /// While it is held, everything this thread writes becomes durable at once or not at all.
    pub(crate) fn together(&self) -> Option<Together<'_>> {
        self.journal().map(Journal::together)
    }

    pub(crate) fn is_durable(&self, ticket: Ticket) -> bool {
        self.journal().is_none_or(|journal| journal.is_durable(ticket))
    }

    /// Calls `then` once the ticket is durable or never will be; at once if that is known, with
    /// whatever locks the caller holds.
    pub(crate) fn when_durable(
        &self,
        ticket: Ticket,
        then: impl FnOnce(Result<(), StoreFailed>) + Send + 'static,
    ) {
        match self.journal() {
            Some(journal) => journal.when_durable(ticket, then),
            None => then(Ok(())),
        }
    }

    /// Why nothing becomes durable any more, if that is so.
    pub(crate) fn failure(&self) -> Option<Arc<StoreFailed>> {
        self.journal().and_then(Journal::failure)
    }

    /// Bytes that are not durable yet.
    pub(crate) fn pending_bytes(&self) -> usize {
        self.journal().map_or(0, Journal::pending_bytes)
    }

    /// Makes everything durable, stops and lets go of the store.
    pub(crate) fn close(&self) {
        if let Some(storage) = &self.storage {
            storage.journal.close();
            // What was committed is there whether it closes well or not.
            let _ = storage.records.close();
        }
    }

    fn journal(&self) -> Option<&Journal> {
        self.storage.as_ref().map(|storage| storage.journal.as_ref())
    }

    /// A new number for a session that outlives its connection.
    pub(crate) fn next_number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    /// A session began or goes on, or its connection ended.
    pub(crate) fn keep_session(
        &self,
        client_id: &ClientId,
        kept: &Kept,
        ends: Option<Moment>,
    ) -> Ticket {
        let session = session::Session {
            number: kept.number,
            version: kept.version.unwrap_or(Version::V311),
            expiry_seconds: kept.expiry_seconds,
            ends_at: ends.map(|ends| self.wall.millis(ends)),
            connections: kept.connections,
        };
        self.write(|changes| session::put(changes, client_id, &session))
    }

    /// A session is over: nothing is left of it.
    pub(crate) fn forget_session(
        &self,
        client_id: &ClientId,
        number: u64,
        subscriptions: &BTreeMap<Box<str>, Subscribed>,
        memory: Option<&Memory>,
    ) -> Ticket {
        self.write(|changes| {
            session::delete(changes, client_id);
            for filter in subscriptions.keys() {
                subscription::delete(changes, number, filter);
            }
            let Some(memory) = memory else { return };
            let (messages, ids) = memory.contents();
            messages.into_iter().for_each(|seq| queue::delete(changes, number, seq));
            ids.into_iter().for_each(|id| received::delete(changes, number, id));
        })
    }

    /// What changed in a session.
    pub(crate) fn keep_changes(&self, number: u64, made: &[Change]) -> Ticket {
        self.write(|changes| {
            for change in made {
                match change {
                    Change::Kept { entry, packet_id } => {
                        queue::put(changes, number, entry, *packet_id, self.wall);
                    }
                    Change::Released { seq, packet_id } => {
                        queue::put_released(changes, number, *seq, *packet_id);
                    }
                    Change::Removed { seq } => queue::delete(changes, number, *seq),
                    Change::Received(id) => received::put(changes, number, *id),
                    Change::Forgotten(id) => received::delete(changes, number, *id),
                }
            }
        })
    }

    /// A session subscribed.
    pub(crate) fn keep_subscription(
        &self,
        number: u64,
        made: &subscription::Subscription<'_>,
    ) -> Ticket {
        self.write(|changes| subscription::put(changes, number, made))
    }

    /// A session unsubscribed.
    pub(crate) fn forget_subscription(&self, number: u64, filter: &str) -> Ticket {
        self.write(|changes| subscription::delete(changes, number, filter))
    }

    /// A Will waits for its delay to pass.
    pub(crate) fn keep_will(&self, client_id: &ClientId, kept: &Will, due: Moment) -> Ticket {
        let due_at = self.wall.millis(due);
        self.write(|changes| {
            will::put(changes, client_id, kept.parts(), due_at, self.wall);
        })
    }

    /// A Will is published or withdrawn.
    pub(crate) fn forget_will(&self, client_id: &ClientId) -> Ticket {
        self.write(|changes| will::delete(changes, client_id))
    }

    /// A message is retained.
    pub(crate) fn keep_retained(&self, kept: &Retained) -> Ticket {
        self.write(|changes| retained::put(changes, kept, self.wall))
    }

    /// A message is not retained any more.
    pub(crate) fn forget_retained(&self, topic: TopicName<'_>) -> Ticket {
        self.write(|changes| retained::delete(changes, topic))
    }

    /// A shadow changed, or was deleted.
    pub(crate) fn keep_shadow(&self, id: &ShadowId, kept: &KeptShadow) -> Ticket {
        let content = match &kept.content {
            Content::Nothing => return self.forget_shadow(id),
            Content::Document { state, times } => shadow_record::Content::Document { state, times },
            Content::Deleted { at_millis } => {
                shadow_record::Content::Deleted { at_millis: *at_millis }
            }
        };
        let record = shadow_record::Shadow { version: kept.version, content };
        self.write(|changes| shadow_record::put(changes, key(id), &record))
    }

    /// Nothing is kept of a shadow any more.
    pub(crate) fn forget_shadow(&self, id: &ShadowId) -> Ticket {
        self.write(|changes| shadow_record::delete(changes, key(id)))
    }

    fn write(&self, fill: impl FnOnce(&mut Changes)) -> Ticket {
        let Some(journal) = self.journal() else { return Ticket::NONE };
        let mut changes = Changes::new();
        fill(&mut changes);
        let ticket = journal.write(&changes);
        if ticket != Ticket::NEVER {
            self.latest.fetch_max(ticket.number(), Ordering::AcqRel);
        }
        ticket
    }
}

fn key(id: &ShadowId) -> shadow_record::Key<'_> {
    shadow_record::Key { thing: id.thing(), name: id.name() }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.close();
    }
}
