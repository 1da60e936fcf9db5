//! Writing whole packets.

use crate::error::EncodeError;
use crate::reason_code::ReasonCode;
use crate::version::Version;
use crate::writer::{Length, MAX_VARIABLE, Sink, variable_len};

/// A packet that can be written.
pub(crate) trait Body {
    /// Packet type and flags.
    fn first_byte(&self) -> u8;

    /// Whether the standard allows this packet in this version.
    fn check(&self, version: Version) -> Result<(), EncodeError>;

    /// Writes everything behind the fixed header.
    fn write(&self, version: Version, out: &mut impl Sink);
}

#[inline]
fn body_len(body: &impl Body, version: Version) -> usize {
    let mut length = Length::default();
    body.write(version, &mut length);
    length.0
}

/// The length of the whole packet in bytes.
#[inline]
pub(crate) fn encoded_len(body: &impl Body, version: Version) -> usize {
    let len = body_len(body, version);
    1 + variable_len(len) + len
}

/// Appends the whole packet to `out`, or nothing if it is not allowed.
#[inline]
pub(crate) fn encode(
    body: &impl Body,
    version: Version,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    body.check(version)?;
    let len = body_len(body, version);
    let remaining = match u32::try_from(len) {
        Ok(remaining) if remaining <= MAX_VARIABLE => remaining,
        Ok(_) | Err(_) => return Err(EncodeError::TooLarge { len }),
    };
    out.reserve(1 + variable_len(len) + len);
    out.byte(body.first_byte());
    out.variable(remaining);
    body.write(version, out);
    Ok(())
}

/// Whether `packet` may carry `reason`.
#[inline]
pub(crate) fn check_reason(
    packet: &'static str,
    reason: ReasonCode,
    allowed: &[ReasonCode],
) -> Result<(), EncodeError> {
    if allowed.contains(&reason) {
        Ok(())
    } else {
        Err(EncodeError::ReasonNotAllowed { packet, reason })
    }
}

/// Gives a packet type its public `encode` and `encoded_len`.
macro_rules! encodes {
    ($packet:ident) => {
        impl $packet<'_> {
            /// Appends the packet to `out`.
            ///
            /// # Errors
            /// When the standard does not allow this packet in this version; `out` is then as it
            /// was.
            #[inline]
            pub fn encode(
                &self,
                version: $crate::Version,
                out: &mut Vec<u8>,
            ) -> Result<(), $crate::EncodeError> {
                $crate::encode::encode(self, version, out)
            }

            /// The number of bytes that [`encode`](Self::encode) appends.
            #[must_use]
            #[inline]
            pub fn encoded_len(&self, version: $crate::Version) -> usize {
                $crate::encode::encoded_len(self, version)
            }
        }
    };
}
pub(crate) use encodes;
