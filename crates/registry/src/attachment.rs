//! Policies on certificates.

use policy::Scope;

use crate::change::{Change, Record};
use crate::key::Key;
use crate::refused::Refused;
use crate::state::Registry;

/// How many policies a certificate may have (spec 6.1).
pub const POLICIES_PER_CERTIFICATE: usize = 10;

/// The certificate ID in the ARN of a target.
///
/// # Errors
/// [`Refused::Invalid`] for anything but the ARN of a certificate in `scope`.
pub fn target<'a>(arn: &'a str, scope: &Scope) -> Result<&'a str, Refused> {
    certificate_id("target", arn, scope)
}

/// The certificate ID in the ARN that `member` is to have.
///
/// # Errors
/// [`Refused::Invalid`] for anything but the ARN of a certificate in `scope`.
pub fn certificate_id<'a>(member: &str, arn: &'a str, scope: &Scope) -> Result<&'a str, Refused> {
    let prefix = Key::Certificate(String::new()).arn(scope);
    let id = arn.strip_prefix(prefix.as_str());
    let is_id = |id: &&str| {
        id.len() == 64 && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    id.filter(is_id).ok_or_else(|| {
        Refused::Invalid(format!(
            "The {member} must be the ARN of a certificate, {prefix} and its 64 hexadecimal digits; \
             thing groups and Cognito identities are not offered."
        ))
    })
}

impl Registry {
    /// AttachPolicy to the certificate of that ID; `at` is in milliseconds since 1970.
    ///
    /// # Errors
    /// [`Refused::NotFound`] of either, [`Refused::OfFile`] of the certificate, [`Refused::Limit`].
    pub fn attach_policy(&self, policy: &str, id: &str, at: i64) -> Result<Change, Refused> {
        self.policy(policy)?;
        let mut certificate = self.writable_certificate(id)?;
        if certificate.policies.contains(policy) {
            return Ok(Change::nothing());
        }
        if certificate.policies.len() >= POLICIES_PER_CERTIFICATE {
            return Err(Refused::Limit(format!(
                "The certificate {id} has {POLICIES_PER_CERTIFICATE} policies, which is as many as \
                 it may have; detach one first."
            )));
        }
        certificate.policies.insert(policy.to_owned());
        certificate.modified_at = at;
        Ok(Change::put(Record::Certificate(certificate)))
    }

    /// DetachPolicy from the certificate of that ID. One that is not attached is detached already.
    ///
    /// # Errors
    /// [`Refused::Invalid`] if there is no such certificate: the service model has no
    /// ResourceNotFoundException here. [`Refused::OfFile`].
    pub fn detach_policy(&self, policy: &str, id: &str, at: i64) -> Result<Change, Refused> {
        if self.certificates.get(id).is_none() {
            let missing = Refused::NotFound(Key::Certificate(id.to_owned()));
            return Err(Refused::Invalid(missing.to_string()));
        }
        let mut certificate = self.writable_certificate(id)?;
        if !certificate.policies.remove(policy) {
            return Ok(Change::nothing());
        }
        certificate.modified_at = at;
        Ok(Change::put(Record::Certificate(certificate)))
    }
}
