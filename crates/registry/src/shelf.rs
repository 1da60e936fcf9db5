//! Records of one kind, by name and by age.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use crate::key::Key;
use crate::page::{Order, Page, Place};
use crate::source::Source;

/// A record that lies on a shelf.
pub trait Kept {
    /// What tells it from the others of its kind.
    fn name(&self) -> &str;
    /// The same, with the kind.
    fn key(&self) -> Key;
    /// Where it comes from.
    fn source(&self) -> &Source;
    /// When it was made, in milliseconds since 1970.
    fn created_at(&self) -> i64;
}

/// Records of one kind.
#[derive(Debug)]
pub struct Shelf<T> {
    by_name: BTreeMap<String, Arc<T>>,
    by_age: BTreeSet<(i64, String)>,
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Shelf { by_name: BTreeMap::new(), by_age: BTreeSet::new() }
    }
}

impl<T: Kept> Shelf<T> {
    /// The record of that name.
    pub fn get(&self, name: &str) -> Option<&Arc<T>> {
        self.by_name.get(name)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_name.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    /// All records, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<T>> {
        self.by_name.values()
    }

    /// The records whose names come after that one, by name.
    pub fn after<'a>(&'a self, name: Option<&str>) -> impl Iterator<Item = &'a Arc<T>> {
        let start = match name {
            None => Bound::Unbounded,
            Some(name) => Bound::Excluded(name),
        };
        self.by_name.range::<str, _>((start, Bound::Unbounded)).map(|(_, record)| record)
    }

    /// A page of records by age, of those that `wanted` lets pass.
    pub fn page(&self, page: &Page, wanted: impl Fn(&T) -> bool) -> (Vec<Arc<T>>, Option<Place>) {
        let after = page.after.as_ref().map(|place| (place.created_at, place.name.clone()));
        let matching = |(_, name): &(i64, String)| self.get(name).filter(|record| wanted(record));
        let mut found: Vec<Arc<T>> = match page.order {
            Order::OldestFirst => {
                let start = after.map_or(Bound::Unbounded, Bound::Excluded);
                let range = self.by_age.range((start, Bound::Unbounded));
                range.filter_map(matching).take(page.size + 1).cloned().collect()
            }
            Order::NewestFirst => {
                let end = after.map_or(Bound::Unbounded, Bound::Excluded);
                let range = self.by_age.range((Bound::Unbounded, end)).rev();
                range.filter_map(matching).take(page.size + 1).cloned().collect()
            }
        };
        // One more tells whether there is another page.
        let more = found.len() > page.size;
        found.truncate(page.size);
        let next = found
            .last()
            .filter(|_| more)
            .map(|last| Place { created_at: last.created_at(), name: last.name().to_owned() });
        (found, next)
    }

    pub(crate) fn put(&mut self, record: T) -> (Arc<T>, Option<Arc<T>>) {
        let record = Arc::new(record);
        let old = self.by_name.insert(record.name().to_owned(), Arc::clone(&record));
        if let Some(old) = &old {
            self.by_age.remove(&(old.created_at(), old.name().to_owned()));
        }
        self.by_age.insert((record.created_at(), record.name().to_owned()));
        (record, old)
    }

    pub(crate) fn remove(&mut self, name: &str) -> Option<Arc<T>> {
        let old = self.by_name.remove(name)?;
        self.by_age.remove(&(old.created_at(), old.name().to_owned()));
        Some(old)
    }
}
