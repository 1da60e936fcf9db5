//! What an earlier process kept.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use engine::queue::QueueTotal;
use engine::retained::RetainedMessages;
use engine::session::Memory;
use engine::topics::Subscription;
use engine::{Moment, Wall};
use foldhash::fast::RandomState;
use mqtt::{ClientId, TopicFilter};
use shadow::{Content, Kept as KeptShadow, ShadowId};
use store::record::queue::Queued;
use store::record::{self, RecordError, each};
use store::{Records, StoreError, Table};
use telemetry::event;

use crate::device::{Kept, Subscribed};
use crate::node::Node;
use crate::subscribe::Subscriber;
use crate::will::Will;

/// Sessions, retained messages and shadows as they were kept.
#[derive(Default)]
pub(crate) struct Contents {
    pub(crate) retained: RetainedMessages,
    pub(crate) shadows: Vec<(ShadowId, KeptShadow)>,
    /// The number for the next new session; 0 is none's.
    pub(crate) next_number: u64,
    sessions: HashMap<u64, (ClientId, Kept), RandomState>,
    wills: Vec<(ClientId, record::will::Will)>,
}

impl Contents {
    /// Reads everything. The messages that wait count into `total`.
    pub(crate) fn read(
        records: &dyn Records,
        wall: Wall,
        total: &QueueTotal,
    ) -> Result<Self, StoreError> {
        let mut contents = Contents { next_number: 1, ..Contents::default() };
        each(records, Table::Sessions, |key, value| {
            contents.add_session(record::session::read(key, value)?, wall);
            Ok(())
        })?;
        each(records, Table::Subscriptions, |key, value| {
            let (number, subscription) = record::subscription::read(key, value)?;
            if let Some((_, kept)) = contents.sessions.get_mut(&number) {
                let filter = subscription.filter.as_str().into();
                let (options, identifier) = (subscription.options, subscription.identifier);
                kept.subscriptions.insert(filter, Subscribed { options, identifier });
            }
            Ok(())
        })?;
        each(records, Table::Queues, |key, value| {
            let (number, queued) = record::queue::read(key, value, wall)?;
            if let Some(memory) = contents.memory(number, total) {
                match queued {
                    Queued::Message(entry, packet_id) => memory.restore(entry, packet_id),
                    Queued::Released { seq, packet_id } => memory.restore_released(seq, packet_id),
                }
            }
            Ok(())
        })?;
        let memories = contents.sessions.values_mut().filter_map(|(_, kept)| kept.memory.as_mut());
        memories.for_each(|memory| memory.finish_restoring());
        each(records, Table::Received, |key, _| {
            let (number, packet_id) = record::received::read(key)?;
            if let Some(memory) = contents.memory(number, total) {
                memory.restore_received(packet_id);
            }
            Ok(())
        })?;
        each(records, Table::Retained, |_, value| {
            contents.retained.set(record::retained::read(value, wall)?);
            Ok(())
        })?;
        each(records, Table::Shadows, |key, value| {
            let (key, record) = record::shadow::read(key, value)?;
            contents.shadows.push(shadow(key, &record)?);
            Ok(())
        })?;
        each(records, Table::Wills, |key, value| {
            contents.wills.push(record::will::read(key, value, wall)?);
            Ok(())
        })?;
        Ok(contents)
    }

    /// What was read in that time, for the log.
    pub(crate) fn opened(&self, took: Duration) -> event::Server<'static> {
        let memories = self.sessions.values().filter_map(|(_, kept)| kept.memory.as_deref());
        event::Server::StoreOpened {
            sessions: self.sessions.len(),
            messages: memories.map(Memory::waiting).sum(),
            retained: self.retained.len(),
            took,
        }
    }

    fn add_session(
        &mut self,
        (client_id, session): (ClientId, record::session::Session),
        wall: Wall,
    ) {
        // A session that was connected when the process ended has lost its connection now.
        let life = Duration::from_secs(u64::from(session.expiry_seconds));
        let ends = session.ends_at.map_or(Moment::START.after(life), |at| wall.moment(at));
        let kept = Kept {
            number: session.number,
            version: Some(session.version),
            expiry_seconds: session.expiry_seconds,
            ends: Some(ends),
            connections: session.connections,
            ..Kept::default()
        };
        self.next_number = self.next_number.max(session.number + 1);
        self.sessions.insert(session.number, (client_id, kept));
    }

    /// The messages of a session; none for a session that is over.
    fn memory(&mut self, number: u64, total: &QueueTotal) -> Option<&mut Memory> {
        let (_, kept) = self.sessions.get_mut(&number)?;
        Some(kept.memory.get_or_insert_with(|| Box::new(Memory::new(total))))
    }
}

/// A shadow as it was kept.
fn shadow(
    key: record::shadow::Key<'_>,
    record: &record::shadow::Shadow<'_>,
) -> Result<(ShadowId, KeptShadow), RecordError> {
    let unreadable = |what| RecordError::new(Table::Shadows, what);
    let id = ShadowId::new(key.thing, key.name)
        .map_err(|_| unreadable("its key does not name a shadow"))?;
    let content = match record.content {
        record::shadow::Content::Document { state, times } => {
            Content::Document { state: state.into(), times: times.into() }
        }
        record::shadow::Content::Deleted { at_millis } => Content::Deleted { at_millis },
    };
    let kept = KeptShadow { version: record.version, content };
    kept.check().map_err(|_| unreadable("it is no document of a shadow"))?;
    Ok((id, kept))
}

impl Node {
    /// Takes over what was kept: sessions whose clients may come back, and Wills that are due.
    pub(crate) fn restore(self: &Arc<Self>, contents: Contents) {
        let now = self.now();
        for (_, (client_id, kept)) in contents.sessions {
            let device = self.devices.get_or_insert(&client_id);
            let mut topics = self.subscriptions.write();
            for (text, subscribed) in &kept.subscriptions {
                let Ok(filter) = TopicFilter::parse(text) else { continue };
                let subscriber = Subscriber::new(&device, &kept);
                let (options, identifier) = (subscribed.options, subscribed.identifier);
                topics.insert(filter, Subscription { subscriber, options, identifier });
            }
            drop(topics);
            let mut state = device.lock();
            state.session = kept;
            self.schedule(&device, &mut state, now);
        }
        for (client_id, will) in contents.wills {
            let device = self.devices.get_or_insert(&client_id);
            let mut state = device.lock();
            let due = self.clock.wall().moment(will.due_at);
            state.session.will = Some((Will::restored(will.message, will.expiry_seconds), due));
            self.schedule(&device, &mut state, now);
        }
    }
}
