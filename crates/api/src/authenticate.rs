//! Who calls: by the connection's certificate, or by the request's SigV4 signature.

use std::sync::Arc;

use engine::directory::{AccessKey, Directory, Principal, Status};
use identity::sigv4::{
    self, Claim, Headers, Payload, RequestParts, Rules, Secret, SignatureError, SigningKeys,
};

use crate::service_name::ServiceName;

/// The clock may differ this much (spec 12.10).
const SKEW_SECONDS: i64 = 300;

/// What a signature is checked against.
#[derive(Clone, Copy)]
pub struct Against<'a> {
    /// Who is registered.
    pub directory: &'a Directory,
    /// The region a signature must name.
    pub region: &'a str,
    /// The service it must name: that of the operation.
    pub service: ServiceName,
    /// The wall clock, in seconds since 1970.
    pub now: i64,
    /// Whether the transport is TLS.
    pub secure: bool,
    /// Keys derived before.
    pub keys: &'a SigningKeys,
}

/// Credentials that do not hold.
#[derive(Debug)]
pub enum Rejected {
    /// The request, to that service, carries none.
    Missing(ServiceName),
    /// The signature does not hold.
    Signature(SignatureError),
    /// The access key is not in use any more.
    Inactive(String),
    /// The temporary credentials have ended.
    Expired(String),
}

impl Rejected {
    /// The reason for the log and the answer (spec 8.2).
    pub fn reason(&self) -> &'static str {
        match self {
            Rejected::Missing(_) => "NOT_AUTHENTICATED",
            Rejected::Signature(error) => error.reason(),
            Rejected::Inactive(_) => "SECURITY_TOKEN_INVALID",
            Rejected::Expired(_) => "SECURITY_TOKEN_EXPIRED",
        }
    }

    /// What is wrong and what would be right.
    pub fn sentence(&self) -> String {
        match self {
            Rejected::Missing(ServiceName::Data) => {
                "The request is not signed; sign it with AWS Signature Version 4 for the service \
                 iotdata, or use a client certificate."
                    .into()
            }
            Rejected::Missing(ServiceName::Logs) => {
                "The request is not signed; sign it with AWS Signature Version 4 for the service \
                 logs, or use a client certificate."
                    .into()
            }
            Rejected::Missing(ServiceName::Control) => {
                "The request is not signed; sign it with AWS Signature Version 4 for the service \
                 iot."
                    .into()
            }
            Rejected::Signature(error) => error.to_string(),
            Rejected::Inactive(id) => format!("The access key ID {id} is not active."),
            Rejected::Expired(id) => format!("The credentials of {id} have expired."),
        }
    }
}

/// Proves the signature of a request.
///
/// # Errors
/// [`Rejected`], which never tells the signature that would have been right.
pub fn authenticate<H: Headers>(
    parts: &RequestParts<'_, H>,
    payload: Payload<'_>,
    against: Against<'_>,
) -> Result<Arc<Principal>, Rejected> {
    let (claim, key) = named(parts, against)?;
    let secret = Secret {
        secret_access_key: &key.secret_access_key,
        session_token: key.session_token.as_deref(),
    };
    let rules = Rules {
        region: against.region,
        services: against.service.signing_names(),
        now: against.now,
        secure: against.secure,
        max_skew_seconds: SKEW_SECONDS,
    };
    sigv4::verify(&claim, parts, payload, &secret, &rules, against.keys)
        .map_err(Rejected::Signature)?;
    check_in_use(&claim, key, against)?;
    Ok(Arc::clone(&key.principal))
}

/// Whether a request names somebody who may call; that it comes from there is not proven.
///
/// # Errors
/// [`Rejected`].
pub(crate) fn check_name<H: Headers>(
    parts: &RequestParts<'_, H>,
    against: Against<'_>,
) -> Result<(), Rejected> {
    let (claim, key) = named(parts, against)?;
    check_in_use(&claim, key, against)
}

/// What a request says, and the access key that it names.
fn named<'a, H: Headers>(
    parts: &RequestParts<'a, H>,
    against: Against<'a>,
) -> Result<(Claim<'a>, &'a AccessKey), Rejected> {
    let claim = match sigv4::claim(parts) {
        Ok(Some(claim)) => claim,
        Ok(None) => return Err(Rejected::Missing(against.service)),
        Err(error) => return Err(Rejected::Signature(error)),
    };
    match against.directory.access_keys.get(claim.access_key_id()) {
        Some(key) => Ok((claim, key)),
        None => Err(Rejected::Signature(claim.unknown_access_key())),
    }
}

fn check_in_use(claim: &Claim<'_>, key: &AccessKey, against: Against<'_>) -> Result<(), Rejected> {
    let id = claim.access_key_id();
    if key.expires.is_some_and(|expires| expires <= against.now) {
        return Err(Rejected::Expired(id.into()));
    }
    if key.principal.grants.load().status != Status::Active {
        return Err(Rejected::Inactive(id.into()));
    }
    Ok(())
}
