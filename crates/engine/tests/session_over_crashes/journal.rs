//! What the server made durable, and what it would find after a crash.

use std::collections::{BTreeMap, BTreeSet};

use engine::Ticket;
use engine::queue::{Entry, QueueTotal};
use engine::session::{Change, Memory};
use mqtt::PacketId;

use crate::wire::Number;

/// Groups of changes, of which a part from the beginning is durable.
#[derive(Default)]
pub struct Journal {
    groups: Vec<Group>,
    durable: usize,
    pub kept: Contents,
}

/// What becomes durable at once or not at all.
struct Group {
    changes: Vec<Change>,
    taken: Option<Number>,
}

/// What is durable.
#[derive(Default)]
pub struct Contents {
    pub messages: BTreeMap<u64, Kept>,
    pub received: BTreeSet<PacketId>,
    /// The messages of the client that went on to others.
    pub taken: Vec<Number>,
}

/// A message to the client, or what is left of it.
pub enum Kept {
    Message(Entry, Option<PacketId>),
    Released(PacketId),
}

impl Journal {
    /// The ticket of what was written last.
    pub fn latest(&self) -> Ticket {
        Ticket::new(self.groups.len() as u64)
    }

    /// Writes what changed, and the message of the client that went on to others with it.
    pub fn write(&mut self, changes: Vec<Change>, taken: Option<Number>) -> Ticket {
        if changes.is_empty() && taken.is_none() {
            return Ticket::NONE;
        }
        self.groups.push(Group { changes, taken });
        self.latest()
    }

    pub fn is_durable(&self, ticket: Ticket) -> bool {
        ticket.number() <= self.durable as u64
    }

    /// How often the message of the client went on to others, as far as the server knows.
    pub fn times_taken(&self, number: Number) -> usize {
        self.groups.iter().filter(|group| group.taken == Some(number)).count()
    }

    /// Makes more groups durable; says how far they are.
    pub fn commit(&mut self, groups: usize) -> Ticket {
        let end = self.groups.len().min(self.durable.saturating_add(groups));
        for group in &self.groups[self.durable..end] {
            group.changes.iter().for_each(|change| self.kept.apply(change));
            self.kept.taken.extend(group.taken);
        }
        self.durable = end;
        Ticket::new(end as u64)
    }

    /// Loses what is not durable, and gives back what is.
    pub fn crash(&mut self, total: &QueueTotal) -> Box<Memory> {
        self.groups.truncate(self.durable);
        let mut memory = Memory::new(total);
        for (seq, kept) in &self.kept.messages {
            match kept {
                Kept::Message(entry, id) => memory.restore(entry.clone(), *id),
                Kept::Released(id) => memory.restore_released(*seq, *id),
            }
        }
        memory.finish_restoring();
        self.kept.received.iter().for_each(|id| memory.restore_received(*id));
        Box::new(memory)
    }
}

impl Contents {
    fn apply(&mut self, change: &Change) {
        match change {
            Change::Kept { entry, packet_id } => {
                let kept = Kept::Message(entry.clone(), *packet_id);
                let before = self.messages.insert(entry.seq, kept);
                // What is new is written as new.
                assert_eq!(before.is_some(), packet_id.is_some(), "number {}", entry.seq);
            }
            Change::Released { seq, packet_id } => {
                let before = self.messages.insert(*seq, Kept::Released(*packet_id));
                assert!(before.is_some(), "what is released was kept");
            }
            Change::Removed { seq } => {
                assert!(self.messages.remove(seq).is_some(), "what is removed was kept");
            }
            Change::Received(id) => assert!(self.received.insert(*id), "{id:?} is taken"),
            Change::Forgotten(id) => assert!(self.received.remove(id), "{id:?} is free"),
        }
    }

    /// Whether the message would be sent under that packet ID after a crash.
    pub fn is_bound(&self, id: PacketId, number: Number) -> bool {
        self.messages.values().any(|kept| match kept {
            Kept::Message(entry, Some(bound)) => {
                *bound == id && *entry.message.payload == number.to_be_bytes()
            }
            Kept::Message(..) | Kept::Released(_) => false,
        })
    }

    /// Whether any message would be sent under that packet ID after a crash.
    pub fn is_unreleased(&self, id: PacketId) -> bool {
        self.messages
            .values()
            .any(|kept| matches!(kept, Kept::Message(_, Some(bound)) if *bound == id))
    }
}
