//! The name of one request or connection in answers and in the log.

use std::fmt;

use uuid::Uuid;

/// Names one request or one connection, in the answer (`traceId`, `x-amzn-RequestId`) and in the
/// log: 122 random bits, written as 8-4-4-4-12 lower-case hex digits (spec 1.3).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TraceId(Uuid);

impl TraceId {
    /// Bytes of the text form.
    pub const TEXT_BYTES: usize = 36;

    /// A new one, from a generator of this thread that the system seeded (no system call each).
    pub fn random() -> Self {
        TraceId(Uuid::new_v4())
    }

    /// The one with these bits.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        TraceId(Uuid::from_bytes(bytes))
    }

    /// The one of that text form, in any case of its digits.
    pub fn parse(text: &str) -> Option<Self> {
        (text.len() == Self::TEXT_BYTES).then(|| Uuid::parse_str(text).ok())?.map(TraceId)
    }

    /// Its bits.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// Writes the text form into `buffer`, without an allocation.
    pub fn encode<'b>(&self, buffer: &'b mut [u8; Self::TEXT_BYTES]) -> &'b str {
        self.0.hyphenated().encode_lower(buffer)
    }

    /// The member of an entry.
    #[inline]
    pub(crate) fn member(&self) -> [u8; 49] {
        /// Where the digits of each byte stand.
        const PLACES: [usize; 16] =
            [12, 14, 16, 18, 21, 23, 26, 28, 31, 33, 36, 38, 40, 42, 44, 46];
        let mut member = *br#","traceId":"00000000-0000-0000-0000-000000000000""#;
        for (place, byte) in PLACES.into_iter().zip(self.as_bytes()) {
            member[place..place + 2].copy_from_slice(&DIGITS[usize::from(*byte)]);
        }
        member
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.encode(&mut [0; Self::TEXT_BYTES]))
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TraceId({self})")
    }
}

/// The digits of each byte.
const DIGITS: [[u8; 2]; 256] = {
    const DIGIT: &[u8; 16] = b"0123456789abcdef";
    let mut digits = [[0; 2]; 256];
    let mut byte = 0;
    while byte < digits.len() {
        digits[byte] = [DIGIT[byte >> 4], DIGIT[byte & 0xF]];
        byte += 1;
    }
    digits
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_8_4_4_4_12_lower_case_hex() {
        let id = TraceId::from_bytes([
            0xAB, 0xCD, 0xEF, 0x01, 2, 3, 0x44, 5, 0x86, 7, 8, 9, 10, 11, 12, 0xFF,
        ]);
        assert_eq!(id.to_string(), "abcdef01-0203-4405-8607-08090a0b0cff");
    }

    #[test]
    fn the_member_of_an_entry_has_the_same_text() {
        for byte in 0..=u8::MAX {
            let bytes = std::array::from_fn(|at| byte.wrapping_add(at as u8 * 17));
            let id = TraceId::from_bytes(bytes);
            assert_eq!(id.member(), format!(",\"traceId\":\"{id}\"").as_bytes());
        }
    }

    #[test]
    fn random_ones_are_version_4_and_differ() {
        let (a, b) = (TraceId::random(), TraceId::random());
        assert_ne!(a, b);
        assert_eq!(a.as_bytes()[6] >> 4, 4);
        assert_eq!(a.as_bytes()[8] >> 6, 0b10);
    }
}
