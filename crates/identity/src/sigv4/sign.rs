//! Signing requests, for our own command line and load generator.

use std::fmt;

use aws_lc_rs::hmac;
use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};

use super::canonical::{Canonicalizer, Coverage, EMPTY_SHA256, Uncovered, push_encoded, sha256};
use super::keys::derive;
use super::{
    ALGORITHM, RequestParts, Scope, SignatureError, TERMINATOR, Timestamp, X_AMZ_CONTENT_SHA256,
    X_AMZ_DATE, X_AMZ_SECURITY_TOKEN,
};
use crate::hex::Hex32;

/// Whose signature it shall be.
#[derive(Clone, Copy)]
pub struct Credentials<'a> {
    /// The access key id, which everybody may see.
    pub access_key_id: &'a str,
    /// The secret access key.
    pub secret_access_key: &'a str,
    /// The session token, for temporary credentials only.
    pub session_token: Option<&'a str>,
}

impl fmt::Debug for Credentials<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("access_key_id", &self.access_key_id)
            .finish_non_exhaustive()
    }
}

/// What is asked for, as it will be on the wire.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The method, in upper case.
    pub method: &'a str,
    /// The raw path, percent-encoded.
    pub path: &'a str,
    /// The raw query without its `?`, percent-encoded; empty if there is none.
    pub query: &'a str,
}

/// Where a presigned URL carries its session token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenPlacement {
    /// After the signature and not covered by it: what AWS documents for `/mqtt` (spec 3.2).
    Appended,
    /// Among the signed parameters, as for most other services.
    Signed,
}

/// What a presigned URL shall be good for.
#[derive(Clone, Copy, Debug)]
pub struct Presign<'a> {
    /// What is asked for. The query may hold parameters of its own, but none of a signature.
    pub target: Target<'a>,
    /// The `Host` the client will send, with its port unless that is the scheme's default.
    pub host: &'a str,
    /// For how many seconds, 1 to 604800; without it the server decides.
    pub expires_seconds: Option<u32>,
    /// Where the session token goes, if there is one.
    pub token: TokenPlacement,
}

/// Signs requests of one caller to one service. It keeps the derived key for the day and its
/// buffers, so give each thread its own.
pub struct Signer {
    access_key_id: Box<str>,
    secret_access_key: Box<str>,
    session_token: Option<SessionToken>,
    region: Box<str>,
    service: Box<str>,
    day: Option<Day>,
    canonicalizer: Canonicalizer,
}

/// A session token as text for the query and as a value for the header.
struct SessionToken {
    text: Box<str>,
    header: HeaderValue,
}

/// What stays the same for all requests signed on one day.
struct Day {
    /// `<access key id>/20150830/us-east-1/iotdata/aws4_request`.
    credential: String,
    /// Where in `credential` the scope begins.
    scope_start: usize,
    key: hmac::Key,
}

impl Day {
    fn scope(&self) -> &str {
        &self.credential[self.scope_start..]
    }
}

impl Signer {
    /// A signer for `region` and the signing name `service`, for example `iotdata`.
    ///
    /// # Errors
    /// A session token that cannot be sent in a header.
    pub fn new(
        credentials: Credentials<'_>,
        region: &str,
        service: &str,
    ) -> Result<Self, SignatureError> {
        let session_token = credentials.session_token.map(SessionToken::new).transpose()?;
        Ok(Self {
            access_key_id: credentials.access_key_id.into(),
            secret_access_key: credentials.secret_access_key.into(),
            session_token,
            region: region.into(),
            service: service.into(),
            day: None,
            canonicalizer: Canonicalizer::new(),
        })
    }

    /// Adds `x-amz-date`, `x-amz-security-token` where there is a token, and `authorization` to
    /// `headers`, replacing earlier ones. Signed are `host`, which must be there already, and all
    /// `x-amz-*` headers. If one of them is `x-amz-content-sha256` it is taken at its word.
    ///
    /// # Errors
    /// No `host` header, a query with broken percent-encoding, an access key id or region that
    /// cannot be sent in a header.
    pub fn sign_headers(
        &mut self,
        target: Target<'_>,
        headers: &mut HeaderMap,
        body: &[u8],
        now: i64,
    ) -> Result<(), SignatureError> {
        let signed_at = Timestamp::from_unix(now);
        let date = HeaderValue::from_str(signed_at.as_str()).expect("digits, T and Z");
        headers.insert(&X_AMZ_DATE, date);
        if let Some(token) = &self.session_token {
            headers.insert(&X_AMZ_SECURITY_TOKEN, token.header.clone());
        }
        let signed_headers = headers_to_sign(headers);
        let body_hash: Hex32;
        let payload_hash = match headers.get(&X_AMZ_CONTENT_SHA256).map(HeaderValue::to_str) {
            Some(Ok(stated)) => stated.as_bytes(),
            Some(Err(_)) | None => {
                body_hash = sha256(body);
                body_hash.as_bytes()
            }
        };
        let coverage = Coverage {
            signed_headers: &signed_headers,
            uncovered: Uncovered::Nothing,
            payload_hash,
        };
        let Target { method, path, query } = target;
        let request = RequestParts { method, path, query, headers };
        let signature = self.signature(&request, coverage, signed_at)?;
        let value = format!(
            "{ALGORITHM} Credential={}, SignedHeaders={signed_headers}, Signature={}",
            self.day(signed_at).credential,
            signature.as_str()
        );
        let value = HeaderValue::try_from(value).map_err(|_| SignatureError::Malformed {
            member: "Credential",
            expected: "printable ASCII",
        })?;
        headers.insert(AUTHORIZATION, value);
        Ok(())
    }

