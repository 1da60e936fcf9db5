//! HTTP/1.1 answers: one at a time, on a connection that is used again.

use std::borrow::Cow;

/// The most bytes of one answer, head and body. The server's answers have a few hundred.
pub(crate) const MAX_RESPONSE: usize = 64 * 1024;
/// The most header fields of one answer.
const MAX_HEADERS: usize = 32;

/// A complete answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Response<'a> {
    /// The status code.
    pub(crate) status: u16,
    /// The body, without the framing of chunks.
    pub(crate) body: Cow<'a, [u8]>,
    /// Whether another request may follow on the connection.
    pub(crate) keep_alive: bool,
    /// How many bytes of the buffer it took.
    pub(crate) len: usize,
}

/// Why bytes are no answer to go on with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ResponseError {
    /// Not HTTP/1.1.
    #[error("the answer is not HTTP/1.1")]
    Malformed,
    /// A length that is no number, or two that differ.
    #[error("the answer has a bad Content-Length")]
    Length,
    /// Chunks that cannot be read.
    #[error("the answer has a bad chunk")]
    Chunk,
    /// A transfer coding other than chunked.
    #[error("the answer has a transfer coding other than chunked")]
    Coding,
    /// Above [`MAX_RESPONSE`].
    #[error("the answer is longer than 64 KiB")]
    TooLarge,
    /// The connection ended too early.
    #[error("the connection was closed before the answer was complete")]
    Closed,
    /// Bytes that no request asked for.
    #[error("there were bytes behind the answer")]
    Trailing,
}

/// How the end of a body is found.
enum Framing {
    Length(usize),
    Chunked,
    UntilClose,
}

/// A body and where it ends.
struct Framed<'a> {
    body: Cow<'a, [u8]>,
    end: usize,
}

/// What the head of an answer says.
struct Head {
    status: u16,
    len: usize,
    framing: Framing,
    keep_alive: bool,
}

/// Reads the answer at the start of `bytes`; `None` if more bytes are needed. `closed`: no more
/// will come. Interim answers (status 1xx) are passed over.
///
/// # Errors
/// When it can be known that there is no acceptable answer.
pub(crate) fn parse(bytes: &[u8], closed: bool) -> Result<Option<Response<'_>>, ResponseError> {
    let mut start = 0;
    loop {
        let rest = &bytes[start..];
        let Some(head) = Head::parse(rest)? else { return incomplete(bytes, closed) };
        if head.status < 200 {
            start += head.len;
            continue;
        }
        let found = match head.framing {
            Framing::Length(length) => {
                let end = head.len.checked_add(length).ok_or(ResponseError::Length)?;
                if end > MAX_RESPONSE {
                    return Err(ResponseError::TooLarge);
                }
                rest.get(head.len..end).map(|body| Framed { body: Cow::Borrowed(body), end })
            }
            Framing::Chunked => chunks(rest, head.len)?,
            Framing::UntilClose if closed => {
                let body = Cow::Borrowed(&rest[head.len..]);
                Some(Framed { body, end: rest.len() })
            }
            Framing::UntilClose => None,
        };
        let Some(Framed { body, end }) = found else { return incomplete(bytes, closed) };
        let Head { status, keep_alive, .. } = head;
        return Ok(Some(Response { status, body, keep_alive, len: start + end }));
    }
}

fn incomplete(bytes: &[u8], closed: bool) -> Result<Option<Response<'_>>, ResponseError> {
    if closed {
        Err(ResponseError::Closed)
    } else if bytes.len() >= MAX_RESPONSE {
        Err(ResponseError::TooLarge)
    } else {
        Ok(None)
    }
}

impl Head {
    fn parse(bytes: &[u8]) -> Result<Option<Self>, ResponseError> {
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut response = httparse::Response::new(&mut headers);
        let len = match response.parse(bytes) {
            Ok(httparse::Status::Complete(len)) => len,
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(_) => return Err(ResponseError::Malformed),
        };
        let status = response.code.ok_or(ResponseError::Malformed)?;
        // HTTP/1.0 closes unless asked not to, and nobody asks.
        let mut keep_alive = response.version == Some(1);
        let mut length = None;
        let mut chunked = false;
        for header in response.headers.iter() {
            if header.name.eq_ignore_ascii_case("content-length") {
                let stated = content_length(header.value)?;
                if length.replace(stated).is_some_and(|earlier| earlier != stated) {
                    return Err(ResponseError::Length);
                }
            } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
                if !header.value.eq_ignore_ascii_case(b"chunked") {
                    return Err(ResponseError::Coding);
                }
                chunked = true;
            } else if header.name.eq_ignore_ascii_case("connection") {
                let mut options = header.value.split(|byte| *byte == b',');
                keep_alive &= !options.any(|o| o.trim_ascii().eq_ignore_ascii_case(b"close"));
            }
        }
        let framing = match length {
            // These never have a body (RFC 9112, section 6.3).
            _ if status < 200 || status == 204 || status == 304 => Framing::Length(0),
            _ if chunked => Framing::Chunked,
            Some(length) => Framing::Length(length),
            None => Framing::UntilClose,
        };
        keep_alive &= !matches!(framing, Framing::UntilClose);
        Ok(Some(Self { status, len, framing, keep_alive }))
    }
}

