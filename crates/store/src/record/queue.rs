//! The table of messages that wait for a session or are not acknowledged by its client.

use std::sync::Arc;

use engine::Wall;
use engine::queue::Entry;
use mqtt::PacketId;
use serde::{Deserialize, Serialize};

use super::message::MessageRecord;
use super::{RecordError, decode, encode, packet_id, pair, qos, unpair};
use crate::{Changes, Table};

const TABLE: Table = Table::Queues;

#[derive(Serialize, Deserialize)]
enum QueueRecord<'a> {
    Kept {
        #[serde(borrow)]
        message: MessageRecord<'a>,
        qos: u8,
        retain: bool,
        identifiers: Vec<u32>,
        packet_id: Option<u16>,
    },
    Released {
        packet_id: u16,
    },
}

/// What a record says.
#[derive(Debug, PartialEq, Eq)]
pub enum Queued {
    /// A message, and the packet ID under which it was sent at QoS 2.
    Message(Entry, Option<PacketId>),
    /// A message at QoS 2 that the client has; PUBCOMP is missing.
    Released {
        /// Its number.
        seq: u64,
        /// Its packet ID.
        packet_id: PacketId,
    },
}

/// Keeps a message of a session; without a packet ID it is new.
pub fn put(
    changes: &mut Changes,
    session: u64,
    entry: &Entry,
    packet_id: Option<PacketId>,
    wall: Wall,
) {
    let value = encode(&QueueRecord::Kept {
        message: MessageRecord::new(&entry.message, wall),
        qos: entry.qos as u8,
        retain: entry.retain,
        identifiers: entry.identifiers.to_vec(),
        packet_id: packet_id.map(PacketId::get),
    });
    let key = pair(session, entry.seq.to_be_bytes());
    match packet_id {
        None => changes.put_new(TABLE, &key, &value),
        Some(_) => changes.put(TABLE, &key, &value),
    }
}

/// Keeps no more of a message than that the client has it.
pub fn put_released(changes: &mut Changes, session: u64, seq: u64, packet_id: PacketId) {
    let value = encode(&QueueRecord::Released { packet_id: packet_id.get() });
    changes.put(TABLE, &pair(session, seq.to_be_bytes()), &value);
}

/// Keeps a message no longer.
pub fn delete(changes: &mut Changes, session: u64, seq: u64) {
    changes.delete(TABLE, &pair(session, seq.to_be_bytes()));
}

/// The number of the session, and what is kept for it.
///
/// # Errors
/// [`RecordError`].
pub fn read(key: &[u8], value: &[u8], wall: Wall) -> Result<(u64, Queued), RecordError> {
    let (session, seq) = unpair(TABLE, key)?;
    let seq = u64::from_be_bytes(seq);
    let queued = match decode(TABLE, value)? {
        QueueRecord::Released { packet_id: id } => {
            Queued::Released { seq, packet_id: packet_id(TABLE, id)? }
        }
        QueueRecord::Kept { message, qos: number, retain, identifiers, packet_id: id } => {
            let entry = Entry {
                message: Arc::new(message.message(TABLE, wall)?),
                seq,
                qos: qos(TABLE, number)?,
                retain,
                identifiers: identifiers.into(),
            };
            Queued::Message(entry, id.map(|id| packet_id(TABLE, id)).transpose()?)
        }
    };
    Ok((session, queued))
}
