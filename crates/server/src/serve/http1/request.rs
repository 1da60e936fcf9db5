//! A request as it stands in the buffer.

use std::mem::MaybeUninit;

use api::{Field, Fields, Head};
use smallvec::SmallVec;

use crate::serve::http2::PREFACE;

/// More headers than any sender of messages has; a request with more is not ours.
const HEADERS: usize = 48;

/// What the beginning of a buffer is.
#[expect(clippy::large_enum_variant, reason = "it lives on the stack of one request")]
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found<'b> {
    /// The beginning of a request; whether its head is whole.
    Part { head: bool },
    /// A whole request.
    Whole(Request<'b>),
    /// Something that is left to the HTTP library: another method or version, a body without a
    /// length, an upgrade, a head that is too large or is none.
    Foreign,
}

/// A request whose body has come.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Request<'b> {
    path: &'b str,
    query: &'b str,
    fields: SmallVec<[Field<'b>; 16]>,
    pub(super) body: &'b [u8],
    /// Bytes of the whole request.
    pub(super) length: usize,
}

/// The most bytes of a head and of a body.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) head: usize,
    pub(super) body: usize,
}

impl<'b> Found<'b> {
    /// Looks at the beginning of `buffer`. A request is taken only if there is one way to read it
    /// (RFC 9112, section 6.3).
    pub(super) fn parse(buffer: &'b [u8], bounds: Bounds) -> Found<'b> {
        if buffer.len() < PREFACE.len() && PREFACE.starts_with(buffer) {
            return Found::Part { head: false };
        }
        let mut fields = [const { MaybeUninit::uninit() }; HEADERS];
        let mut request = httparse::Request::new(&mut []);
        let head = match request.parse_with_uninit_headers(buffer, &mut fields) {
            Ok(httparse::Status::Complete(length)) if length <= bounds.head => length,
            Ok(httparse::Status::Partial) if buffer.len() < bounds.head => {
                return Found::Part { head: false };
            }
            Ok(_) | Err(_) => return Found::Foreign,
        };
        let (Some("POST"), Some(1), Some(target)) = (request.method, request.version, request.path)
        else {
            return Found::Foreign;
        };
        let is_ours = target.starts_with("/connections/") || target.starts_with("/topics/");
        if !is_ours || !target.bytes().all(is_plain) {
            return Found::Foreign;
        }
        let Some(body) = body_length(request.headers).filter(|length| *length <= bounds.body)
        else {
            return Found::Foreign;
        };
        let Some(body) = buffer.get(head..head + body) else { return Found::Part { head: true } };
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let headers = request.headers.iter();
        let fields = headers.map(|header| Field { name: header.name, value: header.value });
        let fields = fields.collect();
        Found::Whole(Request { path, query, fields, body, length: head + body.len() })
    }
}

/// Whether a byte may stand in a path or query (RFC 3986, section 3.3 and 3.4).
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@%/?".contains(&byte)
}

