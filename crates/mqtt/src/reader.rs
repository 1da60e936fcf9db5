//! A bounds-checked cursor over one packet's bytes.

use crate::error::{DecodeError, DecodeErrorKind};
use crate::packet_id::PacketId;
use crate::reason_code::ReasonCode;
use crate::topic_name::{TopicError, TopicName};

const CUT_SHORT: &str = "runs past the end of what holds it";

/// Reads fields one after the other; `what` names the field in the error.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Everything not yet read.
    pub(crate) fn rest(self) -> &'a [u8] {
        self.rest
    }

    /// Fails if something is left: nothing may follow the last field of a packet.
    pub(crate) fn finish(self) -> Result<(), DecodeError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(DecodeError::malformed("remaining length", "bytes follow the last field"))
        }
    }

    #[inline]
    pub(crate) fn take(&mut self, len: usize, what: &'static str) -> Result<&'a [u8], DecodeError> {
        match self.rest.split_at_checked(len) {
            Some((taken, rest)) => {
                self.rest = rest;
                Ok(taken)
            }
            None => Err(DecodeError::malformed(what, CUT_SHORT)),
        }
    }

    #[inline]
    fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], DecodeError> {
        match self.rest.split_first_chunk() {
            Some((taken, rest)) => {
                self.rest = rest;
                Ok(*taken)
            }
            None => Err(DecodeError::malformed(what, CUT_SHORT)),
        }
    }

    #[inline]
    pub(crate) fn byte(&mut self, what: &'static str) -> Result<u8, DecodeError> {
        self.array::<1>(what).map(|[byte]| byte)
    }

    #[inline]
    pub(crate) fn two_bytes(&mut self, what: &'static str) -> Result<u16, DecodeError> {
        self.array(what).map(u16::from_be_bytes)
    }

    #[inline]
    pub(crate) fn four_bytes(&mut self, what: &'static str) -> Result<u32, DecodeError> {
        self.array(what).map(u32::from_be_bytes)
    }

    /// A variable byte integer in its shortest form `[MQTT-1.5.5-1]`.
    #[inline]
    pub(crate) fn variable(&mut self, what: &'static str) -> Result<u32, DecodeError> {
        match variable_integer(self.rest, what)? {
            Some((value, len)) => {
                self.rest = &self.rest[len..];
                Ok(value)
            }
            None => Err(DecodeError::malformed(what, CUT_SHORT)),
        }
    }

    #[inline]
    pub(crate) fn binary(&mut self, what: &'static str) -> Result<&'a [u8], DecodeError> {
        let len = self.two_bytes(what)?;
        self.take(usize::from(len), what)
    }

    /// A string of well-formed UTF-8, without the check for U+0000.
    #[inline]
    fn utf8(&mut self, what: &'static str) -> Result<&'a str, DecodeError> {
        let bytes = self.binary(what)?;
        std::str::from_utf8(bytes)
            .map_err(|_| DecodeError::malformed(what, "is not well-formed UTF-8"))
    }

    /// An MQTT string: well-formed UTF-8 without U+0000 `[MQTT-1.5.4-1]` `[MQTT-1.5.4-2]`.
    #[inline]
    pub(crate) fn string(&mut self, what: &'static str) -> Result<&'a str, DecodeError> {
        let text = self.utf8(what)?;
        match memchr::memchr(0, text.as_bytes()) {
            None => Ok(text),
            Some(_) => Err(DecodeError::malformed(what, "contains U+0000")),
        }
    }

    /// A topic name; `None` for the empty string, which only a PUBLISH with an alias may hold.
    #[inline]
    pub(crate) fn topic(
        &mut self,
        what: &'static str,
    ) -> Result<Option<TopicName<'a>>, DecodeError> {
        match TopicName::parse(self.utf8(what)?) {
            Ok(topic) => Ok(Some(topic)),
            Err(TopicError::Empty) => Ok(None),
            Err(TopicError::NulCharacter | TopicError::TooLong(_)) => {
                Err(DecodeError::malformed(what, "contains U+0000"))
            }
            Err(TopicError::Wildcard) => Err(DecodeError::new(
                DecodeErrorKind::TopicNameInvalid,
                what,
                "contains '+' or '#', which are only for topic filters",
            )),
        }
    }

    /// A reason code, which must be one of `allowed`.
    #[inline]
    pub(crate) fn reason(&mut self, allowed: &[ReasonCode]) -> Result<ReasonCode, DecodeError> {
        let code = self.byte("reason code")?;
        match ReasonCode::try_from(code) {
            Ok(reason) if allowed.contains(&reason) => Ok(reason),
            Ok(_) => Err(DecodeError::protocol("reason code", "does not belong in this packet")),
            Err(_) => Err(DecodeError::protocol("reason code", "is not one of MQTT 5.0")),
        }
    }

    /// The reason codes that fill the rest of the packet; at least one.
    pub(crate) fn reasons(
        mut self,
        allowed: &[ReasonCode],
    ) -> Result<Vec<ReasonCode>, DecodeError> {
        if self.is_empty() {
            return Err(DecodeError::protocol("payload", "has no reason code"));
        }
        let mut reasons = Vec::with_capacity(self.rest.len());
        while !self.is_empty() {
            reasons.push(self.reason(allowed)?);
        }
        Ok(reasons)
    }

    #[inline]
    pub(crate) fn packet_id(&mut self) -> Result<PacketId, DecodeError> {
        let id = self.two_bytes("packet identifier")?;
        PacketId::new(id)
            .ok_or(DecodeError::protocol("packet identifier", "is 0; it must be 1 to 65535"))
    }
}

/// The variable byte integer at the start of `bytes` and its length (1 to 4), or `None` if more
/// bytes are needed.
#[inline]
pub(crate) fn variable_integer(
    bytes: &[u8],
    what: &'static str,
) -> Result<Option<(u32, usize)>, DecodeError> {
    let mut value = 0;
    for (index, &byte) in bytes.iter().take(4).enumerate() {
        value |= u32::from(byte & 0x7F) << (7 * index);
        if byte & 0x80 == 0 {
            if byte == 0 && index > 0 {
                return Err(DecodeError::malformed(what, "is not in its shortest form"));
            }
            return Ok(Some((value, index + 1)));
        }
    }
    if bytes.len() >= 4 {
        return Err(DecodeError::malformed(what, "is longer than four bytes"));
    }
    Ok(None)
}
