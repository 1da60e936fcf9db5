//! X.509 client certificates: their identity, what policies may know of them, and the proof that
//! a TLS client has the private key.

mod attributes;
mod certificate;
mod certificate_id;
mod possession;

pub use certificate::{Certificate, CertificateError, parse_der, parse_pem, to_pem};
pub use certificate_id::{CertificateId, InvalidCertificateId};
pub use possession::PossessionVerifier;
