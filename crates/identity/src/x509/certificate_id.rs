//! The name AWS IoT gives to a certificate.

use std::fmt;

use aws_lc_rs::digest;

use crate::hex::{self, Hex32};

/// A certificate's id: the SHA-256 of its DER encoding, in 64 lowercase hexadecimal digits. It is
/// the last part of the certificate's ARN and the `principalId` of log entries.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CertificateId([u8; 32]);

/// A text that is no certificate id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a certificate id is the SHA-256 of the certificate's DER encoding, \
     in exactly 64 lowercase hexadecimal digits"
)]
pub struct InvalidCertificateId;

impl CertificateId {
    /// Reads an id.
    ///
    /// # Errors
    /// Anything but 64 lowercase hexadecimal digits.
    pub fn parse(text: &str) -> Result<Self, InvalidCertificateId> {
        hex::decode_32(text).map(Self).ok_or(InvalidCertificateId)
    }

    /// The id of a certificate in DER.
    #[must_use]
    pub fn of_der(der: &[u8]) -> Self {
        let digest = digest::digest(&digest::SHA256, der);
        Self(digest.as_ref().try_into().expect("SHA-256 gives 32 bytes"))
    }
}

impl fmt::Display for CertificateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Hex32::of(&self.0).as_str())
    }
}

impl fmt::Debug for CertificateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CertificateId({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_the_sha256_of_the_der() {
        let id = CertificateId::of_der(b"");
        let text = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(id.to_string(), text);
        assert_eq!(CertificateId::parse(text), Ok(id));
    }

    #[test]
    fn uppercase_and_short_ids_are_refused() {
        assert_eq!(CertificateId::parse(&"A".repeat(64)), Err(InvalidCertificateId));
        assert_eq!(CertificateId::parse("abc"), Err(InvalidCertificateId));
    }
}
