//! Reading who a request says it comes from. Nothing here is proven yet.

use std::borrow::Cow;
use std::fmt;

use memchr::memchr_iter;

use super::pieces::{cut, pieces};
use super::presigned::QueryMembers;
use super::{ALGORITHM, Excerpt, Headers, RequestParts, SignatureError, TERMINATOR, Timestamp};
use crate::hex;

/// Where a request carries its signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placement {
    /// In the `Authorization` header (spec 3.1).
    Header,
    /// In `X-Amz-*` query parameters, a presigned URL (spec 3.2).
    Query,
}

impl fmt::Display for Placement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Header => "the headers",
            Self::Query => "the query",
        })
    }
}

/// What a signing key is good for: one day, one region, one service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope<'a> {
    /// The day, `20150830`, as the request spells it.
    pub date: &'a str,
    /// The region, for example `eu-central-1`.
    pub region: &'a str,
    /// The service's signing name, for example `iotdata`.
    pub service: &'a str,
}

/// Who a request says it comes from, read but not proven: see [`verify`](super::verify()).
pub struct Claim<'a> {
    pub(super) placement: Placement,
    pub(super) credential: Credential<'a>,
    pub(super) signed_headers: Cow<'a, str>,
    pub(super) signature: [u8; 32],
    pub(super) signed_at: Timestamp,
    pub(super) lifetime_seconds: Option<u32>,
    pub(super) session_token: Option<Cow<'a, str>>,
}

impl Claim<'_> {
    /// The access key id, whose secret has to be looked up for the proof.
    #[must_use]
    pub fn access_key_id(&self) -> &str {
        self.credential.access_key_id()
    }

    /// The session token that came along, for temporary credentials.
    #[must_use]
    pub fn session_token(&self) -> Option<&str> {
        self.session_token.as_deref()
    }

    /// Where the signature was found.
    #[must_use]
    pub fn placement(&self) -> Placement {
        self.placement
    }

    /// The day, region and service the request was signed for.
    #[must_use]
    pub fn scope(&self) -> Scope<'_> {
        self.credential.scope()
    }

    /// When the request says it was signed.
    #[must_use]
    pub fn signed_at(&self) -> Timestamp {
        self.signed_at
    }

    /// The error for an access key that the server does not have.
    #[must_use]
    pub fn unknown_access_key(&self) -> SignatureError {
        SignatureError::UnknownAccessKey { access_key_id: Excerpt::of(self.access_key_id()) }
    }

    /// Access key id and scope: `<access key id>/20150830/us-east-1/iotdata/aws4_request`.
    pub(super) fn credential(&self) -> &str {
        &self.credential.text
    }

    /// The scope as it is signed: `20150830/us-east-1/iotdata/aws4_request`.
    pub(super) fn scope_text(&self) -> &str {
        &self.credential.text[self.credential.slashes[0] + 1..]
    }

    /// The names of the signed headers: lowercase, sorted, joined with semicolons.
    pub(super) fn signed_headers(&self) -> &str {
        &self.signed_headers
    }

    pub(super) fn signature(&self) -> &[u8; 32] {
        &self.signature
    }

    /// How long the signature is good for; `None` for a signature that is to be used at once.
    pub(super) fn lifetime_seconds(&self) -> Option<u32> {
        self.lifetime_seconds
    }
}

impl fmt::Debug for Claim<'_> {
    /// Leaves out the session token and the signature, which do not belong into logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claim")
            .field("placement", &self.placement)
            .field("credential", &self.credential.text)
            .field("signed_headers", &self.signed_headers)
            .field("signed_at", &self.signed_at)
            .finish_non_exhaustive()
    }
}

/// `<access key id>/<date>/<region>/<service>/aws4_request` and where its slashes are.
pub(super) struct Credential<'a> {
    text: Cow<'a, str>,
    slashes: [usize; 4],
}

