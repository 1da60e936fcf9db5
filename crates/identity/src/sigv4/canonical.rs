//! The canonical request: the one spelling of a request that both sides hash.

use aws_lc_rs::digest;

use super::{RequestParts, SignatureError};
use crate::hex::Hex32;

/// SHA-256 of no bytes at all.
pub(super) const EMPTY_SHA256: &str =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
/// The parameter that holds the signature of a presigned URL.
const SIGNATURE_PARAMETER: &str = "X-Amz-Signature";
/// The parameter that holds the session token of a presigned URL.
const TOKEN_PARAMETER: &str = "X-Amz-Security-Token";

/// Which query parameters the signature does not cover.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Uncovered {
    /// Everything is covered: the signature is in a header.
    Nothing,
    /// A presigned URL whose session token was signed.
    Signature,
    /// A presigned URL whose session token was appended after signing, which is what AWS
    /// documents for `/mqtt` (spec 3.2).
    SignatureAndToken,
}

impl Uncovered {
    fn contains(self, name: &str) -> bool {
        match self {
            Self::Nothing => false,
            Self::Signature => name == SIGNATURE_PARAMETER,
            Self::SignatureAndToken => name == SIGNATURE_PARAMETER || name == TOKEN_PARAMETER,
        }
    }
}

/// What goes into a canonical request besides the request itself.
#[derive(Clone, Copy)]
pub(super) struct Coverage<'a> {
    /// The signed headers: lowercase names, sorted, joined with semicolons.
    pub(super) signed_headers: &'a str,
    /// The parameters to leave out.
    pub(super) uncovered: Uncovered,
    /// Hexadecimal SHA-256 of the body, or what x-amz-content-sha256 says instead.
    pub(super) payload_hash: &'a str,
}

/// Builds canonical requests in buffers that are used again for the next one.
#[derive(Default)]
pub(super) struct Canonicalizer {
    text: Vec<u8>,
    /// The encoded query parameters in the order they came.
    parameters: Vec<u8>,
    /// Where in `parameters` each one is.
    order: Vec<Parameter>,
}

/// `parameters[start..equals]` is a name, `parameters[equals + 1..end]` its value.
#[derive(Clone, Copy)]
struct Parameter {
    start: usize,
    equals: usize,
    end: usize,
}

impl Canonicalizer {
    /// The SHA-256 of the canonical request.
    ///
    /// # Errors
    /// A signed header that is absent, and a query with broken percent-encoding.
    pub(super) fn hash(
        &mut self,
        request: &RequestParts<'_>,
        coverage: Coverage<'_>,
    ) -> Result<Hex32, SignatureError> {
        self.text.clear();
        self.text.extend_from_slice(request.method.as_bytes());
        self.text.push(b'\n');
        put_path(&mut self.text, request.path);
        self.text.push(b'\n');
        self.put_query(request.query, coverage.uncovered)?;
        self.text.push(b'\n');
        for name in coverage.signed_headers.split(';') {
            put_header(&mut self.text, request.headers, name)?;
        }
        self.text.push(b'\n');
        self.text.extend_from_slice(coverage.signed_headers.as_bytes());
        self.text.push(b'\n');
        self.text.extend_from_slice(coverage.payload_hash.as_bytes());
        Ok(sha256(&self.text))
    }

    /// The parameters, encoded anew and sorted by encoded name, then by encoded value.
    fn put_query(&mut self, query: &str, uncovered: Uncovered) -> Result<(), SignatureError> {
        self.parameters.clear();
        self.order.clear();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            if uncovered.contains(name) {
                continue;
            }
            let start = self.parameters.len();
            put_recoded(&mut self.parameters, name)?;
            let equals = self.parameters.len();
            self.parameters.push(b'=');
            put_recoded(&mut self.parameters, value)?;
            self.order.push(Parameter { start, equals, end: self.parameters.len() });
        }
        let Self { text, parameters, order } = self;
        let key =
            |p: &Parameter| (&parameters[p.start..p.equals], &parameters[p.equals + 1..p.end]);
        order.sort_unstable_by(|one, other| key(one).cmp(&key(other)));
        for (index, parameter) in order.iter().enumerate() {
            if index > 0 {
                text.push(b'&');
            }
            text.extend_from_slice(&parameters[parameter.start..parameter.end]);
        }
        Ok(())
    }
}

/// SHA-256 in the spelling that is signed.
pub(super) fn sha256(bytes: &[u8]) -> Hex32 {
    Hex32::of(digest::digest(&digest::SHA256, bytes).as_ref())
}

/// Appends the path without dot segments and repeated slashes, encoded once more: a `%2F` on the
/// wire is signed as `%252F`.
fn put_path(text: &mut Vec<u8>, path: &str) {
    let start = text.len();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                let parent = text[start..].iter().rposition(|c| *c == b'/').unwrap_or(0);
                text.truncate(start + parent);
            }
            _ => {
                text.push(b'/');
                for byte in segment.bytes() {
                    put_encoded(text, byte);
                }
            }
        }
    }
    if text.len() == start || path.ends_with('/') {
        text.push(b'/');
    }
}

