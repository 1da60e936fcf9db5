//! The table of Wills that wait for their delay to pass.

use engine::Wall;
use engine::message::Message;
use mqtt::ClientId;
use serde::{Deserialize, Serialize};

use super::message::MessageRecord;
use super::{RecordError, client_id, decode, encode, text};
use crate::{Changes, Table};

const TABLE: Table = Table::Wills;

#[derive(Serialize, Deserialize)]
struct WillRecord<'a> {
    #[serde(borrow)]
    message: MessageRecord<'a>,
    expiry_seconds: Option<u32>,
    due_at: u64,
}

/// A Will that is to be published.
#[derive(Debug, PartialEq, Eq)]
pub struct Will {
    /// The message, which does not expire before it is published.
    pub message: Message,
    /// Its life from then on, in seconds.
    pub expiry_seconds: Option<u32>,
    /// When, in milliseconds since 1970.
    pub due_at: u64,
}

/// Keeps the Will of a client.
pub fn put(
    changes: &mut Changes,
    client_id: &ClientId,
    (message, expiry_seconds): (&Message, Option<u32>),
    due_at: u64,
    wall: Wall,
) {
    let message = MessageRecord::new(message, wall);
    let value = encode(&WillRecord { message, expiry_seconds, due_at });
    changes.put(TABLE, client_id.as_str().as_bytes(), &value);
}

/// Keeps the Will of a client no longer.
pub fn delete(changes: &mut Changes, client_id: &ClientId) {
    changes.delete(TABLE, client_id.as_str().as_bytes());
}

/// Whose Will it is, and the Will.
///
/// # Errors
/// [`RecordError`].
pub fn read(key: &[u8], value: &[u8], wall: Wall) -> Result<(ClientId, Will), RecordError> {
    let record: WillRecord<'_> = decode(TABLE, value)?;
    let will = Will {
        message: record.message.message(TABLE, wall)?,
        expiry_seconds: record.expiry_seconds,
        due_at: record.due_at,
    };
    Ok((client_id(TABLE, text(TABLE, key)?)?, will))
}
