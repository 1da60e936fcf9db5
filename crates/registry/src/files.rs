//! What the files of the registry folder say, taken up as a whole.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use crate::certificate::{Attachment, Certificate};
use crate::change::{Change, Edit, Record};
use crate::key::Key;
use crate::shelf::{Kept, Shelf};
use crate::source::Source;
use crate::state::Registry;

/// A file describes what cannot be beside something else. Shown as a sentence about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clash {
    /// The file.
    pub file: Arc<str>,
    /// What it is about.
    pub what: ClashOf,
}

/// What a file clashes with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClashOf {
    /// A record of that name was made through the API.
    Record(Key),
    /// A thing has several certificates, and one of them exclusively.
    Exclusive {
        /// The thing's name.
        thing: String,
        /// The ID of another certificate than the file's.
        other: String,
    },
}

impl fmt::Display for ClashOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ClashOf::Record(key) => write!(
                f,
                "the {key} was made through the API, and a file must not describe it as well; \
                 delete it there, or take the file away"
            ),
            ClashOf::Exclusive { thing, other } => write!(
                f,
                "the thing {thing} belongs to the certificate {other} as well, and a certificate \
                 that belongs to a thing exclusively is its only one; take the thing out of one of \
                 the two"
            ),
        }
    }
}

impl Registry {
    /// The change after which the files' records are these and no others.
    ///
    /// # Errors
    /// Every record that the API made and a file describes now, and every certificate of a file that
    /// would share a thing with another although one of them belongs to it exclusively.
    pub fn take_up(&self, records: Vec<Record>) -> Result<Change, Vec<Clash>> {
        let keys: BTreeSet<Key> = records.iter().map(Record::key).collect();
        let mut clashes: Vec<Clash> = records
            .iter()
            .filter(|record| self.source_of(&record.key()) == Some(&Source::Api))
            .filter_map(|record| {
                Some(Clash { file: file_of(record)?, what: ClashOf::Record(record.key()) })
            })
            .collect();
        clashes.extend(self.shared_although_exclusive(&records));
        if !clashes.is_empty() {
            return Err(clashes);
        }
        let mut edits: Vec<Edit> = self.gone(&keys).into_iter().map(Edit::Delete).collect();
        let new = records.into_iter().filter_map(|record| self.as_new(record));
        edits.extend(new.map(|record| Edit::Put(Box::new(record))));
        Ok(Change { edits })
    }

    /// The change after which senders and certificates are gone whose files are: what takes access
    /// away must not wait until a clash of others is mended.
    pub fn take_away(&self, records: &[Record]) -> Change {
        let keys: BTreeSet<Key> = records.iter().map(Record::key).collect();
        let principal = |key: &Key| matches!(key, Key::Certificate(_) | Key::Sender(_));
        let gone = self.gone(&keys).into_iter().filter(principal);
        Change { edits: gone.map(Edit::Delete).collect() }
    }

    /// Every certificate of `records` that would share a thing with one of them, or with one of the
    /// API, although one of the two belongs to it exclusively.
    fn shared_although_exclusive(&self, records: &[Record]) -> Vec<Clash> {
        type Members<'a> = Vec<(&'a Certificate, Attachment)>;
        let mut things: BTreeMap<&str, Members<'_>> = BTreeMap::new();
        for record in records {
            let Record::Certificate(certificate) = record else { continue };
            for (thing, attachment) in &certificate.things {
                things.entry(thing).or_default().push((certificate, *attachment));
            }
        }
        let mut clashes = Vec::new();
        for (thing, members) in &mut things {
            let of_files = members.len();
            let others = self.members_of(thing).filter_map(|id| self.certificates.get(id));
            let others = others.filter(|certificate| certificate.source == Source::Api);
            members.extend(others.map(|other| (&**other, other.things[*thing])));
            let exclusive =
                members.iter().position(|(_, attachment)| *attachment == Attachment::Exclusive);
            let Some(exclusive) = exclusive.filter(|_| members.len() > 1) else { continue };
            for (index, (certificate, _)) in members.iter().enumerate().take(of_files) {
                let other = if index == exclusive { usize::from(index == 0) } else { exclusive };
                let Source::File(file) = &certificate.source else { continue };
                let (thing, other) = ((*thing).to_owned(), members[other].0.id.clone());
                let what = ClashOf::Exclusive { thing, other };
                clashes.push(Clash { file: Arc::clone(file), what });
            }
        }
        clashes
    }

    /// The records of files that have no file any more.
    fn gone(&self, keys: &BTreeSet<Key>) -> Vec<Key> {
        fn of_files<T: Kept>(shelf: &Shelf<T>) -> impl Iterator<Item = Key> {
            shelf.iter().filter(|r| *r.source() != Source::Api).map(|record| record.key())
        }
        of_files(&self.certificates)
            .chain(of_files(&self.authorities))
            .chain(of_files(&self.policies))
            .chain(of_files(&self.things))
            .chain(of_files(&self.senders))
            .filter(|key| !keys.contains(key))
            .collect()
    }

    /// The record of a file, if it says something new; it goes on with the life of the one before.
    fn as_new(&self, record: Record) -> Option<Record> {
        match record {
            Record::Certificate(new) => {
                let Some(old) = self.certificates.get(&new.id) else {
                    return Some(Record::Certificate(new));
                };
                let dated = Certificate {
                    created_at: old.created_at,
                    modified_at: old.modified_at,
                    ..new.clone()
                };
                let created_at = old.created_at;
                (dated != **old).then_some(Record::Certificate(Certificate { created_at, ..new }))
            }
            Record::Policy(new) => {
                let same = self.policies.get(&new.name).is_some_and(|old| old.says_what(&new));
                (!same).then_some(Record::Policy(new))
            }
            Record::Thing(mut new) => match self.things.get(&new.name) {
                Some(old) => {
                    (new.created_at, new.version) = (old.created_at, old.version);
                    if new == **old {
                        return None;
                    }
                    new.version += 1;
                    Some(Record::Thing(new))
                }
                None => Some(Record::Thing(new)),
            },
            Record::Sender(new) => {
                let old = self.senders.get(&new.access_key_id);
                let same = old.is_some_and(|old| old.says_what(&new));
                (!same).then_some(Record::Sender(new))
            }
            other @ (Record::Authority(_)
            | Record::RegistrationCode(_)
            | Record::Issuer(_)
            | Record::Logging(_)) => Some(other),
        }
    }
}

fn file_of(record: &Record) -> Option<Arc<str>> {
    let source = match record {
        Record::Certificate(record) => record.source(),
        Record::Authority(record) => record.source(),
        Record::Policy(record) => record.source(),
        Record::Thing(record) => record.source(),
        Record::Sender(record) => record.source(),
        Record::RegistrationCode(_) | Record::Issuer(_) | Record::Logging(_) => return None,
    };
    match source {
        Source::File(file) => Some(Arc::clone(file)),
        Source::Api => None,
    }
}
