//! What may be done with certificate authorities.

use std::sync::Arc;

use crate::authority::{Authority, AuthorityStatus};
use crate::change::{Change, Record};
use crate::key::Key;
use crate::refused::Refused;
use crate::state::Registry;

/// How many authorities may have the same subject.
pub const AUTHORITIES_PER_SUBJECT: usize = 10;

/// What UpdateCACertificate changes; none of what stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AuthorityUpdate {
    /// Whether it may vouch.
    pub status: Option<AuthorityStatus>,
    /// Whether a certificate of its is registered when a device first shows it.
    pub auto_registration: Option<bool>,
}

impl Registry {
    /// The authority of that ID.
    ///
    /// # Errors
    /// [`Refused::NotFound`].
    pub fn authority(&self, id: &str) -> Result<&Arc<Authority>, Refused> {
        self.authorities.get(id).ok_or_else(|| Refused::NotFound(Key::Authority(id.to_owned())))
    }

    /// The authorities whose certificates have that subject, in DER: those that may have signed a
    /// certificate whose issuer it is.
    pub fn authorities_named<'a>(
        &'a self,
        subject: &[u8],
    ) -> impl Iterator<Item = &'a Arc<Authority>> {
        let ids = self.subjects.get(subject).into_iter().flatten();
        ids.filter_map(|id| self.authorities.get(id))
    }

    /// RegisterCACertificate, once it is proved who registers it.
    ///
    /// # Errors
    /// [`Refused::Exists`], [`Refused::Limit`].
    pub fn register_authority(&self, authority: Authority) -> Result<Change, Refused> {
        self.check_free(Key::Authority(authority.id.clone()))?;
        if self.authorities_named(&authority.subject).count() >= AUTHORITIES_PER_SUBJECT {
            return Err(Refused::Limit(format!(
                "There are {AUTHORITIES_PER_SUBJECT} CA certificates with this subject, which is \
                 as many as there may be; delete one first."
            )));
        }
        Ok(Change::put(Record::Authority(authority)))
    }

    /// UpdateCACertificate; `at` is in milliseconds since 1970.
    ///
    /// # Errors
    /// [`Refused::NotFound`], [`Refused::OfFile`].
    pub fn update_authority(
        &self,
        id: &str,
        update: AuthorityUpdate,
        at: i64,
    ) -> Result<Change, Refused> {
        let mut authority = self.writable_authority(id)?;
        authority.status = update.status.unwrap_or(authority.status);
        authority.auto_registration =
            update.auto_registration.unwrap_or(authority.auto_registration);
        if authority == **self.authority(id)? {
            return Ok(Change::nothing());
        }
        authority.version += 1;
        authority.modified_at = at;
        Ok(Change::put(Record::Authority(authority)))
    }

    /// DeleteCACertificate.
    ///
    /// # Errors
    /// [`Refused::NotFound`], [`Refused::OfFile`], [`Refused::CertificateState`] while it is active.
    pub fn delete_authority(&self, id: &str) -> Result<Change, Refused> {
        let authority = self.writable_authority(id)?;
        match authority.status {
            AuthorityStatus::Inactive => Ok(Change::delete(Key::Authority(id.to_owned()))),
            AuthorityStatus::Active => Err(Refused::CertificateState(format!(
                "The CA certificate {id} is ACTIVE; make it INACTIVE first."
            ))),
        }
    }

    /// GetRegistrationCode: the code there is, or else `fresh`, which stays from now on.
    pub fn registration_code(&self, fresh: String) -> (Change, String) {
        match &self.code {
            Some(code) => (Change::nothing(), code.clone()),
            None => (Change::put(Record::RegistrationCode(fresh.clone())), fresh),
        }
    }

    /// The code, if anybody has asked for one.
    pub fn present_registration_code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// DeleteRegistrationCode.
    ///
    /// # Errors
    /// [`Refused::NotFound`].
    pub fn delete_registration_code(&self) -> Result<Change, Refused> {
        match self.code {
            Some(_) => Ok(Change::delete(Key::RegistrationCode)),
            None => Err(Refused::NotFound(Key::RegistrationCode)),
        }
    }

    fn writable_authority(&self, id: &str) -> Result<Authority, Refused> {
        self.check_writable(Key::Authority(id.to_owned()))?;
        Ok(Authority::clone(self.authority(id)?))
    }
}
