//! The table of sessions.

use mqtt::{ClientId, Version};
use serde::{Deserialize, Serialize};

use super::{RecordError, client_id, decode, encode, text};
use crate::{Changes, Table};

const TABLE: Table = Table::Sessions;

#[derive(Serialize, Deserialize)]
struct SessionRecord {
    number: u64,
    level: u8,
    expiry_seconds: u32,
    ends_at: Option<u64>,
    connections: u64,
}

/// A session that outlives its connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Names it in the other tables; no other session ever has the same.
    pub number: u64,
    /// The protocol version it began under.
    pub version: Version,
    /// How long it outlives its connection, in seconds.
    pub expiry_seconds: u32,
    /// When it ends, in milliseconds since 1970; none while there is a connection.
    pub ends_at: Option<u64>,
    /// How many connections its client has had (spec 4.7, `versionNumber`).
    pub connections: u64,
}

/// Keeps a session.
pub fn put(changes: &mut Changes, client_id: &ClientId, session: &Session) {
    let value = encode(&SessionRecord {
        number: session.number,
        level: session.version.level(),
        expiry_seconds: session.expiry_seconds,
        ends_at: session.ends_at,
        connections: session.connections,
    });
    changes.put(TABLE, client_id.as_str().as_bytes(), &value);
}

/// Keeps a session no longer.
pub fn delete(changes: &mut Changes, client_id: &ClientId) {
    changes.delete(TABLE, client_id.as_str().as_bytes());
}

/// Whose session it is, and the session.
///
/// # Errors
/// [`RecordError`].
pub fn read(key: &[u8], value: &[u8]) -> Result<(ClientId, Session), RecordError> {
    let record: SessionRecord = decode(TABLE, value)?;
    let version = Version::from_level(record.level)
        .ok_or(RecordError::new(TABLE, "its protocol version is unknown"))?;
    let session = Session {
        number: record.number,
        version,
        expiry_seconds: record.expiry_seconds,
        ends_at: record.ends_at,
        connections: record.connections,
    };
    Ok((client_id(TABLE, text(TABLE, key)?)?, session))
}