    /// The whole query of a presigned URL, without its `?`. Only `host` is signed, and no body.
    ///
    /// # Errors
    /// A host that cannot be sent in a header, a query with broken percent-encoding.
    pub fn presign_query(
        &mut self,
        request: &Presign<'_>,
        now: i64,
    ) -> Result<String, SignatureError> {
        let signed_at = Timestamp::from_unix(now);
        let mut query = String::with_capacity(512);
        query.push_str(request.target.query);
        put_parameter(&mut query, "X-Amz-Algorithm", ALGORITHM);
        put_parameter(&mut query, "X-Amz-Credential", &self.day(signed_at).credential);
        put_parameter(&mut query, "X-Amz-Date", signed_at.as_str());
        if let Some(seconds) = request.expires_seconds {
            put_parameter(&mut query, "X-Amz-Expires", &seconds.to_string());
        }
        put_parameter(&mut query, "X-Amz-SignedHeaders", "host");
        if request.token == TokenPlacement::Signed {
            self.put_token(&mut query);
        }
        let host = HeaderValue::from_str(request.host).map_err(|_| SignatureError::Malformed {
            member: "host",
            expected: "printable ASCII",
        })?;
        let headers = HeaderMap::from_iter([(http::header::HOST, host)]);
        let Target { method, path, .. } = request.target;
        let parts = RequestParts { method, path, query: &query, headers: &headers };
        let coverage = Coverage {
            signed_headers: "host",
            uncovered: Uncovered::Nothing,
            payload_hash: EMPTY_SHA256.as_bytes(),
        };
        let signature = self.signature(&parts, coverage, signed_at)?;
        put_parameter(&mut query, "X-Amz-Signature", signature.as_str());
        if request.token == TokenPlacement::Appended {
            self.put_token(&mut query);
        }
        Ok(query)
    }

    fn put_token(&self, query: &mut String) {
        if let Some(token) = &self.session_token {
            put_parameter(query, "X-Amz-Security-Token", &token.text);
        }
    }

    fn signature(
        &mut self,
        request: &RequestParts<'_>,
        coverage: Coverage<'_>,
        signed_at: Timestamp,
    ) -> Result<Hex32, SignatureError> {
        let request_hash = self.canonicalizer.hash(request, coverage)?;
        self.day(signed_at);
        let day = self.day.as_ref().expect("just derived");
        let text = self.canonicalizer.string_to_sign(signed_at, day.scope(), &request_hash);
        Ok(Hex32::of(hmac::sign(&day.key, text).as_ref()))
    }

    /// The key and scope for the day of signing, derived anew when the day has changed.
    fn day(&mut self, signed_at: Timestamp) -> &Day {
        let date = signed_at.date();
        let day = self.day.take().filter(|day| day.scope().starts_with(date));
        self.day.insert(day.unwrap_or_else(|| {
            let Self { access_key_id, region, service, .. } = &*self;
            Day {
                credential: format!("{access_key_id}/{date}/{region}/{service}/{TERMINATOR}"),
                scope_start: access_key_id.len() + 1,
                key: derive(&self.secret_access_key, Scope { date, region, service }),
            }
        }))
    }
}

impl SessionToken {
    fn new(text: &str) -> Result<Self, SignatureError> {
        let malformed = || SignatureError::Malformed {
            member: "x-amz-security-token",
            expected: "printable ASCII",
        };
        // White space around a header's value is lost on the way, and the signature with it.
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(malformed());
        }
        let mut header = HeaderValue::from_str(text).map_err(|_| malformed())?;
        header.set_sensitive(true);
        Ok(Self { text: text.into(), header })
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer")
            .field("access_key_id", &self.access_key_id)
            .field("region", &self.region)
            .field("service", &self.service)
            .finish_non_exhaustive()
    }
}

/// `host` and every `x-amz-*` header, in the form SignedHeaders wants. `host` is listed even if
/// it is absent, so that signing without it fails.
fn headers_to_sign(headers: &HeaderMap) -> String {
    let is_amz = |name: &&str| name.starts_with("x-amz-");
    let mut names: Vec<&str> = headers.keys().map(HeaderName::as_str).filter(is_amz).collect();
    names.push("host");
    names.sort_unstable();
    names.join(";")
}

/// Appends a parameter, its value percent-encoded.
fn put_parameter(query: &mut String, name: &str, value: &str) {
    if !query.is_empty() {
        query.push('&');
    }
    query.push_str(name);
    query.push('=');
    push_encoded(query, value);
}
