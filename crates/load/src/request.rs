//! The request of a sender: written once, completed for each message.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::header::{HOST, HeaderMap, HeaderValue};
use http::uri::{Authority, PathAndQuery, Scheme, Uri};
use identity::sigv4::{Credentials, SignatureError, Signer, Target};

use crate::device::push_client_id;
use crate::plan::{Confirmation, Messages, Signing};

/// The signing name that AWS SDKs put into the scope (spec 0).
const SERVICE: &str = "iotdata";

/// The header with the idempotency key.
const KEY: &str = "x-tenfour-idempotency-key";

/// Builds the requests of one sender in one buffer.
pub(crate) struct Request {
    /// The parameters, percent-encoded.
    query: String,
    /// The rest of the head that does not change, with the empty line.
    fixed_headers: String,
    payload: Bytes,
    signature: Option<Signature>,
    keys: Option<Keys>,
    path: String,
    bytes: Vec<u8>,
}

/// Scheme and authority of the server, for HTTP/2.
#[derive(Clone)]
pub(crate) struct Origin {
    scheme: Scheme,
    authority: Authority,
}

/// Keys that nobody else has, nor a later run.
struct Keys {
    prefix: String,
    count: u64,
    key: String,
}

impl Keys {
    fn new() -> Self {
        static SENDERS: AtomicU64 = AtomicU64::new(0);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let sender = SENDERS.fetch_add(1, Ordering::Relaxed);
        let prefix = format!("{:x}-{}-{sender}-", now.as_nanos(), std::process::id());
        Self { prefix, count: 0, key: String::new() }
    }

    fn next(&mut self) -> &str {
        self.count += 1;
        self.key.clear();
        // Writing to a string does not fail.
        let _ = write!(self.key, "{}{}", self.prefix, self.count);
        &self.key
    }
}

struct Signature {
    signer: Signer,
    headers: HeaderMap,
}

impl Request {
    /// For a sender that talks to `host`.
    ///
    /// # Errors
    /// Credentials or a host that cannot be sent in a header.
    pub(crate) fn new(
        host: &str,
        messages: &Messages,
        signing: Option<&Signing>,
    ) -> Result<Self, SignatureError> {
        let topic = percent_encoded(&messages.topic);
        let query = match messages.confirmation {
            Confirmation::Within { seconds } => {
                format!("topic={topic}&confirmation=true&timeout={seconds}")
            }
            Confirmation::None => format!("topic={topic}&confirmation=false"),
        };
        let length = messages.payload_bytes;
        Ok(Self {
            query,
            fixed_headers: format!("Host: {host}\r\nContent-Length: {length}\r\n\r\n"),
            payload: (b'a'..=b'z').cycle().take(length).collect(),
            signature: signing.map(|signing| Signature::new(host, signing)).transpose()?,
            keys: messages.keys.then(Keys::new),
            path: String::new(),
            bytes: Vec::with_capacity(1024 + length),
        })
    }

