//! The authority with which this node makes certificates.

use std::fmt;

/// A certificate and the private key to it.
#[derive(Clone, PartialEq, Eq)]
pub struct Issuer {
    /// The certificate in PEM.
    pub certificate: String,
    /// The private key in PEM (PKCS #8).
    pub key: String,
}

impl fmt::Debug for Issuer {
    /// Leaves the key out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuer").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}