impl<'a> Credential<'a> {
    pub(super) fn parse(text: Cow<'a, str>, member: &'static str) -> Result<Self, SignatureError> {
        let slashes = Self::slashes(&text)
            .filter(|slashes| text[slashes[3] + 1..] == *TERMINATOR)
            .ok_or(SignatureError::Malformed {
                member,
                expected: "<access key id>/<yyyymmdd>/<region>/<service>/aws4_request",
            })?;
        Ok(Self { text, slashes })
    }

    /// Where the slashes are, if there are four with something before each and behind the last.
    fn slashes(text: &str) -> Option<[usize; 4]> {
        let mut slashes = [0; 4];
        let (mut found, mut part) = (0, 0);
        for at in memchr_iter(b'/', text.as_bytes()) {
            if at == part {
                return None;
            }
            *slashes.get_mut(found)? = at;
            (found, part) = (found + 1, at + 1);
        }
        (found == slashes.len() && part < text.len()).then_some(slashes)
    }

    fn access_key_id(&self) -> &str {
        &self.text[..self.slashes[0]]
    }

    fn scope(&self) -> Scope<'_> {
        Scope { date: self.part(0), region: self.part(1), service: self.part(2) }
    }

    /// The text after the slash numbered `index`.
    fn part(&self, index: usize) -> &str {
        let end = self.slashes.get(index + 1).copied().unwrap_or(self.text.len());
        &self.text[self.slashes[index] + 1..end]
    }
}

/// Reads the SigV4 claim of a request, or `None` if the request carries no SigV4 at all.
///
/// # Errors
/// When the request is meant to be signed but a member of the signature is missing, repeated or
/// malformed, when it is signed twice, and when it uses another algorithm.
pub fn claim<'a, H: Headers>(
    parts: &RequestParts<'a, H>,
) -> Result<Option<Claim<'a>>, SignatureError> {
    let authorization = aws_authorization(parts.headers)?;
    let query = QueryMembers::read(parts.query)?;
    match (authorization, query) {
        (Some(_), Some(_)) => Err(SignatureError::SignedTwice),
        (Some(authorization), None) => header_claim(authorization, parts.headers).map(Some),
        (None, Some(query)) => query.into_claim().map(Some),
        (None, None) => Ok(None),
    }
}

/// The value of an `Authorization` header of one of AWS's schemes. Other schemes are none of our
/// business here.
fn aws_authorization<H: Headers>(headers: &H) -> Result<Option<&str>, SignatureError> {
    const MEMBER: &str = "the Authorization header";
    let mut found = None;
    for value in headers.all("authorization") {
        let is_aws = |scheme: &[u8]| value.starts_with(scheme);
        if !is_aws(b"AWS4-") && !is_aws(b"AWS ") {
            continue;
        }
        if found.is_some() {
            return Err(SignatureError::Repeated { member: MEMBER });
        }
        found = Some(ascii(value, MEMBER)?);
    }
    Ok(found)
}

/// The text of a header.
fn ascii<'a>(value: &'a [u8], member: &'static str) -> Result<&'a str, SignatureError> {
    // A header holds no control characters but the tab, so what is ASCII is printable.
    let text = std::str::from_utf8(value).ok().filter(|text| text.is_ascii());
    text.ok_or(SignatureError::Malformed { member, expected: "printable ASCII" })
}

fn header_claim<'a, H: Headers>(
    authorization: &'a str,
    headers: &'a H,
) -> Result<Claim<'a>, SignatureError> {
    let (algorithm, rest) = cut(authorization, b' ').unwrap_or((authorization, ""));
    require_algorithm(algorithm)?;
    let mut credential = Member::new("Credential");
    let mut signed_headers = Member::new("SignedHeaders");
    let mut signature = Member::new("Signature");
    for part in pieces(rest, b',').map(str::trim_ascii) {
        if let Some(value) = part.strip_prefix("Credential=") {
            credential.set(value.into())?;
        } else if let Some(value) = part.strip_prefix("SignedHeaders=") {
            signed_headers.set(value.into())?;
        } else if let Some(value) = part.strip_prefix("Signature=") {
            signature.set(value.into())?;
        } else {
            return Err(SignatureError::Malformed {
                member: "the Authorization header",
                expected: "AWS4-HMAC-SHA256 Credential=..., SignedHeaders=..., Signature=...",
            });
        }
    }
    let placement = Placement::Header;
    Ok(Claim {
        placement,
        credential: Credential::parse(credential.required(placement)?, "Credential")?,
        signed_headers: header_list(signed_headers.required(placement)?, "SignedHeaders")?,
        signature: signature_bytes(&signature.required(placement)?, "Signature")?,
        signed_at: header_time(headers)?,
        lifetime_seconds: None,
        session_token: single_header(headers, "x-amz-security-token")?.map(Cow::Borrowed),
    })
}

