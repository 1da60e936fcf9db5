//! The payload of a message.

use bytes::Bytes;

/// It belongs to its request, or to all the messages of one that goes to many.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Payload<'a> {
    /// That of one message.
    Single(&'a [u8]),
    /// That of many.
    Shared(&'a Bytes),
}

impl Payload<'_> {
    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Payload::Single(bytes) => bytes,
            Payload::Shared(bytes) => bytes,
        }
    }

    /// How many bytes it takes to keep it for this message.
    pub(super) fn kept_bytes(self) -> usize {
        match self {
            Payload::Single(bytes) => bytes.len(),
            Payload::Shared(_) => 0,
        }
    }

    /// To be kept beyond its request; that of many is there once.
    pub(super) fn kept(self) -> Bytes {
        match self {
            Payload::Single(bytes) => Bytes::copy_from_slice(bytes),
            Payload::Shared(bytes) => bytes.clone(),
        }
    }
}
