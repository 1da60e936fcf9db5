//! AWS Signature Version 4, as the AWS IoT data plane uses it (spec 3.1 and 3.2).
//!
//! A request is judged in two steps, because the secret lives elsewhere: [`claim`] reads who the
//! caller says it is, the server looks that access key up, and [`verify`] proves the claim.
//! [`Signer`] is the other side, for our own command line and load generator, and shares every
//! line of canonicalisation with the verifier.
//!
//! Two properties of the scheme matter to whoever routes the request:
//!
//! * The canonical path is normalised (dot segments and repeated slashes go away) as for every
//!   service but S3, so `/topics/a//b` and `/topics/a/b` have the same signature.
//! * A `+` in the query is a plus sign, never a space.

mod canonical;
mod claim;
mod error;
mod headers;
mod keys;
mod pieces;
mod presigned;
mod sign;
mod timestamp;
mod verify;

use http::header::HeaderName;

pub use claim::{Claim, Placement, Scope, claim};
pub use error::{Excerpt, SignatureError};
pub use headers::{Field, Fields, Headers};
pub use keys::SigningKeys;
pub use sign::{Credentials, Presign, Signer, Target, TokenPlacement};
pub use timestamp::Timestamp;
pub use verify::{Payload, Rules, Secret, verify};

static X_AMZ_CONTENT_SHA256: HeaderName = HeaderName::from_static("x-amz-content-sha256");
static X_AMZ_DATE: HeaderName = HeaderName::from_static("x-amz-date");
static X_AMZ_SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");

/// The one algorithm AWS IoT accepts.
const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// The fixed last part of a credential scope.
const TERMINATOR: &str = "aws4_request";

/// The parts of a request that a signature covers, besides the body.
#[derive(Clone, Copy, Debug)]
pub struct RequestParts<'a, H = http::HeaderMap> {
    /// The method, in upper case as on the wire.
    pub method: &'a str,
    /// The raw path, still percent-encoded. Empty counts as `/`.
    pub path: &'a str,
    /// The raw query without its `?`, still percent-encoded; empty if there is none.
    pub query: &'a str,
    /// The headers. HTTP/2 has no `Host` header: the caller inserts `host` from `:authority`.
    pub headers: &'a H,
}
