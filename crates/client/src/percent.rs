//! Percent-encoding of path labels and query values, as the AWS SDKs do it.

/// Appends `text` with everything but the unreserved characters of RFC 3986, section 2.3,
/// percent-encoded (spec 1.1): `/` becomes `%2F`, a space `%20`, `+` `%2B`, and `~` stays.
pub(crate) fn push_encoded(to: &mut String, text: &str) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            to.push(char::from(byte));
        } else {
            to.push('%');
            to.push(char::from(DIGITS[usize::from(byte >> 4)]));
            to.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_encoded_as_boto3_does_it() {
        for (text, expected) in [
            ("", ""),
            ("myDevice", "myDevice"),
            ("commands/reboot", "commands%2Freboot"),
            ("a b+c~d", "a%20b%2Bc~d"),
            ("-._~", "-._~"),
            ("100%", "100%25"),
            ("?&=#", "%3F%26%3D%23"),
            ("é", "%C3%A9"),
            ("😀", "%F0%9F%98%80"),
            ("..", ".."),
            ("\u{0}\n\u{7f}", "%00%0A%7F"),
        ] {
            let mut encoded = String::new();
            push_encoded(&mut encoded, text);
            assert_eq!(encoded, expected, "{text:?}");
        }
    }
}
