//! The certificate of an authority that signs devices' certificates.

use crate::certificate::{Mode, Validity};
use crate::key::Key;
use crate::shelf::Kept;
use crate::source::Source;

/// Whether an authority may vouch for certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthorityStatus {
    /// It may.
    Active,
    /// It may not; what it has vouched for stays.
    Inactive,
}

impl AuthorityStatus {
    /// The service model's word.
    pub const fn word(self) -> &'static str {
        match self {
            AuthorityStatus::Active => "ACTIVE",
            AuthorityStatus::Inactive => "INACTIVE",
        }
    }
}

/// A registered authority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    /// The SHA-256 of its certificate's DER form, in 64 lower-case hexadecimal digits.
    pub id: String,
    /// Where the record comes from.
    pub source: Source,
    /// Its certificate.
    pub pem: String,
    /// The same in DER.
    pub der: Vec<u8>,
    /// The subject of its certificate in DER: the issuer of those that it signs.
    pub subject: Vec<u8>,
    /// Whether it may vouch.
    pub status: AuthorityStatus,
    /// Whether a certificate of its is registered when a device first shows it.
    pub auto_registration: bool,
    /// Whether possession of its key was proved.
    pub mode: Mode,
    /// When it was registered, in milliseconds since 1970.
    pub created_at: i64,
    /// When the record changed last, in milliseconds since 1970.
    pub modified_at: i64,
    /// Rises with every change.
    pub version: u32,
    /// Names this life of the record.
    pub generation: String,
    /// When its certificate may be used.
    pub validity: Validity,
}

impl Authority {
    /// Whether it may vouch for a certificate at that second since 1970.
    pub fn may_vouch(&self, now: i64) -> bool {
        self.status == AuthorityStatus::Active
            && (self.validity.not_before..=self.validity.not_after).contains(&now)
    }
}

impl Kept for Authority {
    fn name(&self) -> &str {
        &self.id
    }

    fn key(&self) -> Key {
        Key::Authority(self.id.clone())
    }

    fn source(&self) -> &Source {
        &self.source
    }

    fn created_at(&self) -> i64 {
        self.created_at
    }
}