    /// The bytes of a message to device `device`, signed now where signatures are asked for.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub(crate) fn for_device(&mut self, device: u32) -> Result<&[u8], SignatureError> {
        self.address(device);
        self.bytes.clear();
        let bytes = &mut self.bytes;
        for part in ["POST ", &self.path, "?", &self.query, " HTTP/1.1\r\n"] {
            bytes.extend_from_slice(part.as_bytes());
        }
        if let Some(signature) = &mut self.signature {
            let target = Target { method: "POST", path: &self.path, query: &self.query };
            signature.sign(target, &self.payload, bytes)?;
        }
        if let Some(keys) = &mut self.keys {
            for part in [KEY, ": ", keys.next(), "\r\n"] {
                bytes.extend_from_slice(part.as_bytes());
            }
        }
        bytes.extend_from_slice(self.fixed_headers.as_bytes());
        bytes.extend_from_slice(&self.payload);
        Ok(bytes)
    }

    /// The same message for HTTP/2 with the server at `origin`: its head and its payload.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub(crate) fn head_for_device(
        &mut self,
        device: u32,
        origin: &Origin,
    ) -> Result<(http::Request<()>, Bytes), SignatureError> {
        self.address(device);
        let path = PathAndQuery::try_from(format!("{}?{}", self.path, self.query))
            .expect("numbers and percent-encoded text");
        let uri = Uri::builder()
            .scheme(origin.scheme.clone())
            .authority(origin.authority.clone())
            .path_and_query(path)
            .build()
            .expect("all parts are there");
        let mut head = http::Request::new(());
        *head.method_mut() = http::Method::POST;
        *head.uri_mut() = uri;
        if let Some(signature) = &mut self.signature {
            let target = Target { method: "POST", path: &self.path, query: &self.query };
            signature.renew(target, &self.payload)?;
            // The host is part of the signature, and HTTP/2 has it in the URI.
            *head.headers_mut() = signature.headers.clone();
            head.headers_mut().remove(HOST);
        }
        if let Some(keys) = &mut self.keys {
            let key = HeaderValue::from_str(keys.next()).expect("digits");
            head.headers_mut().insert(KEY, key);
        }
        Ok((head, self.payload.clone()))
    }

    fn address(&mut self, device: u32) {
        self.path.clear();
        self.path.push_str("/connections/");
        push_client_id(&mut self.path, device);
        self.path.push_str("/messages");
    }
}

impl Origin {
    /// With the authority `host`.
    ///
    /// # Errors
    /// When that is none.
    pub(crate) fn new(scheme: Scheme, host: &str) -> Result<Self, http::uri::InvalidUri> {
        Ok(Self { scheme, authority: Authority::try_from(host)? })
    }
}

impl Signature {
    fn new(host: &str, signing: &Signing) -> Result<Self, SignatureError> {
        let credentials = Credentials {
            access_key_id: &signing.access_key_id,
            secret_access_key: &signing.secret_access_key,
            session_token: None,
        };
        let signer = Signer::new(credentials, &signing.region, SERVICE)?;
        let host = HeaderValue::from_str(host).map_err(|_| SignatureError::Malformed {
            member: "host",
            expected: "printable ASCII",
        })?;
        Ok(Self { signer, headers: HeaderMap::from_iter([(HOST, host)]) })
    }

    /// Signs anew; the headers then say so.
    fn renew(&mut self, target: Target<'_>, payload: &[u8]) -> Result<(), SignatureError> {
        self.signer.sign_headers(target, &mut self.headers, payload, unix_now())
    }

    /// Appends the headers of a signature to `out`.
    fn sign(
        &mut self,
        target: Target<'_>,
        payload: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), SignatureError> {
        self.renew(target, payload)?;
        let own = self.headers.iter().filter(|(name, _)| **name != HOST);
        for (name, value) in own {
            out.extend_from_slice(name.as_str().as_bytes());
            out.extend_from_slice(b": ");
            out.extend_from_slice(value.as_bytes());
            out.extend_from_slice(b"\r\n");
        }
        Ok(())
    }
}

