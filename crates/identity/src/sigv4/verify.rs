//! Proving a claim.

use std::cell::RefCell;
use std::fmt;

use aws_lc_rs::{constant_time, hmac};

use super::canonical::{Canonicalizer, Coverage, EMPTY_SHA256, Uncovered, sha256};
use super::pieces::pieces;
use super::{
    Claim, Excerpt, Headers, Placement, RequestParts, SignatureError, SigningKeys, Timestamp,
    X_AMZ_CONTENT_SHA256, X_AMZ_DATE,
};
use crate::hex::Hex32;

/// The value of x-amz-content-sha256 that leaves the body out of the signature.
const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";

/// The body that came with a request.
#[derive(Clone, Copy, Debug)]
pub enum Payload<'a> {
    /// All of the body.
    Bytes(&'a [u8]),
    /// No body, as with a WebSocket upgrade.
    Empty,
}

impl Payload<'_> {
    fn len(self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Empty => 0,
        }
    }

    fn sha256(self) -> PayloadHash<'static> {
        match self {
            Self::Bytes([]) | Self::Empty => PayloadHash::Text(EMPTY_SHA256),
            Self::Bytes(bytes) => PayloadHash::Computed(sha256(bytes)),
        }
    }
}

/// The last line of a canonical request.
enum PayloadHash<'a> {
    Text(&'a str),
    Computed(Hex32),
}

impl PayloadHash<'_> {
    fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Computed(hash) => hash.as_bytes(),
        }
    }
}

/// What belongs to an access key id, looked up by the server.
#[derive(Clone, Copy)]
pub struct Secret<'a> {
    /// The secret access key.
    pub secret_access_key: &'a str,
    /// The session token, for temporary credentials only.
    pub session_token: Option<&'a str>,
}

impl fmt::Debug for Secret<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(hidden)")
    }
}

/// What this endpoint demands of a signature.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// The region of this endpoint.
    pub region: &'a str,
    /// The signing names this endpoint answers to: `iotdata` and `iotdevicegateway` (spec 3.1).
    pub services: &'a [&'a str],
    /// The time, in seconds since 1970.
    pub now: i64,
    /// Whether the request came over TLS, which is when a body may stay unsigned.
    pub secure: bool,
    /// How far the time of signing may be from `now`: 300 (spec 12.10).
    pub max_skew_seconds: i64,
}

/// Proves a claim: that whoever sent this request, with this body, has the secret.
///
/// The signed headers must include `host`, the header that gave the time, and where present
/// `x-amz-date`, `x-amz-security-token`, `x-amzn-principal` and every `x-amz-mqtt5-*`, because these
/// change what the request means. Other `x-amz-*` headers may stay unsigned: proxies add some on the way.
///
/// # Errors
/// Everything [`SignatureError`] lists, the cheap and telling checks first. A signature that does
/// not match is compared in constant time.
pub fn verify<H: Headers>(
    claim: &Claim<'_>,
    parts: &RequestParts<'_, H>,
    payload: Payload<'_>,
    secret: &Secret<'_>,
    rules: &Rules<'_>,
    keys: &SigningKeys,
) -> Result<(), SignatureError> {
    check_scope(claim, rules)?;
    check_time(claim, rules)?;
    check_signed_headers(claim, parts.headers)?;
    check_session_token(claim, secret)?;
    let payload_hash = payload_hash(claim, parts.headers, payload, rules.secure)?;
    let key = keys.get(claim.credential(), secret.secret_access_key, claim.scope());
    thread_local! {
        static CANONICALIZER: RefCell<Canonicalizer> = const { RefCell::new(Canonicalizer::new()) };
    }
    CANONICALIZER.with_borrow_mut(|canonicalizer| {
        let attempt = Attempt { claim, parts, payload_hash: payload_hash.as_bytes(), key: &key };
        let outcome = attempt.placed(canonicalizer);
        canonicalizer.shrink();
        outcome
    })
}

/// What a signature is made of again.
struct Attempt<'a, H> {
    claim: &'a Claim<'a>,
    parts: &'a RequestParts<'a, H>,
    payload_hash: &'a [u8],
    key: &'a hmac::Key,
}

impl<H: Headers> Attempt<'_, H> {
    /// Makes the signature in each way that is right where it was found.
    fn placed(&self, canonicalizer: &mut Canonicalizer) -> Result<(), SignatureError> {
        let mismatch = match self.claim.placement() {
            Placement::Header => self.once(Uncovered::Nothing, canonicalizer)?,
            // The documented way first; some presigners sign the token as well (spec 3.2).
            Placement::Query => match self.once(Uncovered::SignatureAndToken, canonicalizer)? {
                Err(_) if self.claim.session_token().is_some() => {
                    self.once(Uncovered::Signature, canonicalizer)?
                }
                outcome => outcome,
            },
        };
        mismatch.map_err(|hash| SignatureError::Mismatch {
            canonical_request_sha256: hash.as_str().into(),
        })
    }

    /// Whether this is the signature that came; if not, the hash of the canonical request.
    fn once(
        &self,
        uncovered: Uncovered,
        canonicalizer: &mut Canonicalizer,
    ) -> Result<Result<(), Hex32>, SignatureError> {
        let Self { claim, parts, payload_hash, key } = *self;
        let signed_headers = claim.signed_headers();
        let request_hash =
            canonicalizer.hash(parts, Coverage { signed_headers, uncovered, payload_hash })?;
        let (signed_at, scope) = (claim.signed_at(), claim.scope_text());
        let tag = hmac::sign(key, canonicalizer.string_to_sign(signed_at, scope, &request_hash));
        let equal = constant_time::verify_slices_are_equal(tag.as_ref(), claim.signature());
        Ok(equal.map_err(|_| request_hash))
    }
}

