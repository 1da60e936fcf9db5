//! The answers to senders: fixed bytes, as long as the server's.

/// The device has acknowledged, or the message was handed to its connection.
pub(crate) const OK: &[u8] = b"HTTP/1.1 200 OK\r\n\
    content-type: application/json\r\n\
    x-amzn-requestid: 00000000-0000-4000-8000-000000000000\r\n\
    content-length: 65\r\n\
    date: Thu, 01 Jan 1970 00:00:00 GMT\r\n\r\n\
    {\"message\":\"OK\",\"traceId\":\"00000000-0000-4000-8000-000000000000\"}";

/// No such device is connected.
pub(crate) const NOT_FOUND: &[u8] = b"HTTP/1.1 404 Not Found\r\n\
    content-type: application/json\r\n\
    x-amzn-requestid: 00000000-0000-4000-8000-000000000000\r\n\
    x-amzn-errortype: ResourceNotFoundException:\r\n\
    content-length: 144\r\n\
    date: Thu, 01 Jan 1970 00:00:00 GMT\r\n\r\n\
    {\"message\":\"No client with this client ID is connected.\",\
    \"reason\":\"TARGET_CLIENT_ID_NOT_FOUND\",\
    \"traceId\":\"00000000-0000-4000-8000-000000000000\"}";

/// The device went away before its PUBACK.
pub(crate) const GONE: &[u8] = b"HTTP/1.1 504 Gateway Timeout\r\n\
    content-type: application/json\r\n\
    content-length: 34\r\n\r\n\
    {\"reason\":\"RECEIVER_DISCONNECTED\"}";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::response;

    #[test]
    fn the_answers_are_whole() {
        for (bytes, status) in [(OK, 200), (NOT_FOUND, 404), (GONE, 504)] {
            let answer = response::parse(bytes, false).unwrap().unwrap();
            assert_eq!((answer.status, answer.len), (status, bytes.len()));
            assert!(
                answer.keep_alive
                    && serde_json::from_slice::<serde_json::Value>(&answer.body).is_ok()
            );
        }
    }
}
