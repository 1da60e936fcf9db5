//! A device's certificate.

use std::collections::{BTreeMap, BTreeSet};

use engine::directory::Status;
use policy::Attributes;

use crate::key::Key;
use crate::shelf::Kept;
use crate::source::Source;

/// How far a certificate has come in its life (spec 11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateStatus {
    /// In use.
    Active,
    /// Registered and switched off.
    Inactive,
    /// Taken back for good.
    Revoked,
    /// A device showed it and its authority vouches for it; nobody has switched it on yet.
    PendingActivation,
}

impl CertificateStatus {
    /// Every status, in the order of the variants.
    pub const ALL: [CertificateStatus; 4] = [
        CertificateStatus::Active,
        CertificateStatus::Inactive,
        CertificateStatus::Revoked,
        CertificateStatus::PendingActivation,
    ];

    /// The service model's word.
    pub const fn word(self) -> &'static str {
        match self {
            CertificateStatus::Active => "ACTIVE",
            CertificateStatus::Inactive => "INACTIVE",
            CertificateStatus::Revoked => "REVOKED",
            CertificateStatus::PendingActivation => "PENDING_ACTIVATION",
        }
    }

    /// What it is to a connection.
    pub(crate) const fn status(self) -> Status {
        match self {
            CertificateStatus::Active => Status::Active,
            CertificateStatus::Inactive | CertificateStatus::PendingActivation => Status::Inactive,
            CertificateStatus::Revoked => Status::Revoked,
        }
    }
}

/// How a certificate was registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Made here, or signed by a registered authority.
    Default,
    /// By its fingerprint, or signed by an authority that was registered without proof.
    SniOnly,
}

impl Mode {
    /// The service model's word.
    pub const fn word(self) -> &'static str {
        match self {
            Mode::Default => "DEFAULT",
            Mode::SniOnly => "SNI_ONLY",
        }
    }
}

/// When a certificate may be used, in seconds since 1970, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// The first second.
    pub not_before: i64,
    /// The last second.
    pub not_after: i64,
}

/// How a certificate belongs to a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attachment {
    /// To it and to no other, and no other certificate to it.
    Exclusive,
    /// To it and maybe to others.
    NonExclusive,
}

impl Attachment {
    /// The service model's word (`thingPrincipalType`).
    pub const fn word(self) -> &'static str {
        match self {
            Attachment::Exclusive => "EXCLUSIVE_THING",
            Attachment::NonExclusive => "NON_EXCLUSIVE_THING",
        }
    }
}

/// A device's certificate and what is attached to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Certificate {
    /// The SHA-256 of its DER form, in 64 lower-case hexadecimal digits.
    pub id: String,
    /// Where the record comes from.
    pub source: Source,
    /// The certificate itself; none if a file names it by its ID only.
    pub pem: Option<String>,
    /// How far it has come.
    pub status: CertificateStatus,
    /// How it was registered.
    pub mode: Mode,
    /// The registered authority that signed it.
    pub authority: Option<String>,
    /// When it was registered, in milliseconds since 1970.
    pub created_at: i64,
    /// When the record changed last, in milliseconds since 1970.
    pub modified_at: i64,
    /// Rises with every change of the status.
    pub version: u32,
    /// Names this life of the record: one that is deleted and registered anew has another.
    pub generation: String,
    /// When it may be used; none if that is not known.
    pub validity: Option<Validity>,
    /// What policies may know of it.
    pub attributes: Attributes,
    /// The names of its policies.
    pub policies: BTreeSet<String>,
    /// The names of its things.
    pub things: BTreeMap<String, Attachment>,
}

impl Certificate {
    /// What it is to a connection at that second since 1970.
    pub fn status_at(&self, now: i64) -> Status {
        let status = self.status.status();
        let over = self.ends_at().is_some_and(|end| end <= now);
        if status == Status::Active && over { Status::Expired } else { status }
    }

    /// The second since 1970 from which on it is expired.
    pub(crate) fn ends_at(&self) -> Option<i64> {
        self.validity.map(|validity| validity.not_after.saturating_add(1))
    }

    /// The thing to which it belongs and to no other.
    pub fn exclusive_thing(&self) -> Option<&str> {
        let mut things = self.things.iter();
        let (name, _) = things.find(|(_, attachment)| **attachment == Attachment::Exclusive)?;
        Some(name)
    }
}

impl Kept for Certificate {
    fn name(&self) -> &str {
        &self.id
    }

    fn key(&self) -> Key {
        Key::Certificate(self.id.clone())
    }

    fn source(&self) -> &Source {
        &self.source
    }

    fn created_at(&self) -> i64 {
        self.created_at
    }
}
