//! Certificates of devices and of authorities.

use std::collections::{BTreeMap, BTreeSet};

use registry::{
    Attachment, Authority, AuthorityStatus, Certificate, CertificateStatus, Mode, Source, Validity,
};
use serde::{Deserialize, Serialize};

use super::TABLE;
use crate::record::RecordError;

#[derive(Serialize, Deserialize)]
pub(super) struct CertificateRecord {
    pem: Option<String>,
    status: u8,
    mode: u8,
    authority: Option<String>,
    created_at: i64,
    modified_at: i64,
    version: u32,
    generation: String,
    validity: Option<(i64, i64)>,
    policies: BTreeSet<String>,
    things: BTreeMap<String, u8>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct AuthorityRecord {
    pem: String,
    der: Vec<u8>,
    subject: Vec<u8>,
    active: bool,
    auto_registration: bool,
    mode: u8,
    created_at: i64,
    modified_at: i64,
    version: u32,
    generation: String,
    validity: (i64, i64),
}

impl CertificateRecord {
    pub(super) fn new(certificate: &Certificate) -> Self {
        let things = certificate.things.iter();
        CertificateRecord {
            pem: certificate.pem.clone(),
            status: status_number(certificate.status),
            mode: mode_number(certificate.mode),
            authority: certificate.authority.clone(),
            created_at: certificate.created_at,
            modified_at: certificate.modified_at,
            version: certificate.version,
            generation: certificate.generation.clone(),
            validity: certificate.validity.map(|v| (v.not_before, v.not_after)),
            policies: certificate.policies.clone(),
            things: things.map(|(name, how)| (name.clone(), attachment_number(*how))).collect(),
        }
    }

    pub(super) fn certificate(self, id: String) -> Result<Certificate, RecordError> {
        let things = self.things.into_iter();
        let things = things.map(|(name, how)| Ok((name, attachment(how)?)));
        Ok(Certificate {
            id,
            source: Source::Api,
            pem: self.pem,
            status: status(self.status)?,
            mode: mode(self.mode)?,
            authority: self.authority,
            created_at: self.created_at,
            modified_at: self.modified_at,
            version: self.version,
            generation: self.generation,
            validity: self.validity.map(validity),
            // They are in the certificate, and whoever restores it reads them there.
            attributes: Default::default(),
            policies: self.policies,
            things: things.collect::<Result<_, RecordError>>()?,
        })
    }
}

impl AuthorityRecord {
    pub(super) fn new(authority: &Authority) -> Self {
        AuthorityRecord {
            pem: authority.pem.clone(),
            der: authority.der.clone(),
            subject: authority.subject.clone(),
            active: authority.status == AuthorityStatus::Active,
            auto_registration: authority.auto_registration,
            mode: mode_number(authority.mode),
            created_at: authority.created_at,
            modified_at: authority.modified_at,
            version: authority.version,
            generation: authority.generation.clone(),
            validity: (authority.validity.not_before, authority.validity.not_after),
        }
    }

    pub(super) fn authority(self, id: String) -> Result<Authority, RecordError> {
        Ok(Authority {
            id,
            source: Source::Api,
            pem: self.pem,
            der: self.der,
            subject: self.subject,
            status: match self.active {
                true => AuthorityStatus::Active,
                false => AuthorityStatus::Inactive,
            },
            auto_registration: self.auto_registration,
            mode: mode(self.mode)?,
            created_at: self.created_at,
            modified_at: self.modified_at,
            version: self.version,
            generation: self.generation,
            validity: validity(self.validity),
        })
    }
}

fn validity((not_before, not_after): (i64, i64)) -> Validity {
    Validity { not_before, not_after }
}

fn status_number(status: CertificateStatus) -> u8 {
    match status {
        CertificateStatus::Active => 0,
        CertificateStatus::Inactive => 1,
        CertificateStatus::Revoked => 2,
        CertificateStatus::PendingActivation => 3,
    }
}

fn status(number: u8) -> Result<CertificateStatus, RecordError> {
    let found = CertificateStatus::ALL.into_iter().find(|s| status_number(*s) == number);
    found.ok_or(RecordError::new(TABLE, "its status is not valid"))
}

fn mode_number(mode: Mode) -> u8 {
    match mode {
        Mode::Default => 0,
        Mode::SniOnly => 1,
    }
}

fn mode(number: u8) -> Result<Mode, RecordError> {
    match number {
        0 => Ok(Mode::Default),
        1 => Ok(Mode::SniOnly),
        _ => Err(RecordError::new(TABLE, "its mode is not valid")),
    }
}

fn attachment_number(attachment: Attachment) -> u8 {
    match attachment {
        Attachment::NonExclusive => 0,
        Attachment::Exclusive => 1,
    }
}

fn attachment(number: u8) -> Result<Attachment, RecordError> {
    match number {
        0 => Ok(Attachment::NonExclusive),
        1 => Ok(Attachment::Exclusive),
        _ => Err(RecordError::new(TABLE, "an attachment is not valid")),
    }
}
