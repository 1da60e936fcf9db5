//! Client identifiers.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use crate::writer::MAX_FIELD_LEN;

/// The name of a device: 1 to 65535 bytes of UTF-8 without U+0000. Cheap to clone.
///
/// An empty client identifier in CONNECT is not a name but a request for one, so it never becomes
/// a `ClientId`; stricter limits (length, reserved first characters) are rules of the broker.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(Arc<str>);

/// Why a text is not a client identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClientIdError {
    /// The text is empty.
    #[error("client ID is empty; it needs at least one character")]
    Empty,
    /// The text does not fit in an MQTT string.
    #[error("client ID is {0} bytes long; at most 65535 fit in an MQTT string")]
    TooLong(usize),
    /// The text contains U+0000 `[MQTT-1.5.4-2]`.
    #[error("client ID contains U+0000, which no MQTT string may contain")]
    NulCharacter,
}

impl ClientId {
    /// Checks `text` and copies it.
    ///
    /// # Errors
    /// When the text is empty, longer than 65535 bytes or contains U+0000.
    pub fn parse(text: &str) -> Result<Self, ClientIdError> {
        if text.is_empty() {
            return Err(ClientIdError::Empty);
        }
        if text.len() > MAX_FIELD_LEN {
            return Err(ClientIdError::TooLong(text.len()));
        }
        if memchr::memchr(0, text.as_bytes()).is_some() {
            return Err(ClientIdError::NulCharacter);
        }
        Ok(Self(text.into()))
    }

    /// The text, shared.
    pub fn to_shared(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }

    /// The text of the identifier.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for ClientId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