fn check_scope(claim: &Claim<'_>, rules: &Rules<'_>) -> Result<(), SignatureError> {
    let scope = claim.scope();
    if scope.date != claim.signed_at().date() {
        let signed_at = claim.signed_at();
        return Err(SignatureError::ScopeDate { found: Excerpt::of(scope.date), signed_at });
    }
    if scope.region != rules.region {
        return Err(SignatureError::ScopeRegion {
            found: Excerpt::of(scope.region),
            expected: rules.region.into(),
        });
    }
    if !rules.services.contains(&scope.service) {
        return Err(SignatureError::ScopeService {
            found: Excerpt::of(scope.service),
            expected: rules.services.join(" or ").into(),
        });
    }
    Ok(())
}

fn check_time(claim: &Claim<'_>, rules: &Rules<'_>) -> Result<(), SignatureError> {
    let signed_at = claim.signed_at();
    let age = rules.now.saturating_sub(signed_at.unix());
    let limit_seconds = rules.max_skew_seconds;
    // Its spelling is needed for a refusal only.
    let now = || Timestamp::from_unix(rules.now);
    let too_old = claim.lifetime_seconds().is_none() && age > limit_seconds;
    if too_old || age < -limit_seconds {
        return Err(SignatureError::ClockSkew { signed_at, now: now(), limit_seconds });
    }
    match claim.lifetime_seconds() {
        Some(lifetime_seconds) if age >= i64::from(lifetime_seconds) => {
            Err(SignatureError::Expired { signed_at, lifetime_seconds, now: now() })
        }
        Some(_) | None => Ok(()),
    }
}

fn check_signed_headers<H: Headers>(claim: &Claim<'_>, headers: &H) -> Result<(), SignatureError> {
    let not_signed = |name| Err(SignatureError::HeaderNotSigned { name: Excerpt::of(name) });
    if !is_signed(claim, "host") {
        return not_signed("host");
    }
    let has_amz_date = headers.all(X_AMZ_DATE.as_str()).next().is_some();
    if claim.placement() == Placement::Header && !has_amz_date && !is_signed(claim, "date") {
        return not_signed("date");
    }
    for name in headers.names() {
        let Some(rest) = without_prefix(name, "x-amz") else { continue };
        let matters = rest.eq_ignore_ascii_case("-date")
            || rest.eq_ignore_ascii_case("-security-token")
            || rest.eq_ignore_ascii_case("n-principal")
            || without_prefix(rest, "-mqtt5-").is_some();
        if matters && !is_signed(claim, name) {
            return not_signed(name);
        }
    }
    Ok(())
}

/// What follows `prefix`, in any case, in a header's name.
fn without_prefix<'n>(name: &'n str, prefix: &str) -> Option<&'n str> {
    let (start, rest) = name.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// Whether the header is signed; its name may be in any case.
fn is_signed(claim: &Claim<'_>, name: &str) -> bool {
    pieces(claim.signed_headers(), b';').any(|signed| signed.eq_ignore_ascii_case(name))
}

fn check_session_token(claim: &Claim<'_>, secret: &Secret<'_>) -> Result<(), SignatureError> {
    match (claim.session_token(), secret.session_token) {
        (None, None) => Ok(()),
        (Some(_), None) => Err(SignatureError::SessionTokenUnexpected),
        (None, Some(_)) => Err(SignatureError::SessionTokenMissing),
        (Some(came), Some(right)) => {
            constant_time::verify_slices_are_equal(came.as_bytes(), right.as_bytes())
                .map_err(|_| SignatureError::SessionTokenWrong)
        }
    }
}

/// The hash that was signed for the body: its real one, unless a signed x-amz-content-sha256
/// says that the body is not covered.
fn payload_hash<H: Headers>(
    claim: &Claim<'_>,
    headers: &H,
    payload: Payload<'_>,
    secure: bool,
) -> Result<PayloadHash<'static>, SignatureError> {
    let signed = is_signed(claim, X_AMZ_CONTENT_SHA256.as_str());
    let header = if signed { headers.all(X_AMZ_CONTENT_SHA256.as_str()).next() } else { None };
    let hash = match header {
        None => return Ok(payload.sha256()),
        Some(value) if value == UNSIGNED_PAYLOAD.as_bytes() && secure => {
            return Ok(PayloadHash::Text(UNSIGNED_PAYLOAD));
        }
        Some(value) if value == UNSIGNED_PAYLOAD.as_bytes() => {
            return Err(SignatureError::UnsignedPayloadOverPlaintext);
        }
        Some(value) => value,
    };
    let real = payload.sha256();
    if hash == real.as_bytes() {
        Ok(real)
    } else {
        Err(SignatureError::ContentHashMismatch { body_bytes: payload.len() })
    }
}
