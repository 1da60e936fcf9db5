//! The table of packet IDs of messages at QoS 2 that a client sent and has not released.

use mqtt::PacketId;

use super::{RecordError, packet_id, pair, unpair};
use crate::{Changes, Table};

const TABLE: Table = Table::Received;

/// Keeps a packet ID.
pub fn put(changes: &mut Changes, session: u64, packet_id: PacketId) {
    changes.put(TABLE, &pair(session, packet_id.get().to_be_bytes()), &[]);
}

/// Keeps a packet ID no longer.
pub fn delete(changes: &mut Changes, session: u64, packet_id: PacketId) {
    changes.delete(TABLE, &pair(session, packet_id.get().to_be_bytes()));
}

/// The number of the session and the packet ID.
///
/// # Errors
/// [`RecordError`].
pub fn read(key: &[u8]) -> Result<(u64, PacketId), RecordError> {
    let (session, id) = unpair(TABLE, key)?;
    Ok((session, packet_id(TABLE, u16::from_be_bytes(id))?))
}