/// Appends `name:value\n`, the values trimmed, with single spaces inside, joined with commas.
fn put_header(
    text: &mut Vec<u8>,
    headers: &http::HeaderMap,
    name: &str,
) -> Result<(), SignatureError> {
    text.extend_from_slice(name.as_bytes());
    let mut separator = b':';
    for value in headers.get_all(name) {
        text.push(separator);
        separator = b',';
        let is_space = |c: &u8| matches!(c, b' ' | b'\t');
        let words = value.as_bytes().split(is_space).filter(|word| !word.is_empty());
        for (index, word) in words.enumerate() {
            if index > 0 {
                text.push(b' ');
            }
            text.extend_from_slice(word);
        }
    }
    if separator == b':' {
        return Err(SignatureError::SignedHeaderAbsent { name: super::Excerpt::of(name) });
    }
    text.push(b'\n');
    Ok(())
}

/// Appends a name or value of the query in its one canonical encoding.
fn put_recoded(text: &mut Vec<u8>, part: &str) -> Result<(), SignatureError> {
    for byte in PercentDecoded::new(part.as_bytes()) {
        put_encoded(text, byte.ok_or(SignatureError::MalformedQuery)?);
    }
    Ok(())
}

/// Appends one byte, percent-encoded unless it is unreserved.
fn put_encoded(text: &mut Vec<u8>, byte: u8) {
    if is_unreserved(byte) { text.push(byte) } else { text.extend_from_slice(&escape(byte)) }
}

/// Appends `value` to a query that is being built, percent-encoded where necessary.
pub(super) fn push_encoded(query: &mut String, value: &str) {
    for byte in value.bytes() {
        if is_unreserved(byte) {
            query.push(char::from(byte));
        } else {
            query.extend(escape(byte).map(char::from));
        }
    }
}

/// The characters that never need encoding (RFC 3986, section 2.3).
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// `%` and two uppercase digits.
fn escape(byte: u8) -> [u8; 3] {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    [b'%', DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]
}

/// The bytes that a percent-encoded text stands for; an item is `None` where a `%` is not
/// followed by two hexadecimal digits.
pub(super) struct PercentDecoded<'a> {
    rest: std::slice::Iter<'a, u8>,
}

impl<'a> PercentDecoded<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        Self { rest: text.iter() }
    }

    fn digit(&mut self) -> Option<u8> {
        let digit = char::from(*self.rest.next()?).to_digit(16)?;
        u8::try_from(digit).ok()
    }
}

impl Iterator for PercentDecoded<'_> {
    type Item = Option<u8>;

    fn next(&mut self) -> Option<Self::Item> {
        match *self.rest.next()? {
            b'%' => Some(self.digit().and_then(|high| Some(high << 4 | self.digit()?))),
            byte => Some(Some(byte)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(raw: &str) -> String {
        let mut text = Vec::new();
        put_path(&mut text, raw);
        String::from_utf8(text).unwrap()
    }

    fn query(raw: &str, uncovered: Uncovered) -> Result<String, SignatureError> {
        let mut canonicalizer = Canonicalizer::default();
        canonicalizer.put_query(raw, uncovered)?;
        Ok(String::from_utf8(canonicalizer.text).unwrap())
    }

    #[test]
    fn the_path_is_encoded_once_more() {
        assert_eq!(path("/connections/a%2Fb/messages"), "/connections/a%252Fb/messages");
        assert_eq!(path("/topics/ü~$"), "/topics/%C3%BC~%24");
    }

    #[test]
    fn dot_segments_and_repeated_slashes_disappear_from_the_path() {
        for (raw, canonical) in [
            ("", "/"),
            ("/", "/"),
            ("//", "/"),
            ("/.", "/"),
            ("/..", "/"),
            ("/../..", "/"),
            ("/a/./b//c", "/a/b/c"),
            ("/a/b/../c/", "/a/c/"),
            ("/a/../../b", "/b"),
            ("mqtt", "/mqtt"),
            ("/...", "/..."),
        ] {
            assert_eq!(path(raw), canonical, "{raw}");
        }
    }

    #[test]
    fn the_query_is_sorted_by_name_then_value_and_keeps_duplicates() {
        let canonical = query("b=2&a-=1&a=z&&b=1&a=%7e&c&b=2", Uncovered::Nothing);
        assert_eq!(canonical.unwrap(), "a=z&a=~&a-=1&b=1&b=2&b=2&c=");
    }

    #[test]
    fn a_plus_sign_is_a_plus_sign_and_a_second_equals_sign_is_data() {
        assert_eq!(query("t=a+b=c", Uncovered::Nothing).unwrap(), "t=a%2Bb%3Dc");
    }

    #[test]
    fn the_signature_of_a_presigned_url_does_not_cover_itself() {
        let raw = "X-Amz-Signature=0&X-Amz-Security-Token=t&a=1";
        assert_eq!(query(raw, Uncovered::SignatureAndToken).unwrap(), "a=1");
        assert_eq!(query(raw, Uncovered::Signature).unwrap(), "X-Amz-Security-Token=t&a=1");
        assert_eq!(
            query(raw, Uncovered::Nothing).unwrap(),
            "X-Amz-Security-Token=t&X-Amz-Signature=0&a=1"
        );
    }

    #[test]
    fn broken_percent_encoding_is_an_error() {
        for raw in ["a=%", "a=%4", "a=%zz", "%=1", "a=%é"] {
            assert_eq!(
                query(raw, Uncovered::Nothing),
                Err(SignatureError::MalformedQuery),
                "{raw}"
            );
        }
    }
}
