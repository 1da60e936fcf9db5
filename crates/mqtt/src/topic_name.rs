//! Topic names.

use std::fmt;

use crate::writer::MAX_FIELD_LEN;

/// The topic of one message: 1 to 65535 bytes of UTF-8 without U+0000, `+` and `#`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicName<'a>(&'a str);

/// Why a text is not a topic name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TopicError {
    /// The text is empty `[MQTT-4.7.3-1]`.
    #[error("topic name is empty; it needs at least one character")]
    Empty,
    /// The text does not fit in an MQTT string `[MQTT-4.7.3-3]`.
    #[error("topic name is {0} bytes long; at most 65535 fit in an MQTT string")]
    TooLong(usize),
    /// The text contains U+0000 `[MQTT-4.7.3-2]`.
    #[error("topic name contains U+0000, which no MQTT string may contain")]
    NulCharacter,
    /// The text contains `+` or `#` `[MQTT-3.3.2-2]`.
    #[error("topic name contains a wildcard; '+' and '#' are only for topic filters")]
    Wildcard,
}

impl<'a> TopicName<'a> {
    /// Checks `text` and borrows it.
    ///
    /// # Errors
    /// When the text is empty, longer than 65535 bytes or contains U+0000, `+` or `#`.
    #[inline]
    pub fn parse(text: &'a str) -> Result<Self, TopicError> {
        if text.is_empty() {
            return Err(TopicError::Empty);
        }
        if text.len() > MAX_FIELD_LEN {
            return Err(TopicError::TooLong(text.len()));
        }
        // One pass for all three forbidden characters: this runs for every PUBLISH.
        match memchr::memchr3(0, b'+', b'#', text.as_bytes()) {
            None => Ok(Self(text)),
            // U+0000 makes a string malformed whatever else is in it, so it wins.
            Some(at) if memchr::memchr(0, &text.as_bytes()[at..]).is_some() => {
                Err(TopicError::NulCharacter)
            }
            Some(_) => Err(TopicError::Wildcard),
        }
    }

    /// Of a text that was checked before.
    #[inline]
    pub(crate) fn checked(text: &'a str) -> Self {
        debug_assert!(Self::parse(text).is_ok(), "{text:?} is not a topic name");
        Self(text)
    }

    /// The text of the topic.
    #[must_use]
    pub fn as_str(self) -> &'a str {
        self.0
    }

    /// The parts between the slashes; there is always at least one and any may be empty.
    pub fn levels(self) -> impl Iterator<Item = &'a str> {
        self.0.split('/')
    }
}

impl fmt::Debug for TopicName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.0, f)
    }
}

impl fmt::Display for TopicName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}
