//! Requests of senders: where one ends, for which device it is, and whether it waits.

use memchr::{memchr, memmem};

/// The most bytes of one request: the largest payload there is and a head.
const MAX_REQUEST: usize = 256 * 1024;

/// What is looked at of a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Request<'a> {
    /// The client ID as it stands in the path.
    pub(crate) client_id: &'a [u8],
    /// Whether the answer waits for the device.
    pub(crate) confirmed: bool,
    /// Bytes of the body.
    pub(crate) payload_len: usize,
    /// How many bytes the request took, body included.
    pub(crate) len: usize,
}

/// Bytes that are no such request; the connection cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

/// Reads the request at the start of `bytes`; `None` if more bytes are needed. Lines are looked at
/// only for the target and the length of the body.
///
/// # Errors
/// When it is no message to a client, has no end in sight, or is longer than there is any need for.
pub(crate) fn parse(bytes: &[u8]) -> Result<Option<Request<'_>>, Malformed> {
    let Some(first) = memchr(b'\n', bytes) else { return incomplete(bytes) };
    let (client_id, confirmed) = target(&bytes[..first]).ok_or(Malformed)?;
    let mut payload_len = 0;
    let mut at = first + 1;
    loop {
        let Some(end) = memchr(b'\n', &bytes[at..]) else { return incomplete(bytes) };
        let line = bytes[at..at + end].trim_ascii_end();
        at += end + 1;
        if line.is_empty() {
            break;
        }
        if let Some(value) = content_length(line) {
            payload_len = value?;
        }
    }
    match at + payload_len {
        len if len > MAX_REQUEST => Err(Malformed),
        len if len > bytes.len() => Ok(None),
        len => Ok(Some(Request { client_id, confirmed, payload_len, len })),
    }
}

fn incomplete(bytes: &[u8]) -> Result<Option<Request<'_>>, Malformed> {
    if bytes.len() > MAX_REQUEST { Err(Malformed) } else { Ok(None) }
}

/// Client ID and confirmation of a request line.
fn target(line: &[u8]) -> Option<(&[u8], bool)> {
    let rest = line.strip_prefix(b"POST /connections/")?;
    let (client_id, rest) = rest.split_at(memchr(b'/', rest)?);
    let query = rest.strip_prefix(b"/messages?")?;
    Some((client_id, memmem::find(query, b"confirmation=true").is_some()))
}

/// The value of a Content-Length line; `None` for any other line.
fn content_length(line: &[u8]) -> Option<Result<usize, Malformed>> {
    const NAME: &[u8] = b"content-length:";
    let (name, value) = line.split_at_checked(NAME.len())?;
    if !name.eq_ignore_ascii_case(NAME) {
        return None;
    }
    let value = std::str::from_utf8(value).ok().and_then(|text| text.trim().parse().ok());
    Some(value.filter(|length| *length <= MAX_REQUEST).ok_or(Malformed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Confirmation, Messages};

    const WHOLE: &[u8] =
        b"POST /connections/load-7/messages?topic=a&confirmation=true HTTP/1.1\r\n\
        Host: h\r\ncontent-LENGTH:  3 \r\nx: y\r\n\r\nabc";

    #[test]
    fn the_end_is_found_however_the_bytes_come() {
        for end in 0..WHOLE.len() {
            assert_eq!(parse(&WHOLE[..end]), Ok(None), "{end}");
        }
        let expected =
            Request { client_id: b"load-7", confirmed: true, payload_len: 3, len: WHOLE.len() };
        assert_eq!(parse(WHOLE), Ok(Some(expected)));
        let two = [WHOLE, WHOLE].concat();
        assert_eq!(parse(&two).unwrap().unwrap().len, WHOLE.len());
    }

    #[test]
    fn what_the_load_generator_sends_is_understood() {
        for (confirmation, confirmed) in
            [(Confirmation::None, false), (Confirmation::Within { seconds: 5 }, true)]
        {
            let topic = "load/messages".to_owned();
            let messages = Messages { topic, confirmation, payload_bytes: 256, keys: true };
            let mut request = crate::request::Request::new("h:1", &messages, None).unwrap();
            let bytes = request.for_device(12).unwrap();
            let expected =
                Request { client_id: b"load-12", confirmed, payload_len: 256, len: bytes.len() };
            assert_eq!(parse(bytes), Ok(Some(expected)));
        }
    }

    #[test]
    fn what_is_no_message_is_refused() {
        let endless = vec![b'a'; MAX_REQUEST + 1];
        for bytes in [
            b"GET /connections/a/messages? HTTP/1.1\r\n".as_slice(),
            b"POST /connections/a/other? HTTP/1.1\r\n",
            b"POST /connections/a/messages?x HTTP/1.1\r\nContent-Length: many\r\n",
            b"POST /connections/a/messages?x HTTP/1.1\r\nContent-Length: 999999999\r\n",
            &endless,
        ] {
            assert_eq!(parse(bytes), Err(Malformed), "{}", String::from_utf8_lossy(bytes));
        }
    }
}
