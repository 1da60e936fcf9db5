//! What may be done with certificates.

use std::sync::Arc;

use crate::certificate::{Certificate, CertificateStatus};
use crate::change::{Change, Record};
use crate::key::Key;
use crate::refused::Refused;
use crate::state::Registry;

impl Registry {
    /// The certificate of that ID.
    ///
    /// # Errors
    /// [`Refused::NotFound`].
    pub fn certificate(&self, id: &str) -> Result<&Arc<Certificate>, Refused> {
        self.certificates.get(id).ok_or_else(|| Refused::NotFound(Key::Certificate(id.to_owned())))
    }

    /// Registers a certificate, made here or elsewhere.
    ///
    /// # Errors
    /// [`Refused::Exists`].
    pub fn register_certificate(&self, certificate: Certificate) -> Result<Change, Refused> {
        self.check_free(Key::Certificate(certificate.id.clone()))?;
        Ok(Change::put(Record::Certificate(certificate)))
    }

    /// UpdateCertificate; `at` is in milliseconds since 1970.
    ///
    /// # Errors
    /// [`Refused::NotFound`], [`Refused::OfFile`], [`Refused::CertificateState`] for one that is
    /// revoked: that is for good.
    pub fn update_certificate(
        &self,
        id: &str,
        status: CertificateStatus,
        at: i64,
    ) -> Result<Change, Refused> {
        let mut certificate = self.writable_certificate(id)?;
        if certificate.status == status {
            return Ok(Change::nothing());
        }
        if certificate.status == CertificateStatus::Revoked {
            return Err(Refused::CertificateState(format!(
                "The certificate {id} is REVOKED, which is for good; make or register another one."
            )));
        }
        certificate.status = status;
        certificate.version += 1;
        certificate.modified_at = at;
        Ok(Change::put(Record::Certificate(certificate)))
    }

    /// DeleteCertificate. With `force` its policies need not be detached.
    ///
    /// # Errors
    /// [`Refused::NotFound`], [`Refused::OfFile`], [`Refused::CertificateState`] while it is active,
    /// [`Refused::DeleteConflict`] while something is attached to it.
    pub fn delete_certificate(&self, id: &str, force: bool) -> Result<Change, Refused> {
        let certificate = self.writable_certificate(id)?;
        if certificate.status == CertificateStatus::Active {
            return Err(Refused::CertificateState(format!(
                "The certificate {id} is ACTIVE; make it INACTIVE or REVOKED first."
            )));
        }
        if let Some(thing) = certificate.things.keys().next() {
            return Err(Refused::DeleteConflict(format!(
                "The certificate {id} is attached to the thing {thing}; detach it first."
            )));
        }
        if let (false, Some(policy)) = (force, certificate.policies.first()) {
            return Err(Refused::DeleteConflict(format!(
                "The policy {policy} is attached to the certificate {id}; detach it first, or give \
                 forceDelete=true."
            )));
        }
        Ok(Change::delete(Key::Certificate(id.to_owned())))
    }

    /// Detaches something from those of the certificates that the API made. One of a file stays as its
    /// file describes it.
    pub(crate) fn detached<'a>(
        &self,
        ids: impl Iterator<Item = &'a str>,
        detach: impl Fn(&mut Certificate),
    ) -> Change {
        ids.filter_map(|id| self.writable_certificate(id).ok()).fold(
            Change::nothing(),
            |change, mut certificate| {
                detach(&mut certificate);
                change.and_put(Record::Certificate(certificate))
            },
        )
    }

    pub(crate) fn writable_certificate(&self, id: &str) -> Result<Certificate, Refused> {
        self.check_writable(Key::Certificate(id.to_owned()))?;
        Ok(Certificate::clone(self.certificate(id)?))
    }
}
