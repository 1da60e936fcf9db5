//! Lowercase hexadecimal, the only spelling SigV4 and certificate ids use.

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// The value of each digit by its byte, and [`NO_DIGIT`] for all other bytes.
const VALUES: [u8; 256] = {
    let mut values = [NO_DIGIT; 256];
    let mut value = 0;
    while value < DIGITS.len() {
        values[DIGITS[value] as usize] = value as u8;
        value += 1;
    }
    values
};

/// Has bits that no digit's value has.
const NO_DIGIT: u8 = 0xF0;

/// A 32-byte digest as 64 lowercase hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hex32([u8; 64]);

impl Hex32 {
    /// Spells `digest`; anything but 32 bytes is a mistake of ours, not of a caller.
    pub(crate) fn of(digest: &[u8]) -> Self {
        assert_eq!(digest.len(), 32, "SHA-256 and HMAC-SHA-256 give 32 bytes");
        let mut text = [0; 64];
        for (pair, byte) in text.chunks_exact_mut(2).zip(digest) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
        }
        Self(text)
    }

    /// The digits, in ASCII.
    pub(crate) fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }

    /// The digits.
    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("hexadecimal digits are ASCII")
    }
}

/// The 32 bytes that 64 lowercase digits spell, or `None` for any other text.
pub(crate) fn decode_32(text: &str) -> Option<[u8; 32]> {
    let digits: &[u8; 64] = text.as_bytes().try_into().ok()?;
    let mut bytes = [0; 32];
    let mut seen = 0;
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let (high, low) = (VALUES[usize::from(pair[0])], VALUES[usize::from(pair[1])]);
        seen |= high | low;
        *byte = high << 4 | low;
    }
    (seen & NO_DIGIT == 0).then_some(bytes)
}

/// `bytes` as lowercase digits, two for each byte.
pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spelled_can_be_read_back() {
        let digest: Vec<u8> = (0..32).map(|n| n * 8 + 7).collect();
        let text = Hex32::of(&digest);
        assert_eq!(decode_32(text.as_str()).as_ref().map(<[u8; 32]>::as_slice), Some(&digest[..]));
        assert_eq!(encode(&digest), text.as_str());
    }

    #[test]
    fn uppercase_short_and_foreign_digits_are_refused() {
        assert_eq!(decode_32(&"A".repeat(64)), None);
        assert_eq!(decode_32(&"a".repeat(63)), None);
        assert_eq!(decode_32(&"g".repeat(64)), None);
        assert_eq!(decode_32(&"é".repeat(32)), None);
    }
}
