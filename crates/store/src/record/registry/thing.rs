//! Things.

use std::collections::BTreeMap;

use registry::{Source, Thing};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
pub(super) struct ThingRecord {
    id: String,
    type_name: Option<String>,
    attributes: BTreeMap<String, String>,
    version: u64,
    billing_group: Option<String>,
    created_at: i64,
}

impl ThingRecord {
    pub(super) fn new(thing: &Thing) -> Self {
        ThingRecord {
            id: thing.id.clone(),
            type_name: thing.type_name.clone(),
            attributes: thing.attributes.clone(),
            version: thing.version,
            billing_group: thing.billing_group.clone(),
            created_at: thing.created_at,
        }
    }

    pub(super) fn thing(self, name: String) -> Thing {
        Thing {
            name,
            source: Source::Api,
            id: self.id,
            type_name: self.type_name,
            attributes: self.attributes,
            version: self.version,
            billing_group: self.billing_group,
            created_at: self.created_at,
        }
    }
}
