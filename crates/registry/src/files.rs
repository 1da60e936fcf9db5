//! What the files of the registry folder say, taken up as a whole.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::certificate::Certificate;
use crate::change::{Change, Edit, Record};
use crate::key::Key;
use crate::shelf::{Kept, Shelf};
use crate::source::Source;
use crate::state::Registry;

/// A file describes what was made through the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clash {
    /// What.
    pub key: Key,
    /// The file.
    pub file: Arc<str>,
}

impl Registry {
    /// The change after which the files' records are these and no others.
    ///
    /// # Errors
    /// Every record that the API made and a file describes now.
    pub fn take_up(&self, records: Vec<Record>) -> Result<Change, Vec<Clash>> {
        let keys: BTreeSet<Key> = records.iter().map(Record::key).collect();
        let clashes: Vec<Clash> = records
            .iter()
            .filter(|record| self.source_of(&record.key()) == Some(&Source::Api))
            .filter_map(|record| Some(Clash { key: record.key(), file: file_of(record)? }))
            .collect();
        if !clashes.is_empty() {
            return Err(clashes);
        }
        let mut edits: Vec<Edit> = self.gone(&keys).into_iter().map(Edit::Delete).collect();
        let new = records.into_iter().filter_map(|record| self.as_new(record));
        edits.extend(new.map(|record| Edit::Put(Box::new(record))));
        Ok(Change { edits })
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
