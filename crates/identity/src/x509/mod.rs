//! X.509 client certificates: their identity, what policies may know of them, and the proof that
//! a TLS client has the private key.

mod attributes;
mod authority;
mod certificate;
mod certificate_id;
mod pem;
mod possession;
mod signing_request;

pub use authority::{AuthorityCertificate, is_signed_by, issuer, parse_authority};
pub use certificate::{Certificate, CertificateError, parse_der, parse_pem};
pub use certificate_id::{CertificateId, InvalidCertificateId};
pub use pem::{rsa_private_key_pem, to_pem};
pub use possession::PossessionVerifier;
pub use signing_request::{SigningRequest, SigningRequestError, parse_signing_request};
