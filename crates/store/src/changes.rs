//! Changes that belong together.

use hashbrown::HashMap;
use hashbrown::hash_map::Entry;

use crate::Table;

/// The longest key in bytes.
pub const MAX_KEY_BYTES: usize = 65_535;

/// Puts and deletions, in order. A [`commit`](crate::Records::commit) applies them as a whole or not
/// at all.
///
/// All keys and values are in one buffer, so building costs few allocations, and none when a value of
/// this type is used again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Key and value of each change, one after the other.
    arena: Vec<u8>,
    list: Vec<Entered>,
    /// Bytes of the arena that changes of the list refer to.
    bytes: usize,
}

/// Where in the arena a change is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entered {
    start: usize,
    value_bytes: u32,
    key_bytes: u16,
    table: Table,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Put,
    PutNew,
    Delete,
}

/// One change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change<'a> {
    /// The table that changes.
    pub table: Table,
    /// The key that changes.
    pub key: &'a [u8],
    /// Its new value, or nothing if the record is deleted.
    pub value: Option<&'a [u8]>,
}

impl Changes {
    /// No changes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives a key a value, whether it has one or not.
    ///
    /// # Panics
    /// The key is empty or longer than [`MAX_KEY_BYTES`], or the value is 4 GiB or more: bounds of
    /// the file format, far above every bound of what comes in.
    pub fn put(&mut self, table: Table, key: &[u8], value: &[u8]) {
        self.enter(Kind::Put, table, key, value);
    }

    /// As [`Changes::put`], for a key that never had a value before. If it is deleted again before
    /// it gets to the disk, neither has to.
    ///
    /// # Panics
    /// As for [`Changes::put`].
    pub fn put_new(&mut self, table: Table, key: &[u8], value: &[u8]) {
        self.enter(Kind::PutNew, table, key, value);
    }

    /// Deletes a record, whether it exists or not.
    ///
    /// # Panics
    /// As for [`Changes::put`].
    pub fn delete(&mut self, table: Table, key: &[u8]) {
        self.enter(Kind::Delete, table, key, &[]);
    }

    fn enter(&mut self, kind: Kind, table: Table, key: &[u8], value: &[u8]) {
        assert!(!key.is_empty(), "a key has at least one byte");
        let key_bytes = u16::try_from(key.len()).expect("a key is at most MAX_KEY_BYTES long");
        let value_bytes = u32::try_from(value.len()).expect("a value is shorter than 4 GiB");
        let start = self.arena.len();
        self.arena.extend_from_slice(key);
        self.arena.extend_from_slice(value);
        self.bytes += key.len() + value.len();
        self.list.push(Entered { start, value_bytes, key_bytes, table, kind });
    }

    /// Adds the other changes after these.
    pub fn append(&mut self, other: &Self) {
        let offset = self.arena.len();
        self.arena.extend_from_slice(&other.arena);
        self.bytes += other.bytes;
        let moved = |entered: &Entered| Entered { start: entered.start + offset, ..*entered };
        self.list.extend(other.list.iter().map(moved));
    }

    /// Forgets every change and keeps the buffers.
    pub fn clear(&mut self) {
        self.arena.clear();
        self.list.clear();
        self.bytes = 0;
    }

    /// Whether there is nothing to change.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many changes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Bytes of all keys and values.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Bytes that the buffers take, used or not.
    #[must_use]
    pub(crate) fn capacity(&self) -> usize {
        self.arena.capacity() + self.list.capacity() * size_of::<Entered>()
    }

    /// The changes in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Change<'_>> {
        self.list.iter().map(|entered| entered.change(&self.arena))
    }

    /// Drops every change that a later one of the same key makes superfluous: the records are the
    /// same after a commit. A deletion stays, because its key may have a value from earlier, unless
    /// the first change of the key was a [`Changes::put_new`].
    pub(crate) fn coalesce(&mut self) {
        if self.list.len() < 2 {
            return;
        }
        let arena = &self.arena;
        let mut last = HashMap::<_, Fate, foldhash::fast::RandomState>::with_capacity_and_hasher(
            self.list.len(),
            foldhash::fast::RandomState::default(),
        );
        for (index, entered) in self.list.iter().enumerate() {
            match last.entry((entered.table, entered.key(arena))) {
                Entry::Occupied(mut known) => known.get_mut().index = index,
                Entry::Vacant(free) => {
                    free.insert(Fate { index, new: entered.kind == Kind::PutNew });
                }
            }
        }
        let mut index = 0;
        let mut bytes = 0;
        self.list.retain(|entered| {
            let fate = last[&(entered.table, entered.key(arena))];
            let needed = fate.index == index && !(fate.new && entered.kind == Kind::Delete);
            index += 1;
            if needed {
                bytes += usize::from(entered.key_bytes) + entered.value_bytes as usize;
            }
            needed
        });
        self.bytes = bytes;
    }
}

/// What a group of changes does to a key.
#[derive(Clone, Copy)]
struct Fate {
    /// Where the last change of the key is.
    index: usize,
    /// Whether the key had no value before the group.
    new: bool,
}

