//! The table of retained messages.

use std::sync::Arc;

use engine::Wall;
use engine::retained::Retained;
use mqtt::{ClientId, TopicName};
use serde::{Deserialize, Serialize};

use super::message::MessageRecord;
use super::{RecordError, client_id, decode, encode};
use crate::{Changes, Table};

const TABLE: Table = Table::Retained;

#[derive(Serialize, Deserialize)]
struct RetainedRecord<'a> {
    #[serde(borrow)]
    message: MessageRecord<'a>,
    modified_millis: u64,
    publisher: Option<&'a str>,
}

/// Keeps the retained message of its topic.
pub fn put(changes: &mut Changes, retained: &Retained, wall: Wall) {
    let value = encode(&RetainedRecord {
        message: MessageRecord::new(&retained.message, wall),
        modified_millis: retained.modified_millis,
        publisher: retained.publisher.as_ref().map(ClientId::as_str),
    });
    changes.put(TABLE, retained.message.topic.as_str().as_bytes(), &value);
}

/// Keeps no message of the topic any longer.
pub fn delete(changes: &mut Changes, topic: TopicName<'_>) {
    changes.delete(TABLE, topic.as_str().as_bytes());
}

/// The retained message.
///
/// # Errors
/// [`RecordError`].
pub fn read(value: &[u8], wall: Wall) -> Result<Retained, RecordError> {
    let record: RetainedRecord<'_> = decode(TABLE, value)?;
    Ok(Retained {
        message: Arc::new(record.message.message(TABLE, wall)?),
        modified_millis: record.modified_millis,
        publisher: record.publisher.map(|text| client_id(TABLE, text)).transpose()?,
    })
}
