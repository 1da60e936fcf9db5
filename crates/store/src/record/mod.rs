//! What the records of the tables hold: the broker's state in bytes, and back.
//!
//! Values are in postcard's format, the fields in the order of the structs here, behind one byte
//! that says which version of the record it is. Times are in milliseconds since 1970.

pub mod delivery;
mod message;
pub mod queue;
pub mod received;
pub mod registry;
pub mod retained;
pub mod session;
pub mod shadow;
pub mod subscription;
pub mod will;

use serde::{Deserialize, Serialize};

use crate::{Records, StoreError, Table, Trouble};

/// A record that this version cannot read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a record of the table `{}` cannot be read: {what}", table.name())]
pub struct RecordError {
    table: Table,
    what: &'static str,
}

impl RecordError {
    /// What is wrong with a record of that table, to follow "cannot be read:".
    #[must_use]
    pub fn new(table: Table, what: &'static str) -> Self {
        RecordError { table, what }
    }
}

/// Reads every record of a table.
///
/// # Errors
/// That of the store, or of the first record that cannot be read.
pub fn each(
    records: &dyn Records,
    table: Table,
    mut read: impl FnMut(&[u8], &[u8]) -> Result<(), RecordError>,
) -> Result<(), StoreError> {
    let mut unreadable = None;
    records.scan(table, &mut |key, value| {
        if unreadable.is_none() {
            unreadable = read(key, value).err();
        }
    })?;
    unreadable.map_or(Ok(()), |error| {
        let remedy = "start the version that wrote it, or restore the folder from a backup";
        Err(StoreError::new(Trouble::Damaged, format!("{error}; {remedy}")))
    })
}

/// The version of every record there is.
const VERSION: u8 = 1;

fn encode(record: &impl Serialize) -> Vec<u8> {
    let encoded = postcard::to_extend(record, vec![VERSION]);
    encoded.expect("plain structs of strings, bytes and numbers serialise")
}

fn decode<'a, T: Deserialize<'a>>(table: Table, value: &'a [u8]) -> Result<T, RecordError> {
    let Some((&version, rest)) = value.split_first() else {
        return Err(RecordError::new(table, "it is empty"));
    };
    if version != VERSION {
        return Err(RecordError::new(table, "it is of an unknown version"));
    }
    match postcard::take_from_bytes(rest) {
        Ok((record, [])) => Ok(record),
        Ok(_) => Err(RecordError::new(table, "there is more in it than belongs there")),
        Err(_) => Err(RecordError::new(table, "it is cut off or garbled")),
    }
}

/// A key of a session's number and a number in the session.
fn pair<const N: usize>(session: u64, within: [u8; N]) -> Vec<u8> {
    let mut key = session.to_be_bytes().to_vec();
    key.extend_from_slice(&within);
    key
}

/// The two numbers of such a key.
fn unpair<const N: usize>(table: Table, key: &[u8]) -> Result<(u64, [u8; N]), RecordError> {
    let wrong = || RecordError::new(table, "its key has the wrong length");
    let (session, within) = key.split_first_chunk::<8>().ok_or_else(wrong)?;
    let within = within.try_into().map_err(|_| wrong())?;
    Ok((u64::from_be_bytes(*session), within))
}

fn text(table: Table, bytes: &[u8]) -> Result<&str, RecordError> {
    std::str::from_utf8(bytes).map_err(|_| RecordError::new(table, "its key is not UTF-8"))
}

fn client_id(table: Table, text: &str) -> Result<mqtt::ClientId, RecordError> {
    mqtt::ClientId::parse(text).map_err(|_| RecordError::new(table, "its client ID is not valid"))
}

fn qos(table: Table, number: u8) -> Result<mqtt::QoS, RecordError> {
    mqtt::QoS::try_from(number).map_err(|_| RecordError::new(table, "its QoS is not valid"))
}

fn packet_id(table: Table, number: u16) -> Result<mqtt::PacketId, RecordError> {
    mqtt::PacketId::new(number).ok_or(RecordError::new(table, "its packet ID is 0"))
}
