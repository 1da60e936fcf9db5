//! Messages in the order in which they are forgotten.

use std::hash::BuildHasher;
use std::sync::Arc;

use engine::Moment;
use foldhash::fast::RandomState;
use hashbrown::HashTable;
use slab::Slab;

use super::record::Record;

/// Behind the last of a list, and before its first.
const NONE: u32 = u32::MAX;

/// A message that is known, and where it stands.
pub(super) struct Entry {
    pub(super) record: Arc<Record>,
    /// Until when it is kept.
    pub(super) until: Moment,
    pub(super) place: Place,
    /// Its neighbours among all on its shelf, and among those of its principal.
    neighbours: [Link; 2],
    owner: u32,
}

/// Where a message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// On neither shelf: whether it will be sent is not known yet.
    UnderWay,
    /// Among those that were sent.
    Sent,
    /// Among those that never were.
    NeverSent,
}

/// All messages that are known; each keeps its number.
pub(super) type Entries = Slab<Entry>;

#[derive(Clone, Copy)]
struct Link {
    before: u32,
    after: u32,
}

/// Oldest first.
#[derive(Clone, Copy)]
struct List {
    first: u32,
    last: u32,
}

/// Which list is meant: an index of an entry's neighbours.
#[derive(Clone, Copy)]
enum Of {
    All,
    Owner,
}

/// A principal that has messages on the shelf.
struct Owner {
    principal_id: Arc<str>,
    list: List,
    count: usize,
    /// Where it is in its class.
    at: usize,
}

/// A bounded number of messages, oldest first. Beyond the bound one of a principal goes that has most
/// of them, or at least half as many as whoever has: nobody's messages push out those of another who
/// has fewer than half as many.
pub(super) struct Shelf {
    all: List,
    count: usize,
    most: usize,
    owners: Slab<Owner>,
    by_principal: HashTable<u32>,
    hasher: RandomState,
    /// The owners by the number of binary digits of their counts, so that one of those with most
    /// is found at once.
    classes: Vec<Vec<u32>>,
}

impl Entry {
    pub(super) fn new(record: Arc<Record>, until: Moment) -> Self {
        let neighbours = [Link { before: NONE, after: NONE }; 2];
        Entry { record, until, place: Place::UnderWay, neighbours, owner: NONE }
    }
}

impl List {
    const EMPTY: List = List { first: NONE, last: NONE };

    fn push(&mut self, entries: &mut Entries, of: Of, number: u32) {
        let before = self.last;
        entries[number as usize].neighbours[of as usize] = Link { before, after: NONE };
        match before {
            NONE => self.first = number,
            before => entries[before as usize].neighbours[of as usize].after = number,
        }
        self.last = number;
    }

    fn remove(&mut self, entries: &mut Entries, of: Of, number: u32) {
        let Link { before, after } = entries[number as usize].neighbours[of as usize];
        match before {
            NONE => self.first = after,
            before => entries[before as usize].neighbours[of as usize].after = after,
        }
        match after {
            NONE => self.last = before,
            after => entries[after as usize].neighbours[of as usize].before = before,
        }
    }
}

impl Shelf {
    /// For at most so many messages.
    pub(super) fn new(most: usize) -> Self {
        Shelf {
            all: List::EMPTY,
            count: 0,
            most,
            owners: Slab::new(),
            by_principal: HashTable::new(),
            hasher: RandomState::default(),
            classes: Vec::new(),
        }
    }

    /// Puts a message behind all others; returns the one that has to be forgotten for it, if there
    /// are too many now.
    pub(super) fn put(&mut self, entries: &mut Entries, number: u32) -> Option<u32> {
        let owner = self.owner(&entries[number as usize].record.known().principal_id);
        entries[number as usize].owner = owner;
        self.all.push(entries, Of::All, number);
        self.owners[owner as usize].list.push(entries, Of::Owner, number);
        self.count += 1;
        self.recount(owner, 1);
        (self.count > self.most).then(|| self.oldest_of_most()).flatten()
    }

    /// Takes a message off that is on it.
    pub(super) fn take(&mut self, entries: &mut Entries, number: u32) {
        let owner = entries[number as usize].owner;
        self.all.remove(entries, Of::All, number);
        self.owners[owner as usize].list.remove(entries, Of::Owner, number);
        self.count -= 1;
        self.recount(owner, -1);
    }

    /// The oldest.
    pub(super) fn oldest(&self) -> Option<u32> {
        (self.all.first != NONE).then_some(self.all.first)
    }

    fn oldest_of_most(&self) -> Option<u32> {
        let class = self.classes.iter().rev().find(|class| !class.is_empty())?;
        let owner = *class.last()?;
        Some(self.owners[owner as usize].list.first)
    }

    fn owner(&mut self, principal_id: &Arc<str>) -> u32 {
        let hash = self.hasher.hash_one(&**principal_id);
        let is_it = |owner: &u32| self.owners[*owner as usize].principal_id == *principal_id;
        if let Some(owner) = self.by_principal.find(hash, is_it) {
            return *owner;
        }
        let owner = self.owners.insert(Owner {
            principal_id: Arc::clone(principal_id),
            list: List::EMPTY,
            count: 0,
            at: 0,
        }) as u32;
        let (owners, hasher) = (&self.owners, &self.hasher);
        let rehash = |present: &u32| hasher.hash_one(&*owners[*present as usize].principal_id);
        self.by_principal.insert_unique(hash, owner, rehash);
        self.enter_class(owner, 0);
        owner
    }

    /// An owner has one more, or one less; without any it is forgotten.
    fn recount(&mut self, owner: u32, difference: isize) {
        let present = &mut self.owners[owner as usize];
        let before = class(present.count);
        present.count = present.count.saturating_add_signed(difference);
        let (count, after) = (present.count, class(present.count));
        if before == after {
            return;
        }
        self.leave_class(owner, before);
        if count > 0 {
            return self.enter_class(owner, after);
        }
        let gone = self.owners.remove(owner as usize);
        let hash = self.hasher.hash_one(&*gone.principal_id);
        if let Ok(found) = self.by_principal.find_entry(hash, |present| *present == owner) {
            found.remove();
        }
    }

    fn enter_class(&mut self, owner: u32, class: usize) {
        if self.classes.len() <= class {
            self.classes.resize_with(class + 1, Vec::new);
        }
        let class = &mut self.classes[class];
        self.owners[owner as usize].at = class.len();
        class.push(owner);
    }

    fn leave_class(&mut self, owner: u32, class: usize) {
        let (class, at) = (&mut self.classes[class], self.owners[owner as usize].at);
        class.swap_remove(at);
        if let Some(moved) = class.get(at) {
            self.owners[*moved as usize].at = at;
        }
    }
}

/// The number of binary digits.
fn class(count: usize) -> usize {
    (usize::BITS - count.leading_zeros()) as usize
}
