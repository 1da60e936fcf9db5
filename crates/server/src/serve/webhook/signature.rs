//! Signatures of the Standard Webhooks scheme, which receivers check with its libraries.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{CONTENT_TYPE, HeaderName, USER_AGENT};
use http::{HeaderMap, HeaderValue};

const ID: HeaderName = HeaderName::from_static("webhook-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");
const AGENT: &str = concat!("tenfour/", env!("CARGO_PKG_VERSION"));

/// Signs with one key.
pub(super) struct Signer(hmac::Key);

impl Signer {
    pub(super) fn new(secret: &[u8]) -> Self {
        Signer(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    /// The headers of a post at that time, in seconds since 1970. `id` is visible ASCII.
    pub(super) fn headers(&self, id: &str, timestamp: u64, body: &[u8]) -> HeaderMap {
        let mut headers = HeaderMap::with_capacity(5);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        headers.insert(TIMESTAMP, timestamp.into());
        let signature = self.signature(id, timestamp, body);
        for (name, value) in [(ID, id), (SIGNATURE, &signature)] {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(name, value);
            }
        }
        headers
    }

    fn signature(&self, id: &str, timestamp: u64, body: &[u8]) -> String {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(format!("{id}.{timestamp}.").as_bytes());
        context.update(body);
        format!("v1,{}", STANDARD.encode(context.sign()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By `hmac.new` of Python's standard library.
    #[test]
    fn a_signature_is_that_of_another_implementation() {
        let signer = Signer::new(&[7; 24]);
        let headers = signer.headers("msg_1", 1_764_150_000, br#"{"status":"sent"}"#);
        assert_eq!(headers[SIGNATURE], "v1,+jC2zKXf/jgb+UrLUVH4bt+FyLmkQDcPYnqq2VbJhOE=");
        assert_eq!(headers[ID], "msg_1");
        assert_eq!(headers[TIMESTAMP], "1764150000");
    }
}