/// Seconds since 1970, which is what a signature is dated with.
fn unix_now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// The text with everything but the unreserved characters of RFC 3986, section 2.3, escaped.
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02X}").expect("a String takes everything");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderName;
    use identity::sigv4::{Payload, RequestParts, Rules, Secret, SigningKeys, claim, verify};
    use std::collections::BTreeSet;

    fn messages(confirmation: Confirmation) -> Messages {
        Messages { topic: "load/a b".to_owned(), confirmation, payload_bytes: 3, keys: false }
    }

    fn signing() -> Signing {
        Signing {
            access_key_id: "AK".to_owned(),
            secret_access_key: "secret".to_owned(),
            region: "us-west-2".to_owned(),
        }
    }

    fn assert_signed(parts: &RequestParts<'_>, payload: &[u8]) {
        let claim = claim(parts).unwrap().unwrap();
        assert_eq!(claim.access_key_id(), "AK");
        let rules = Rules {
            region: "us-west-2",
            services: &[SERVICE],
            now: unix_now(),
            secure: false,
            max_skew_seconds: 300,
        };
        let secret = Secret { secret_access_key: "secret", session_token: None };
        let payload = Payload::Bytes(payload);
        verify(&claim, parts, payload, &secret, &rules, &SigningKeys::default()).unwrap();
    }

    #[test]
    fn a_signed_request_of_http2_proves_it_with_the_authority_as_host() {
        let origin = Origin::new(Scheme::HTTP, "h:1").unwrap();
        let mut request =
            Request::new("h:1", &messages(Confirmation::None), Some(&signing())).unwrap();
        for device in 0..2 {
            let (head, payload) = request.head_for_device(device, &origin).unwrap();
            let mut headers = head.headers().clone();
            assert!(!headers.contains_key(HOST));
            let authority = head.uri().authority().unwrap().as_str();
            headers.insert(HOST, HeaderValue::from_str(authority).unwrap());
            let (path, query) = (head.uri().path(), head.uri().query().unwrap());
            assert_signed(
                &RequestParts { method: "POST", path, query, headers: &headers },
                &payload,
            );
        }
    }

    #[test]
    fn a_signed_request_proves_who_sent_it() {
        let mut request =
            Request::new("h:1", &messages(Confirmation::None), Some(&signing())).unwrap();
        // Twice, because a sender signs again and again.
        for device in 0..2 {
            let bytes = request.for_device(device).unwrap();
            let mut headers = [httparse::EMPTY_HEADER; 16];
            let mut parsed = httparse::Request::new(&mut headers);
            let head = parsed.parse(bytes).unwrap().unwrap();
            let (path, query) = parsed.path.unwrap().split_once('?').unwrap();
            let headers: HeaderMap = parsed
                .headers
                .iter()
                .map(|header| {
                    let value = HeaderValue::from_bytes(header.value).unwrap();
                    (header.name.parse::<HeaderName>().unwrap(), value)
                })
                .collect();
            let parts = RequestParts { method: "POST", path, query, headers: &headers };
            assert_signed(&parts, &bytes[head..]);
        }
    }

    #[test]
    fn a_request_names_the_device_and_what_is_wanted() {
        let confirmed = messages(Confirmation::Within { seconds: 7 });
        let mut request = Request::new("h:1", &confirmed, None).unwrap();
        let first = request.for_device(0).unwrap().to_vec();
        let expected = "POST /connections/load-0/messages?topic=load%2Fa%20b&confirmation=true\
            &timeout=7 HTTP/1.1\r\nHost: h:1\r\nContent-Length: 3\r\n\r\nabc";
        assert_eq!(String::from_utf8(first).unwrap(), expected);
        let second = String::from_utf8(request.for_device(12).unwrap().to_vec()).unwrap();
        assert_eq!(second, expected.replace("load-0", "load-12"));
        let mut request = Request::new("h:1", &messages(Confirmation::None), None).unwrap();
        let unconfirmed = String::from_utf8(request.for_device(0).unwrap().to_vec()).unwrap();
        assert!(unconfirmed.contains("&confirmation=false HTTP/1.1"));
    }

    #[test]
    fn every_message_has_a_key_of_its_own() {
        let origin = Origin::new(Scheme::HTTP, "h:1").unwrap();
        let messages = Messages { keys: true, ..messages(Confirmation::None) };
        let mut keys = BTreeSet::new();
        for _ in 0..2 {
            let mut request = Request::new("h:1", &messages, None).unwrap();
            let bytes = String::from_utf8(request.for_device(0).unwrap().to_vec()).unwrap();
            let line =
                bytes.lines().find_map(|line| line.strip_prefix("x-tenfour-idempotency-key: "));
            keys.insert(line.unwrap().to_owned());
            let (head, _) = request.head_for_device(0, &origin).unwrap();
            keys.insert(head.headers()[KEY].to_str().unwrap().to_owned());
        }
        assert_eq!(keys.len(), 4);
    }
}