/// The time in `x-amz-date`, else in `Date`.
fn header_time<H: Headers>(headers: &H) -> Result<Timestamp, SignatureError> {
    const MEMBER: &str = "x-amz-date";
    if let Some(text) = single_header(headers, MEMBER)? {
        return basic_time(text);
    }
    let Some(text) = single_header(headers, "date")? else {
        return Err(SignatureError::Missing { member: MEMBER, placement: Placement::Header });
    };
    Timestamp::parse_date_header(text).ok_or(SignatureError::Malformed {
        member: "the Date header",
        expected: "a time such as Sun, 30 Aug 2015 12:36:00 GMT; better send x-amz-date",
    })
}

/// The time that `x-amz-date` holds, in the headers or in the query.
pub(super) fn basic_time(text: &str) -> Result<Timestamp, SignatureError> {
    Timestamp::parse_basic(text).ok_or(SignatureError::Malformed {
        member: "x-amz-date",
        expected: "the UTC time of signing as yyyymmddThhmmssZ",
    })
}

fn single_header<'a, H: Headers>(
    headers: &'a H,
    name: &'static str,
) -> Result<Option<&'a str>, SignatureError> {
    let mut values = headers.all(name);
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(SignatureError::Repeated { member: name });
    }
    Ok(Some(ascii(value, name)?.trim_ascii()))
}

/// One named part of a signature, to be set at most once.
pub(super) struct Member<'a> {
    pub(super) name: &'static str,
    pub(super) value: Option<Cow<'a, str>>,
}

impl<'a> Member<'a> {
    pub(super) fn new(name: &'static str) -> Self {
        Self { name, value: None }
    }

    pub(super) fn set(&mut self, value: Cow<'a, str>) -> Result<(), SignatureError> {
        match self.value.replace(value) {
            None => Ok(()),
            Some(_) => Err(SignatureError::Repeated { member: self.name }),
        }
    }

    pub(super) fn required(self, placement: Placement) -> Result<Cow<'a, str>, SignatureError> {
        self.value.ok_or(SignatureError::Missing { member: self.name, placement })
    }
}

pub(super) fn require_algorithm(found: &str) -> Result<(), SignatureError> {
    if found == ALGORITHM {
        Ok(())
    } else {
        Err(SignatureError::UnsupportedAlgorithm { found: Excerpt::of(found) })
    }
}

/// Checks the form SigV4 prescribes for SignedHeaders, so that it can be signed as it stands.
pub(super) fn header_list<'a>(
    list: Cow<'a, str>,
    member: &'static str,
) -> Result<Cow<'a, str>, SignatureError> {
    let mut last = "";
    let well_formed = pieces(&list, b';').all(|name| {
        let ascending = last < name;
        last = name;
        ascending && name.bytes().all(|c| c.is_ascii_graphic() && !c.is_ascii_uppercase())
    });
    if well_formed {
        Ok(list)
    } else {
        Err(SignatureError::Malformed {
            member,
            expected: "header names in lower case, sorted, each once, joined with ';'",
        })
    }
}

pub(super) fn signature_bytes(
    text: &str,
    member: &'static str,
) -> Result<[u8; 32], SignatureError> {
    hex::decode_32(text)
        .ok_or(SignatureError::Malformed { member, expected: "64 lowercase hexadecimal digits" })
}
