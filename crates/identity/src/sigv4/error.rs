//! Why a signature was not accepted, in words for the caller and in a code for the log.

use std::fmt;

use super::{Placement, Timestamp};

/// At most this much of what a caller sent is quoted back to it.
const EXCERPT_CHARS: usize = 64;

/// A quotation of what the caller sent, cut to a length fit for an answer and a log line.
#[derive(Clone, PartialEq, Eq)]
pub struct Excerpt(Box<str>);

impl Excerpt {
    pub(super) fn of(text: &str) -> Self {
        match text.char_indices().nth(EXCERPT_CHARS) {
            None => Self(text.into()),
            Some((end, _)) => Self(format!("{}...", &text[..end]).into()),
        }
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// Why a SigV4 claim could not be read or was not proven.
///
/// The text is meant for the caller: it says what is wrong and what would be right, and never
/// gives the expected signature away. [`SignatureError::reason`] is the code for the
/// `Connection.AuthNError` log entry (spec 8.2).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// Another algorithm than AWS4-HMAC-SHA256.
    #[error("the signing algorithm {found:?} is not supported; use AWS4-HMAC-SHA256")]
    UnsupportedAlgorithm {
        /// The algorithm the request names.
        found: Excerpt,
    },
    /// A signature in the `Authorization` header and another one in the query.
    #[error(
        "the request is signed twice; sign it in the Authorization header or in the query, \
         not in both"
    )]
    SignedTwice,
    /// A member of the signature that cannot be read.
    #[error("{member} is malformed; it must be {expected}")]
    Malformed {
        /// The header, the part of the Authorization header, or the query parameter.
        member: &'static str,
        /// What it has to look like.
        expected: &'static str,
    },
    /// A member of the signature that is not there.
    #[error("{member} is missing from {place}", place = .placement)]
    Missing {
        /// The part of the Authorization header, or the query parameter.
        member: &'static str,
        /// Where it should have been.
        placement: Placement,
    },
    /// A member of the signature that occurs more than once.
    #[error("{member} occurs more than once; send it exactly once")]
    Repeated {
        /// The header, the part of the Authorization header, or the query parameter.
        member: &'static str,
    },
    /// A query whose percent-encoding is broken, so that it has no canonical form.
    #[error("the query has a '%' that two hexadecimal digits do not follow; write '%' as %25")]
    MalformedQuery,
    /// The scope's date is not the day of signing.
    #[error(
        "the credential scope names the date {found}, but the request was signed at {signed_at}; \
         the scope must name that day (UTC)"
    )]
    ScopeDate {
        /// The date in the credential scope.
        found: Excerpt,
        /// When the request says it was signed.
        signed_at: Timestamp,
    },
    /// The scope names another region.
    #[error("the credential scope names the region {found:?}; this endpoint is in {expected:?}")]
    ScopeRegion {
        /// The region in the credential scope.
        found: Excerpt,
        /// The region of this endpoint.
        expected: Box<str>,
    },
    /// The scope names another service.
    #[error("the credential scope names the service {found:?}; sign for {expected}")]
    ScopeService {
        /// The service in the credential scope.
        found: Excerpt,
        /// The services this endpoint answers for, as a phrase.
        expected: Box<str>,
    },
    /// Signed too long ago, or in the future.
    #[error(
        "the request was signed at {signed_at}, but the time here is {now}; the two may differ \
         by {limit_seconds} seconds at most, so check the clock of the signing machine"
    )]
    ClockSkew {
        /// When the request says it was signed.
        signed_at: Timestamp,
        /// The time of this server.
        now: Timestamp,
        /// How far apart they may be.
        limit_seconds: i64,
    },
    /// A presigned URL whose time is over.
    #[error(
        "the presigned URL was signed at {signed_at} for {lifetime_seconds} seconds and has \
         expired; the time here is {now}"
    )]
    Expired {
        /// When the request says it was signed.
        signed_at: Timestamp,
        /// How long it was good for.
        lifetime_seconds: u32,
        /// The time of this server.
        now: Timestamp,
    },
    /// A header that has to be signed is not in SignedHeaders.
    #[error("the header {name} is not signed; list it in SignedHeaders")]
    HeaderNotSigned {
        /// The header, in lower case.
        name: Excerpt,
    },
    /// A header in SignedHeaders did not come with the request.
    #[error("SignedHeaders lists {name}, but the request has no such header")]
    SignedHeaderAbsent {
        /// The header, in lower case.
        name: Excerpt,
    },
    /// The signed x-amz-content-sha256 is not the hash of the body.
    #[error(
        "x-amz-content-sha256 is not the SHA-256 of the {body_bytes} bytes of body that came; \
         send the lowercase hexadecimal SHA-256 of the body"
    )]
    ContentHashMismatch {
        /// The size of the body that came.
        body_bytes: usize,
    },
    /// The body is left out of the signature although nothing else protects it.
    #[error(
        "x-amz-content-sha256 is UNSIGNED-PAYLOAD, which is accepted over TLS only; \
         use TLS or sign the body's SHA-256"
    )]
    UnsignedPayloadOverPlaintext,
    /// Temporary credentials without their session token.
    #[error(
        "this access key belongs to temporary credentials; send their session token as \
         X-Amz-Security-Token"
    )]
    SessionTokenMissing,
    /// A session token with an access key that has none.
    #[error("this access key has no session token; leave X-Amz-Security-Token away")]
    SessionTokenUnexpected,
    /// Another session token than the access key's.
    #[error("the session token does not belong to this access key")]
    SessionTokenWrong,
    /// Nobody here has that access key.
    #[error("the access key {access_key_id} is not known here")]
    UnknownAccessKey {
        /// The access key the request names.
        access_key_id: Excerpt,
    },
    /// Everything is in place, but the signature is not the one the secret makes.
    #[error(
        "the signature does not match; if the SHA-256 of your canonical request is \
         {canonical_request_sha256} the secret access key is wrong, otherwise the request was \
         changed after signing or made canonical in another way"
    )]
    Mismatch {
        /// Hexadecimal SHA-256 of the canonical request as computed here, which holds no secret.
        canonical_request_sha256: Box<str>,
    },
}

impl SignatureError {
    /// The reason code for the `Connection.AuthNError` log entry (spec 8.2).
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Mismatch { .. } | Self::ContentHashMismatch { .. } => {
                "SECURITY_TOKEN_SIGNATURE_MISMATCH"
            }
            Self::ClockSkew { .. } | Self::Expired { .. } => "SECURITY_TOKEN_EXPIRED",
            Self::SessionTokenMissing
            | Self::SessionTokenUnexpected
            | Self::SessionTokenWrong
            | Self::UnknownAccessKey { .. }
            | Self::ScopeDate { .. }
            | Self::ScopeRegion { .. }
            | Self::ScopeService { .. } => "SECURITY_TOKEN_INVALID",
            Self::UnsupportedAlgorithm { .. }
            | Self::SignedTwice
            | Self::Malformed { .. }
            | Self::Missing { .. }
            | Self::Repeated { .. }
            | Self::MalformedQuery
            | Self::HeaderNotSigned { .. }
            | Self::SignedHeaderAbsent { .. }
            | Self::UnsignedPayloadOverPlaintext => "NOT_AUTHENTICATED",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quotation_is_cut_at_a_character_and_not_inside_one() {
        let long = "é".repeat(EXCERPT_CHARS + 1);
        assert_eq!(Excerpt::of(&long).to_string(), format!("{}...", "é".repeat(EXCERPT_CHARS)));
        let short = "é".repeat(EXCERPT_CHARS);
        assert_eq!(Excerpt::of(&short).to_string(), short);
    }
}
