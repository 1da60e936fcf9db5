//! What the value of a property must obey, by the names of the property table.

use crate::error::{DecodeError, DecodeErrorKind, EncodeError};
use crate::topic_name::{TopicError, TopicName};

/// A rule that a value breaks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Broken {
    kind: DecodeErrorKind,
    rule: &'static str,
}

impl Broken {
    pub(crate) fn on_decode(self, what: &'static str) -> DecodeError {
        DecodeError::new(self.kind, what, self.rule)
    }

    pub(crate) fn on_encode(self, what: &'static str) -> EncodeError {
        EncodeError::invalid(what, self.rule)
    }
}

type Checked = Result<(), Broken>;

/// Every value is right.
#[inline]
pub(crate) fn any<T>(_: T) -> Checked {
    Ok(())
}

/// A byte that is 0 or 1.
#[inline]
pub(crate) fn flag(value: u8) -> Checked {
    if value > 1 {
        return Err(Broken { kind: DecodeErrorKind::Protocol, rule: "must be 0 or 1" });
    }
    Ok(())
}

/// A number other than 0.
#[inline]
pub(crate) fn non_zero<T: Into<u32>>(value: T) -> Checked {
    if value.into() == 0 {
        return Err(Broken { kind: DecodeErrorKind::Protocol, rule: "must not be 0" });
    }
    Ok(())
}

/// A topic alias: not 0 `[MQTT-3.3.2-8]`.
#[inline]
pub(crate) fn alias(value: u16) -> Checked {
    if value == 0 {
        return Err(Broken { kind: DecodeErrorKind::TopicAliasInvalid, rule: "must not be 0" });
    }
    Ok(())
}

/// A topic name.
#[inline]
pub(crate) fn topic(value: &str) -> Checked {
    let (kind, rule) = match TopicName::parse(value) {
        Ok(_) => return Ok(()),
        Err(TopicError::Empty) => (DecodeErrorKind::TopicNameInvalid, "must not be empty"),
        Err(TopicError::Wildcard) => {
            (DecodeErrorKind::TopicNameInvalid, "must not contain '+' or '#'")
        }
        Err(TopicError::NulCharacter) => (DecodeErrorKind::Malformed, "must not contain U+0000"),
        Err(TopicError::TooLong(_)) => {
            (DecodeErrorKind::Malformed, "must be at most 65535 bytes long")
        }
    };
    Err(Broken { kind, rule })
}
