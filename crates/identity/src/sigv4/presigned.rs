//! Reading the claim of a presigned URL.

use std::borrow::Cow;

use memchr::memchr;

use super::canonical::PercentDecoded;
use super::claim::{
    Credential, Member, basic_time, header_list, require_algorithm, signature_bytes,
};
use super::pieces::{cut, pieces};
use super::{Claim, Placement, SignatureError};

/// How long a presigned URL without X-Amz-Expires is good for: one day, because the signers of
/// the IoT SDKs leave the parameter away and third-party libraries write 86400 (spec 3.2).
const DEFAULT_LIFETIME_SECONDS: u32 = 86_400;
/// SigV4's own limit on the life of a presigned URL, seven days.
const MAX_LIFETIME_SECONDS: u32 = 604_800;

const ALGORITHM: &str = "X-Amz-Algorithm";
const CREDENTIAL: &str = "X-Amz-Credential";
const SIGNATURE: &str = "X-Amz-Signature";

/// The `X-Amz-*` query parameters of a presigned URL. Their names are compared as they stand:
/// they hold no character that anybody would percent-encode.
pub(super) struct QueryMembers<'a> {
    algorithm: Member<'a>,
    credential: Member<'a>,
    date: Member<'a>,
    expires: Member<'a>,
    signed_headers: Member<'a>,
    signature: Member<'a>,
    session_token: Member<'a>,
}

impl<'a> QueryMembers<'a> {
    /// The members, or `None` for a query that is not signed.
    pub(super) fn read(query: &'a str) -> Result<Option<Self>, SignatureError> {
        if !is_signed(query) {
            return Ok(None);
        }
        let mut members = Self {
            algorithm: Member::new(ALGORITHM),
            credential: Member::new(CREDENTIAL),
            date: Member::new("X-Amz-Date"),
            expires: Member::new("X-Amz-Expires"),
            signed_headers: Member::new("X-Amz-SignedHeaders"),
            signature: Member::new(SIGNATURE),
            session_token: Member::new("X-Amz-Security-Token"),
        };
        for pair in pieces(query, b'&') {
            let (name, value) = cut(pair, b'=').unwrap_or((pair, ""));
            if let Some(member) = members.named(name) {
                member.set(percent_decoded(value, member.name)?)?;
            }
        }
        Ok(Some(members))
    }

    fn named(&mut self, name: &str) -> Option<&mut Member<'a>> {
        [
            &mut self.algorithm,
            &mut self.credential,
            &mut self.date,
            &mut self.expires,
            &mut self.signed_headers,
            &mut self.signature,
            &mut self.session_token,
        ]
        .into_iter()
        .find(|member| member.name == name)
    }

    pub(super) fn into_claim(self) -> Result<Claim<'a>, SignatureError> {
        let placement = Placement::Query;
        require_algorithm(&self.algorithm.required(placement)?)?;
        let credential = self.credential.required(placement)?;
        let signed_headers = self.signed_headers.required(placement)?;
        let lifetime_seconds = match self.expires.value {
            None => DEFAULT_LIFETIME_SECONDS,
            Some(text) => lifetime(&text)?,
        };
        Ok(Claim {
            placement,
            credential: Credential::parse(credential, "X-Amz-Credential")?,
            signed_headers: header_list(signed_headers, "X-Amz-SignedHeaders")?,
            signature: signature_bytes(&self.signature.required(placement)?, "X-Amz-Signature")?,
            signed_at: basic_time(&self.date.required(placement)?)?,
            lifetime_seconds: Some(lifetime_seconds),
            session_token: self.session_token.value,
        })
    }
}

/// Whether there is a parameter that means that the request is to be seen as signed.
fn is_signed(query: &str) -> bool {
    // All of them begin with this letter, and the queries of signed headers seldom hold one.
    if memchr(b'X', query.as_bytes()).is_none() {
        return false;
    }
    let mut names = pieces(query, b'&').map(|pair| cut(pair, b'=').map_or(pair, |(name, _)| name));
    names.any(|name| [ALGORITHM, CREDENTIAL, SIGNATURE].contains(&name))
}

fn lifetime(text: &str) -> Result<u32, SignatureError> {
    text.parse()
        .ok()
        // `parse` takes a leading plus sign, which is no digit.
        .filter(|seconds| {
            text.as_bytes()[0] != b'+' && (1..=MAX_LIFETIME_SECONDS).contains(seconds)
        })
        .ok_or(SignatureError::Malformed {
            member: "X-Amz-Expires",
            expected: "a number of seconds from 1 to 604800",
        })
}

/// The value of a query parameter with its percent-encoding removed.
fn percent_decoded<'a>(
    text: &'a str,
    member: &'static str,
) -> Result<Cow<'a, str>, SignatureError> {
    if !text.contains('%') {
        return Ok(Cow::Borrowed(text));
    }
    let malformed = SignatureError::Malformed { member, expected: "percent-encoded UTF-8" };
    let bytes: Option<Vec<u8>> = PercentDecoded::new(text.as_bytes()).collect();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or(malformed)?;
    Ok(Cow::Owned(text))
}
