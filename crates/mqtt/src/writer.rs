//! Writing fields, and counting the bytes that writing them takes.

use crate::error::EncodeError;

/// The longest string or binary field: its length is two bytes.
pub(crate) const MAX_FIELD_LEN: usize = u16::MAX as usize;

/// The largest variable byte integer (four bytes of seven bits).
pub(crate) const MAX_VARIABLE: u32 = 268_435_455;

/// Where fields go. A packet is written by the same code twice: into a [`Length`] to learn its
/// size and into the output, so the length in its header cannot disagree with its body.
pub(crate) trait Sink {
    fn bytes(&mut self, bytes: &[u8]);

    #[inline]
    fn byte(&mut self, value: u8) {
        self.bytes(&[value]);
    }

    #[inline]
    fn two_bytes(&mut self, value: u16) {
        self.bytes(&value.to_be_bytes());
    }

    #[inline]
    fn four_bytes(&mut self, value: u32) {
        self.bytes(&value.to_be_bytes());
    }

    /// A variable byte integer; the caller has checked that `value` is at most [`MAX_VARIABLE`].
    #[inline]
    fn variable(&mut self, value: u32) {
        let mut rest = value;
        while rest >= 0x80 {
            self.byte(rest as u8 | 0x80);
            rest >>= 7;
        }
        self.byte(rest as u8);
    }

    /// A length-prefixed field; the caller has checked its length with [`check_binary`].
    #[inline]
    fn binary(&mut self, value: &[u8]) {
        self.two_bytes(value.len() as u16);
        self.bytes(value);
    }

    #[inline]
    fn string(&mut self, value: &str) {
        self.binary(value.as_bytes());
    }
}

impl Sink for Vec<u8> {
    #[inline]
    fn bytes(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// Counts instead of writing.
#[derive(Debug, Default)]
pub(crate) struct Length(pub(crate) usize);

impl Sink for Length {
    #[inline]
    fn bytes(&mut self, bytes: &[u8]) {
        self.0 += bytes.len();
    }
}

/// The number of bytes of a variable byte integer.
#[inline]
pub(crate) fn variable_len(value: usize) -> usize {
    match value {
        0..=0x7F => 1,
        0x80..=0x3FFF => 2,
        0x4000..=0x1F_FFFF => 3,
        _ => 4,
    }
}

pub(crate) fn check_binary(value: &[u8], what: &'static str) -> Result<(), EncodeError> {
    if value.len() > MAX_FIELD_LEN {
        return Err(EncodeError::FieldTooLong { what, len: value.len() });
    }
    Ok(())
}

pub(crate) fn check_string(value: &str, what: &'static str) -> Result<(), EncodeError> {
    check_binary(value.as_bytes(), what)?;
    match memchr::memchr(0, value.as_bytes()) {
        None => Ok(()),
        Some(_) => Err(EncodeError::NulCharacter { what }),
    }
}
