//! The canonical request: the one spelling of a request that both sides hash.

use aws_lc_rs::digest;
use memchr::memchr2;

use super::pieces::{cut, pieces};
use super::{ALGORITHM, Headers, RequestParts, SignatureError, Timestamp};
use crate::hex::Hex32;

/// SHA-256 of no bytes at all.
pub(super) const EMPTY_SHA256: &str =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
/// What is kept for the next request: many times what requests usually need.
const KEEP_BYTES: usize = 16 * 1024;
const KEEP_PARAMETERS: usize = 256;
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
    pub(super) payload_hash: &'a [u8],
}

/// Builds canonical requests and strings to sign in buffers that are used again for the next one.
pub(super) struct Canonicalizer {
    text: Vec<u8>,
    /// The encoded query parameters in the order they came, with [`NAME_END`] for each `=`.
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

/// Stands for the `=` while parameters are sorted, because it comes before everything that a name
/// can go on with, and `=` does not. No encoded text holds it.
const NAME_END: u8 = 0;

impl Canonicalizer {
    /// With buffers that hold nothing yet.
    pub(super) const fn new() -> Self {
        Self { text: Vec::new(), parameters: Vec::new(), order: Vec::new() }
    }

    /// Gives buffers back that a request much longer than usual has made grow.
    pub(super) fn shrink(&mut self) {
        self.text.shrink_to(KEEP_BYTES);
        self.parameters.shrink_to(KEEP_BYTES);
        self.order.shrink_to(KEEP_PARAMETERS);
    }

    /// The SHA-256 of the canonical request.
    ///
    /// # Errors
    /// A signed header that is absent, and a query with broken percent-encoding.
    pub(super) fn hash<H: Headers>(
        &mut self,
        request: &RequestParts<'_, H>,
        coverage: Coverage<'_>,
    ) -> Result<Hex32, SignatureError> {
        self.text.clear();
        self.text.extend_from_slice(request.method.as_bytes());
        self.text.push(b'\n');
        put_path(&mut self.text, request.path);
        self.text.push(b'\n');
        self.put_query(request.query, coverage.uncovered)?;
        self.text.push(b'\n');
        for name in pieces(coverage.signed_headers, b';') {
            put_header(&mut self.text, request.headers, name)?;
        }
        self.text.push(b'\n');
        self.text.extend_from_slice(coverage.signed_headers.as_bytes());
        self.text.push(b'\n');
        self.text.extend_from_slice(coverage.payload_hash);
        Ok(sha256(&self.text))
    }

    /// What is signed: algorithm, time, scope (`20150830/us-east-1/iotdata/aws4_request`) and the
    /// hash of the canonical request.
    pub(super) fn string_to_sign(
        &mut self,
        signed_at: Timestamp,
        scope: &str,
        request_hash: &Hex32,
    ) -> &[u8] {
        self.text.clear();
        for line in [ALGORITHM, signed_at.as_str(), scope] {
            self.text.extend_from_slice(line.as_bytes());
            self.text.push(b'\n');
        }
        self.text.extend_from_slice(request_hash.as_bytes());
        &self.text
    }