fn content_length(value: &[u8]) -> Result<usize, ResponseError> {
    let digits = std::str::from_utf8(value).ok().filter(|text| {
        // A sign would be accepted by the number parser.
        text.bytes().all(|byte| byte.is_ascii_digit())
    });
    digits.and_then(|digits| digits.parse().ok()).ok_or(ResponseError::Length)
}

/// A chunked body that starts at `at`, and where it ends.
fn chunks(bytes: &[u8], mut at: usize) -> Result<Option<Framed<'_>>, ResponseError> {
    let mut body = Vec::new();
    loop {
        let (line, size) = match httparse::parse_chunk_size(&bytes[at..]) {
            Ok(httparse::Status::Complete(found)) => found,
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(_) => return Err(ResponseError::Chunk),
        };
        at += line;
        if size == 0 {
            return Ok(trailer(bytes, at)?.map(|end| Framed { body: Cow::Owned(body), end }));
        }
        let size = usize::try_from(size).map_err(|_| ResponseError::TooLarge)?;
        if size > MAX_RESPONSE - body.len() {
            return Err(ResponseError::TooLarge);
        }
        let Some(chunk) = bytes.get(at..at + size) else { return Ok(None) };
        let Some(end) = bytes.get(at + size..at + size + 2) else { return Ok(None) };
        if end != b"\r\n" {
            return Err(ResponseError::Chunk);
        }
        body.extend_from_slice(chunk);
        at += size + 2;
    }
}

/// Passes over the fields behind the last chunk: where they end.
fn trailer(bytes: &[u8], at: usize) -> Result<Option<usize>, ResponseError> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    match httparse::parse_headers(&bytes[at..], &mut headers) {
        Ok(httparse::Status::Complete((len, _))) => Ok(Some(at + len)),
        Ok(httparse::Status::Partial) => Ok(None),
        Err(_) => Err(ResponseError::Chunk),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nbody";
    const CHUNKED: &[u8] = b"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n\
        3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nt: v\r\n\r\n";

    fn complete(bytes: &[u8]) -> Response<'_> {
        parse(bytes, false).unwrap().unwrap()
    }

    #[test]
    fn an_answer_may_come_in_any_number_of_reads() {
        for whole in [OK, CHUNKED] {
            for end in 0..whole.len() {
                assert_eq!(parse(&whole[..end], false), Ok(None), "{end}");
                assert_eq!(parse(&whole[..end], true), Err(ResponseError::Closed), "{end}");
            }
            assert_eq!(complete(whole).len, whole.len());
        }
    }

    #[test]
    fn bodies_are_framed_by_length_or_chunks() {
        let ok = complete(OK);
        assert_eq!((ok.status, &*ok.body, ok.keep_alive), (200, &b"body"[..], true));
        let chunked = complete(CHUNKED);
        assert_eq!(
            (chunked.status, &*chunked.body, chunked.keep_alive),
            (404, &b"abcde"[..], true)
        );
    }

    #[test]
    fn without_length_the_body_ends_with_the_connection() {
        let bytes = b"HTTP/1.1 200 OK\r\n\r\nbody";
        assert_eq!(parse(bytes, false), Ok(None));
        let response = parse(bytes, true).unwrap().unwrap();
        assert_eq!((&*response.body, response.keep_alive), (&b"body"[..], false));
    }

    #[test]
    fn the_server_may_close_after_an_answer() {
        let closing = b"HTTP/1.1 200 OK\r\nConnection: foo, Close\r\nContent-Length: 0\r\n\r\n";
        assert!(!complete(closing).keep_alive);
        assert!(!complete(b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n").keep_alive);
    }

    #[test]
    fn the_answer_behind_it_is_left_alone() {
        let two = [OK, OK].concat();
        assert_eq!(complete(&two).len, OK.len());
    }

    #[test]
    fn interim_answers_are_passed_over() {
        let bytes = [b"HTTP/1.1 100 Continue\r\n\r\n", OK].concat();
        let response = complete(&bytes);
        assert_eq!((response.status, response.len), (200, bytes.len()));
        assert_eq!(complete(b"HTTP/1.1 204 No Content\r\n\r\n").status, 204);
    }

    #[test]
    fn what_is_no_answer_is_an_error() {
        let cases: [(&[u8], ResponseError); 8] = [
            (b"SSH-2.0-x\r\n\r\n", ResponseError::Malformed),
            (b"HTTP/1.1 200 OK\r\nContent-Length: +4\r\n\r\nbody", ResponseError::Length),
            (
                b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
                ResponseError::Length,
            ),
            (
                b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
                ResponseError::Length,
            ),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 65536\r\n\r\n", ResponseError::TooLarge),
            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", ResponseError::Coding),
            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", ResponseError::Chunk),
            (
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc",
                ResponseError::Chunk,
            ),
        ];
        for (bytes, error) in cases {
            assert_eq!(parse(bytes, false), Err(error), "{}", String::from_utf8_lossy(bytes));
        }
        let huge = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffff\r\n";
        assert_eq!(parse(huge, false), Err(ResponseError::TooLarge));
        let mut endless = b"HTTP/1.1 200 OK\r\nx: ".to_vec();
        endless.resize(MAX_RESPONSE, b'a');
        assert_eq!(parse(&endless, false), Err(ResponseError::TooLarge));
    }
}