/// The length of the body; none if anything about it, or about the connection, is out of the
/// ordinary.
fn body_length(headers: &[httparse::Header<'_>]) -> Option<usize> {
    let mut length = None;
    for header in headers {
        let name = header.name;
        if name.eq_ignore_ascii_case("content-length") {
            let digits = std::str::from_utf8(header.value).ok()?;
            if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            if length.replace(digits.parse().ok()?).is_some() {
                return None;
            }
        } else if name.eq_ignore_ascii_case("connection") {
            if !header.value.eq_ignore_ascii_case(b"keep-alive") {
                return None;
            }
        } else if ["transfer-encoding", "expect", "upgrade", "te", "trailer"]
            .iter()
            .any(|other| name.eq_ignore_ascii_case(other))
        {
            return None;
        }
    }
    Some(length.unwrap_or(0))
}

impl Request<'_> {
    pub(super) fn head(&self) -> Head<'_> {
        let headers = Fields::new(&self.fields);
        Head { method: "POST", path: self.path, query: self.query, headers }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds { head: 256, body: 8 };
    const SEND: &str = "POST /connections/a%2Fb/messages?topic=t HTTP/1.1\r\nHost: h\r\n";

    fn found(text: &str) -> bool {
        matches!(Found::parse(text.as_bytes(), BOUNDS), Found::Whole(_))
    }

    fn is_foreign(text: &str) -> bool {
        Found::parse(text.as_bytes(), BOUNDS) == Found::Foreign
    }

    #[test]
    fn a_whole_request_is_taken_and_what_follows_is_left() {
        let text = format!("{SEND}Content-Length: 2\r\nX-A: 1\r\nX-A: 2\r\n\r\n{{}}POST /x");
        let Found::Whole(request) = Found::parse(text.as_bytes(), BOUNDS) else {
            panic!("not whole")
        };
        assert_eq!((request.path, request.query), ("/connections/a%2Fb/messages", "topic=t"));
        assert_eq!((request.body, request.length), (&b"{}"[..], text.len() - 7));
        assert_eq!(request.fields.iter().filter(|field| field.name == "X-A").count(), 2);
        assert_eq!(request.fields[0], Field { name: "Host", value: b"h" });
    }

    #[test]
    fn a_request_may_come_in_any_number_of_pieces() {
        let text = format!("{SEND}Content-Length: 2\r\n\r\n{{}}");
        let head = text.len() - 2;
        for end in 0..text.len() {
            let found = Found::parse(&text.as_bytes()[..end], BOUNDS);
            assert_eq!(found, Found::Part { head: end >= head }, "{end}");
        }
        assert!(found(&text));
    }

    #[test]
    fn the_beginning_of_http2_is_waited_for() {
        for end in 1..PREFACE.len() {
            assert_eq!(Found::parse(&PREFACE[..end], BOUNDS), Found::Part { head: false });
        }
        assert_eq!(Found::parse(PREFACE, BOUNDS), Found::Foreign);
    }

    #[test]
    fn a_publish_is_taken_with_its_slashes_as_they_are() {
        let text = "POST /topics/a/b%2Fc?qos=1 HTTP/1.1\r\nContent-Length: 1\r\n\r\nx";
        let Found::Whole(request) = Found::parse(text.as_bytes(), BOUNDS) else {
            panic!("not whole")
        };
        assert_eq!((request.path, request.query), ("/topics/a/b%2Fc", "qos=1"));
        assert_eq!(request.body, b"x");
    }

    #[test]
    fn a_body_without_a_length_is_empty() {
        assert!(found(&format!("{SEND}\r\n")));
        assert!(found(&format!("{SEND}connection: Keep-Alive\r\n\r\n")));
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_left_to_the_library() {
        for header in [
            "Content-Length: 2\r\nContent-Length: 2\r\n",
            "Content-Length: +2\r\n",
            "Content-Length: 2, 2\r\n",
            "Content-Length: \r\n",
            "Content-Length: 99999999999999999999999\r\n",
            "Content-Length: 9\r\n",
            "Transfer-Encoding: chunked\r\n",
            "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n",
            "Expect: 100-continue\r\nContent-Length: 2\r\n",
            "Connection: close\r\n",
            "Connection: keep-alive, Upgrade\r\nUpgrade: h2c\r\n",
            "TE: trailers\r\n",
            "X : 1\r\n",
            " folded\r\n",
        ] {
            assert!(is_foreign(&format!("{SEND}{header}\r\n{{}}")), "{header}");
        }
        for line in [
            "GET /connections/a/messages HTTP/1.1",
            "POST /connections/a/messages HTTP/1.0",
            "POST /other HTTP/1.1",
            "POST http://h/connections/a/messages HTTP/1.1",
            "POST /connections/\"/messages HTTP/1.1",
            "POST /connections/a/messages#x HTTP/1.1",
            "PRI * HTTP/2.0",
            "nonsense",
        ] {
            assert!(is_foreign(&format!("{line}\r\nHost: h\r\n\r\n")), "{line}");
        }
        assert!(is_foreign(&format!("{SEND}X: {}", "a".repeat(256))));
    }
}