    /// The parameters, encoded anew and sorted by encoded name, then by encoded value.
    fn put_query(&mut self, query: &str, uncovered: Uncovered) -> Result<(), SignatureError> {
        self.parameters.clear();
        self.order.clear();
        for pair in pieces(query, b'&').filter(|pair| !pair.is_empty()) {
            let (name, value) = cut(pair, b'=').unwrap_or((pair, ""));
            if uncovered.contains(name) {
                continue;
            }
            let start = self.parameters.len();
            put_recoded(&mut self.parameters, name)?;
            let equals = self.parameters.len();
            self.parameters.push(NAME_END);
            put_recoded(&mut self.parameters, value)?;
            self.order.push(Parameter { start, equals, end: self.parameters.len() });
        }
        let Self { text, parameters, order } = self;
        let key = |parameter: &Parameter| &parameters[parameter.start..parameter.end];
        order.sort_unstable_by(|one, other| key(one).cmp(key(other)));
        for (index, parameter) in order.iter().enumerate() {
            if index > 0 {
                text.push(b'&');
            }
            text.extend_from_slice(&parameters[parameter.start..parameter.equals]);
            text.push(b'=');
            text.extend_from_slice(&parameters[parameter.equals + 1..parameter.end]);
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
    for segment in pieces(path, b'/') {
        match segment {
            "" | "." => {}
            ".." => {
                let parent = text[start..].iter().rposition(|c| *c == b'/').unwrap_or(0);
                text.truncate(start + parent);
            }
            _ => {
                text.push(b'/');
                put_encoded(text, segment.as_bytes());
            }
        }
    }
    if text.len() == start || path.ends_with('/') {
        text.push(b'/');
    }
}

/// Appends `name:value\n`, the values trimmed, with single spaces inside, joined with commas.
fn put_header<H: Headers>(
    text: &mut Vec<u8>,
    headers: &H,
    name: &str,
) -> Result<(), SignatureError> {
    text.extend_from_slice(name.as_bytes());
    let mut separator = b':';
    for value in headers.all(name) {
        text.push(separator);
        separator = b',';
        put_words(text, value);
    }
    if separator == b':' {
        return Err(SignatureError::SignedHeaderAbsent { name: super::Excerpt::of(name) });
    }
    text.push(b'\n');
    Ok(())
}

/// Appends the words of a header with single spaces between them.
fn put_words(text: &mut Vec<u8>, value: &[u8]) {
    if memchr2(b' ', b'\t', value).is_none() {
        text.extend_from_slice(value);
        return;
    }
    let words = value.split(|c| matches!(c, b' ' | b'\t')).filter(|word| !word.is_empty());
    for (index, word) in words.enumerate() {
        if index > 0 {
            text.push(b' ');
        }
        text.extend_from_slice(word);
    }
}

/// Appends a name or value of the query in its one canonical encoding.
fn put_recoded(text: &mut Vec<u8>, part: &str) -> Result<(), SignatureError> {
    let mut rest = part.as_bytes();
    while let Some(at) = rest.iter().position(|byte| !is_unreserved(*byte)) {
        text.extend_from_slice(&rest[..at]);
        let (byte, length) = match rest[at] {
            b'%' => (escaped_byte(&rest[at..]).ok_or(SignatureError::MalformedQuery)?, 3),
            byte => (byte, 1),
        };
        put_encoded(text, &[byte]);
        rest = &rest[at + length..];
    }
    text.extend_from_slice(rest);
    Ok(())
}

/// Appends `bytes`, percent-encoded where necessary. What is not, as a rule all, goes in one piece.
fn put_encoded(text: &mut Vec<u8>, bytes: &[u8]) {
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|byte| !is_unreserved(*byte)) {
        text.extend_from_slice(&rest[..at]);
        text.extend_from_slice(&escape(rest[at]));
        rest = &rest[at + 1..];
    }
    text.extend_from_slice(rest);
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

/// Whether it never needs encoding (RFC 3986, section 2.3).
fn is_unreserved(byte: u8) -> bool {
    const UNRESERVED: [bool; 256] = {
        let mut table = [false; 256];
        let mut byte = 0;
        while byte < table.len() {
            let c = byte as u8;
            table[byte] = c.is_ascii_alphanumeric() || matches!(c, b'-' | b'.' | b'_' | b'~');
            byte += 1;
        }
        table
    };
    UNRESERVED[usize::from(byte)]
}

/// `%` and two uppercase digits.
fn escape(byte: u8) -> [u8; 3] {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    [b'%', DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]
}

/// The byte that the escape at the start of `text` stands for; `None` if two hexadecimal digits do
/// not follow the `%`.
fn escaped_byte(text: &[u8]) -> Option<u8> {
    let digit = |at: usize| char::from(*text.get(at)?).to_digit(16);
    u8::try_from(digit(1)? << 4 | digit(2)?).ok()
}

/// The bytes that a percent-encoded text stands for; an item is `None` where a `%` is not
/// followed by two hexadecimal digits.
pub(super) struct PercentDecoded<'a> {
    rest: &'a [u8],
}

impl<'a> PercentDecoded<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        Self { rest: text }
    }
}

impl Iterator for PercentDecoded<'_> {
    type Item = Option<u8>;

    fn next(&mut self) -> Option<Self::Item> {
        let (byte, length) = match *self.rest.first()? {
            b'%' => (escaped_byte(self.rest), 3),
            byte => (Some(byte), 1),
        };
        self.rest = self.rest.get(length..).unwrap_or_default();
        Some(byte)
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
        let mut canonicalizer = Canonicalizer::new();
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
