//! Who signed a certificate.

use x509_parser::certificate::X509Certificate;

use super::certificate::{CertificateError, parse};

/// What makes a certificate one of an authority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorityCertificate {
    /// The subject in DER: the issuer of what it signs.
    pub subject: Vec<u8>,
    /// Whether it says that it may sign certificates (basic constraints, RFC 5280, 4.2.1.9).
    pub is_authority: bool,
}

/// Reads what a certificate in DER says of an authority.
///
/// # Errors
/// As for [`parse_der`](super::parse_der).
pub fn parse_authority(der: &[u8]) -> Result<AuthorityCertificate, CertificateError> {
    let certificate = parse(der)?;
    let constraints = certificate.basic_constraints().ok().flatten();
    Ok(AuthorityCertificate {
        subject: certificate.subject().as_raw().to_vec(),
        is_authority: constraints.is_some_and(|constraints| constraints.value.ca),
    })
}

/// The issuer of a certificate, both in DER.
///
/// # Errors
/// As for [`parse_der`](super::parse_der).
pub fn issuer(der: &[u8]) -> Result<Vec<u8>, CertificateError> {
    Ok(parse(der)?.issuer().as_raw().to_vec())
}

/// Whether the authority's key signed the certificate, which has its subject as the issuer. Dates
/// are not looked at; both are in DER.
#[must_use]
pub fn is_signed_by(certificate: &[u8], authority: &[u8]) -> bool {
    let signed = |child: &X509Certificate<'_>, parent: &X509Certificate<'_>| {
        child.issuer().as_raw() == parent.subject().as_raw()
            && child.verify_signature(Some(parent.public_key())).is_ok()
    };
    match (parse(certificate), parse(authority)) {
        (Ok(child), Ok(parent)) => signed(&child, &parent),
        (Err(_), _) | (_, Err(_)) => false,
    }
}
