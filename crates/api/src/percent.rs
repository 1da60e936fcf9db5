//! Percent-encoding.

use std::borrow::Cow;

/// Decodes `%XX`; everything else stays as it is, `+` too.
///
/// # Errors
/// What is wrong, when an escape is cut off or not hexadecimal, or the result is not UTF-8.
pub(crate) fn decode(text: &str) -> Result<Cow<'_, str>, &'static str> {
    if !text.as_bytes().contains(&b'%') {
        return Ok(Cow::Borrowed(text));
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| byte.and_then(|byte| (byte as char).to_digit(16));
        match (digit(bytes.next()), digit(bytes.next())) {
            (Some(high), Some(low)) => decoded.push((high * 16 + low) as u8),
            _ => return Err("has a % that is not followed by two hexadecimal digits"),
        }
    }
    match String::from_utf8(decoded) {
        Ok(decoded) => Ok(Cow::Owned(decoded)),
        Err(_) => Err("is not UTF-8 after percent-decoding"),
    }
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn escapes_are_decoded_and_plus_stays() {
        assert_eq!(decode("a%2Fb+c%20d").as_deref(), Ok("a/b+c d"));
        assert_eq!(decode("plain").as_deref(), Ok("plain"));
        assert_eq!(decode("%C3%A9").as_deref(), Ok("é"));
    }

    #[test]
    fn broken_escapes_and_broken_utf8_are_errors() {
        for text in ["%", "%2", "%zz", "a%2", "%FF", "%C3", "%+1"] {
            assert!(decode(text).is_err(), "{text}");
        }
    }
}
