//! What the server answered (spec 1.3 and 1.4).

use std::time::Duration;

use http::HeaderMap;
use http::response::Parts;
use serde_json::Value;

/// The server's answer. What is `None` was not in it, as may be when something that is not an AWS
/// IoT data plane answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// `OK`, or a sentence that says what is wrong; the body's beginning if it is not JSON.
    pub message: Option<String>,
    /// The identifier under which the log has this send.
    pub trace_id: Option<String>,
    /// The reason code of an error, as in the log.
    pub reason: Option<String>,
    /// The name of the error, such as `ResourceNotFoundException`.
    pub error_type: Option<String>,
    /// After what time a throttled send may be repeated.
    pub retry_after: Option<Duration>,
    /// From writing the request to the last byte of the answer.
    pub elapsed: Duration,
    /// The time it took to connect, if this send did; not part of `elapsed`.
    pub connected_in: Option<Duration>,
}

impl Answer {
    /// At most this much of a body that is not JSON is shown.
    const EXCERPT_BYTES: usize = 200;

    /// Whether the message was delivered: status 200.
    pub fn is_ok(&self) -> bool {
        self.status == 200
    }

    pub(super) fn read(parts: &Parts, body: &[u8]) -> Self {
        let header = |name| text_of(&parts.headers, name);
        let error_type = header("x-amzn-errortype");
        let retry_after = header("retry-after").and_then(|seconds| seconds.parse().ok());
        let json: Result<Value, _> = serde_json::from_slice(body);
        let member = |name| Some(json.as_ref().ok()?.get(name)?.as_str()?.to_owned());
        let excerpt = || {
            let text = String::from_utf8_lossy(body);
            let text = &text[..text.floor_char_boundary(Self::EXCERPT_BYTES)];
            (json.is_err() && !text.is_empty()).then(|| text.to_owned())
        };
        Self {
            status: parts.status.as_u16(),
            message: member("message").or_else(excerpt),
            trace_id: member("traceId").or_else(|| header("x-amzn-requestid")),
            reason: member("reason"),
            // The name ends in a colon on the wire.
            error_type: error_type.map(|name| name.split(':').next().unwrap_or("").to_owned()),
            retry_after: retry_after.map(Duration::from_secs),
            elapsed: Duration::ZERO,
            connected_in: None,
        }
    }

    pub(super) fn timed(self, elapsed: Duration, connected_in: Option<Duration>) -> Self {
        Self { elapsed, connected_in, ..self }
    }
}

fn text_of(headers: &HeaderMap, name: &str) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(headers: &[(&str, &str)], body: &str) -> Answer {
        let mut response = http::Response::builder().status(404);
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        let (parts, ()) = response.body(()).unwrap().into_parts();
        Answer::read(&parts, body.as_bytes())
    }

    #[test]
    fn an_error_is_read_from_headers_and_body() {
        let answer = read(
            &[
                ("x-amzn-ErrorType", "ResourceNotFoundException:"),
                ("x-amzn-RequestId", "header"),
                ("Retry-After", "3"),
            ],
            r#"{"message":"no such client","traceId":"body","reason":"TARGET_CLIENT_ID_NOT_FOUND"}"#,
        );
        assert_eq!(answer.error_type.as_deref(), Some("ResourceNotFoundException"));
        assert_eq!(answer.message.as_deref(), Some("no such client"));
        assert_eq!(answer.trace_id.as_deref(), Some("body"));
        assert_eq!(answer.reason.as_deref(), Some("TARGET_CLIENT_ID_NOT_FOUND"));
        assert_eq!(answer.retry_after, Some(Duration::from_secs(3)));
        assert!(!answer.is_ok());
    }

    #[test]
    fn the_trace_is_in_the_header_too_and_a_null_message_is_none() {
        let answer = read(&[("x-amzn-RequestId", "header")], r#"{"message":null}"#);
        assert_eq!((answer.message, answer.trace_id.as_deref()), (None, Some("header")));
    }

    #[test]
    fn a_body_that_is_not_json_is_shown_as_it_is_and_cut() {
        let answer = read(&[("Retry-After", "soon")], &"é".repeat(150));
        assert_eq!(answer.message, Some("é".repeat(100)));
        assert_eq!(answer.retry_after, None);
        assert_eq!(read(&[], "").message, None);
    }
}
