//! A thing: what a device is to those who look after it.

use std::collections::BTreeMap;

use crate::key::Key;
use crate::shelf::Kept;
use crate::source::Source;

/// A thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thing {
    /// Its name.
    pub name: String,
    /// Where the record comes from.
    pub source: Source,
    /// Its ID, a UUID: a thing that is deleted and made anew has another.
    pub id: String,
    /// The name of its type.
    pub type_name: Option<String>,
    /// Its attributes.
    pub attributes: BTreeMap<String, String>,
    /// Rises with every change, from 1.
    pub version: u64,
    /// The name of its billing group.
    pub billing_group: Option<String>,
    /// When it was made, in milliseconds since 1970.
    pub created_at: i64,
}

impl Thing {
    /// What policies may know of it, for a principal that it is attached to.
    pub(crate) fn facts(&self) -> policy::Thing {
        policy::Thing {
            name: self.name.clone(),
            type_name: self.type_name.clone(),
            attributes: self.attributes.clone(),
            attached: true,
        }
    }
}

impl Kept for Thing {
    fn name(&self) -> &str {
        &self.name
    }

    fn key(&self) -> Key {
        Key::Thing(self.name.clone())
    }

    fn source(&self) -> &Source {
        &self.source
    }

    fn created_at(&self) -> i64 {
        self.created_at
    }
}
