//! The table of Device Shadows.

use serde::{Deserialize, Serialize};

use super::{RecordError, decode, encode, text};
use crate::{Changes, Table};

const TABLE: Table = Table::Shadows;

/// Ends the name of the thing, which has none in it.
const END: u8 = 0;

/// Whose shadow it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key<'a> {
    /// The name of the thing, without a 0.
    pub thing: &'a str,
    /// The name of the shadow; none for the classic one.
    pub name: Option<&'a str>,
}

/// What is kept of a shadow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shadow<'a> {
    /// Its version.
    pub version: u64,
    /// What there is of it.
    #[serde(borrow)]
    pub content: Content<'a>,
}

/// What there is of a shadow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Content<'a> {
    /// Its document.
    Document {
        /// The state in JSON.
        state: &'a str,
        /// When each value of it was set: the same tree, in seconds since 1970.
        times: &'a str,
    },
    /// Nothing any more.
    Deleted {
        /// Since when, in milliseconds since 1970.
        at_millis: u64,
    },
}

/// Keeps a shadow, or that it was deleted.
pub fn put(changes: &mut Changes, key: Key<'_>, shadow: &Shadow<'_>) {
    changes.put(TABLE, &bytes(key), &encode(shadow));
}

/// Keeps nothing of a shadow any longer.
pub fn delete(changes: &mut Changes, key: Key<'_>) {
    changes.delete(TABLE, &bytes(key));
}

/// Whose shadow it is, and what is kept of it.
///
/// # Errors
/// [`RecordError`].
pub fn read<'a>(key: &'a [u8], value: &'a [u8]) -> Result<(Key<'a>, Shadow<'a>), RecordError> {
    let wrong = || RecordError::new(TABLE, "its key does not name a shadow");
    let end = key.iter().position(|byte| *byte == END).ok_or_else(wrong)?;
    let (thing, name) = (text(TABLE, &key[..end])?, text(TABLE, &key[end + 1..])?);
    let name = Some(name).filter(|name| !name.is_empty());
    Ok((Key { thing, name }, decode(TABLE, value)?))
}

fn bytes(key: Key<'_>) -> Vec<u8> {
    [key.thing.as_bytes(), &[END], key.name.unwrap_or_default().as_bytes()].concat()
}