impl Entered {
    fn key<'a>(&self, arena: &'a [u8]) -> &'a [u8] {
        &arena[self.start..self.start + usize::from(self.key_bytes)]
    }

    fn change<'a>(&self, arena: &'a [u8]) -> Change<'a> {
        let value = match self.kind {
            Kind::Put | Kind::PutNew => {
                let start = self.start + usize::from(self.key_bytes);
                Some(&arena[start..start + self.value_bytes as usize])
            }
            Kind::Delete => None,
        };
        Change { table: self.table, key: self.key(arena), value }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    type Model = BTreeMap<(Table, Vec<u8>), Vec<u8>>;
    type Written<'a> = Vec<(Table, &'a [u8], Option<&'a [u8]>)>;

    fn apply(model: &mut Model, changes: &Changes) {
        for change in changes.iter() {
            let key = (change.table, change.key.to_vec());
            match change.value {
                Some(value) => model.insert(key, value.to_vec()),
                None => model.remove(&key),
            };
        }
    }

    fn written(changes: &Changes) -> Written<'_> {
        changes.iter().map(|change| (change.table, change.key, change.value)).collect()
    }

    #[test]
    fn changes_are_read_as_they_were_written() {
        let mut changes = Changes::new();
        assert!(changes.is_empty());
        changes.put(Table::Queues, b"key", b"value");
        changes.delete(Table::Wills, b"other");
        changes.put(Table::Meta, &[0, 255], b"");
        let expected: Written<'_> = vec![
            (Table::Queues, b"key", Some(b"value")),
            (Table::Wills, b"other", None),
            (Table::Meta, &[0, 255], Some(b"")),
        ];
        assert_eq!(written(&changes), expected);
        assert_eq!((changes.len(), changes.bytes()), (3, 15));
    }

    #[test]
    fn appended_changes_come_after() {
        let mut first = Changes::new();
        first.put(Table::Meta, b"a", b"1");
        let mut second = Changes::new();
        second.delete(Table::Meta, b"a");
        second.put(Table::Meta, b"b", b"22");
        first.append(&second);
        let expected: Written<'_> = vec![
            (Table::Meta, b"a", Some(b"1")),
            (Table::Meta, b"a", None),
            (Table::Meta, b"b", Some(b"22")),
        ];
        assert_eq!(written(&first), expected);
        assert_eq!(first.bytes(), 6);
        first.clear();
        assert_eq!((first.len(), first.bytes()), (0, 0));
    }

    #[test]
    fn the_longest_key_is_whole() {
        let mut changes = Changes::new();
        changes.put(Table::Meta, &[7; MAX_KEY_BYTES], b"v");
        assert_eq!(written(&changes), [(Table::Meta, &[7; MAX_KEY_BYTES][..], Some(&b"v"[..]))]);
    }

    #[test]
    #[should_panic(expected = "MAX_KEY_BYTES")]
    fn a_longer_key_is_a_mistake_of_the_caller() {
        Changes::new().delete(Table::Meta, &[7; MAX_KEY_BYTES + 1]);
    }

    #[test]
    #[should_panic(expected = "at least one byte")]
    fn an_empty_key_is_a_mistake_of_the_caller() {
        Changes::new().put(Table::Meta, b"", b"value");
    }

    #[test]
    fn of_the_changes_of_a_key_the_last_stays() {
        let mut changes = Changes::new();
        changes.put(Table::Meta, b"a", b"1");
        changes.put(Table::Sessions, b"a", b"2");
        changes.put(Table::Meta, b"a", b"3");
        changes.coalesce();
        let expected: Written<'_> =
            vec![(Table::Sessions, b"a", Some(b"2")), (Table::Meta, b"a", Some(b"3"))];
        assert_eq!(written(&changes), expected);
        assert_eq!(changes.bytes(), 4);
    }

    #[test]
    fn a_deletion_stays_because_the_key_may_be_older_than_the_group() {
        let mut changes = Changes::new();
        changes.put(Table::Queues, b"a", b"1");
        changes.delete(Table::Queues, b"a");
        changes.coalesce();
        assert_eq!(written(&changes), [(Table::Queues, &b"a"[..], None)]);
    }

    #[test]
    fn a_new_key_that_is_deleted_leaves_nothing() {
        let mut changes = Changes::new();
        changes.put_new(Table::Queues, b"a", b"1");
        changes.put(Table::Queues, b"a", b"2");
        changes.delete(Table::Queues, b"a");
        changes.coalesce();
        assert!(changes.is_empty());
        assert_eq!(changes.bytes(), 0);
    }

    #[test]
    fn a_new_key_that_is_deleted_and_put_again_stays() {
        let mut changes = Changes::new();
        changes.put_new(Table::Queues, b"a", b"1");
        changes.delete(Table::Queues, b"a");
        changes.put(Table::Queues, b"a", b"2");
        changes.coalesce();
        assert_eq!(written(&changes), [(Table::Queues, &b"a"[..], Some(&b"2"[..]))]);
    }

    /// Changes of few keys; a `put_new` only where the key never was.
    fn groups() -> impl Strategy<Value = Vec<Changes>> {
        let change = (0..3_u8, 0..6_u8, any::<u8>());
        prop::collection::vec(prop::collection::vec(change, 0..20), 1..6).prop_map(|groups| {
            let mut ever = [false; 6];
            let build = |group: Vec<(u8, u8, u8)>| {
                let mut changes = Changes::new();
                for (kind, key, value) in group {
                    let known = std::mem::replace(&mut ever[usize::from(key)], true);
                    match (kind, known) {
                        (0, _) => changes.delete(Table::Queues, &[key]),
                        (1, false) => changes.put_new(Table::Queues, &[key], &[value]),
                        (_, _) => changes.put(Table::Queues, &[key], &[value]),
                    }
                }
                changes
            };
            groups.into_iter().map(build).collect()
        })
    }

    proptest! {
        #[test]
        fn coalescing_changes_nothing_about_the_result(groups in groups()) {
            let (mut plain, mut coalesced) = (Model::new(), Model::new());
            for group in groups {
                apply(&mut plain, &group);
                let mut smaller = group.clone();
                smaller.coalesce();
                prop_assert!(smaller.len() <= group.len());
                apply(&mut coalesced, &smaller);
                prop_assert_eq!(&plain, &coalesced);
            }
        }
    }
}
