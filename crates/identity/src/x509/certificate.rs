//! What a client certificate says.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use rustls::pki_types::pem::{PemObject, SectionKind};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

use super::{CertificateId, attributes};

/// A parsed X.509 certificate of any version, not checked against any authority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The certificate's id.
    pub id: CertificateId,
    /// The first second of its validity, in seconds since 1970.
    pub not_before: i64,
    /// The last second of its validity, in seconds since 1970.
    pub not_after: i64,
    /// The serial number, in lowercase hexadecimal without the sign byte of its encoding.
    pub serial: String,
    /// The first common name of the subject.
    pub subject_common_name: Option<String>,
    attributes: Vec<(String, Vec<String>)>,
}

impl Certificate {
    /// What policies may know of the certificate (spec 6.4): names as they follow
    /// `iot:Certificate.`, for example `Subject.CommonName`, each with one to five values in the
    /// order of the certificate. An attribute with a value that is longer than 1024 characters or
    /// not readable as text is left out as a whole, so that a policy variable never resolves to
    /// a neighbour of the value it means.
    #[must_use]
    pub fn policy_attributes(&self) -> Vec<(String, Vec<String>)> {
        self.attributes.clone()
    }
}

/// Why there is no certificate to be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// The text holds no PEM block at all.
    #[error(
        "no PEM block was found; a certificate is the text from -----BEGIN CERTIFICATE----- to \
         -----END CERTIFICATE-----"
    )]
    NoPem,
    /// The text holds PEM blocks, but no certificate.
    #[error(
        "{found} was found where a certificate should be; send the block that begins with \
         -----BEGIN CERTIFICATE-----"
    )]
    NotACertificate {
        /// What the first block holds.
        found: &'static str,
    },
    /// A PEM block that does not end or whose contents are not base64.
    #[error("the PEM text is damaged; copy it whole, from -----BEGIN to END-----, unchanged")]
    DamagedPem,
    /// The bytes are not a certificate.
    #[error("the certificate is not valid X.509 in DER: {detail}")]
    Malformed {
        /// What the parser says.
        detail: String,
    },
    /// There is more after the certificate.
    #[error("{bytes} bytes follow the end of the certificate; send one certificate and no more")]
    TrailingBytes {
        /// How many.
        bytes: usize,
    },
}

/// Reads a certificate in DER.
///
/// # Errors
/// Bytes that are not exactly one certificate.
pub fn parse_der(der: &[u8]) -> Result<Certificate, CertificateError> {
    let certificate = parse(der)?;
    let mut common_names = certificate.subject().iter_common_name();
    Ok(Certificate {
        id: CertificateId::of_der(der),
        not_before: certificate.validity().not_before.timestamp(),
        not_after: certificate.validity().not_after.timestamp(),
        serial: attributes::serial_number(&certificate),
        subject_common_name: common_names.next().and_then(attributes::text_of),
        attributes: attributes::policy_attributes(&certificate),
    })
}

/// Reads the first certificate of a PEM text and gives its DER along with it. Other blocks and
/// text around them are passed over.
///
/// # Errors
/// A text without a certificate, or whose first certificate is malformed.
pub fn parse_pem(pem: &[u8]) -> Result<(Vec<u8>, Certificate), CertificateError> {
    let mut other = None;
    for block in <(SectionKind, Vec<u8>)>::pem_slice_iter(pem) {
        match block.map_err(|_| CertificateError::DamagedPem)? {
            (SectionKind::Certificate, der) => {
                let certificate = parse_der(&der)?;
                return Ok((der, certificate));
            }
            (kind, _) => other = other.or(Some(kind)),
        }
    }
    Err(match other {
        None => CertificateError::NoPem,
        Some(kind) => CertificateError::NotACertificate { found: noun(kind) },
    })
}

/// Characters of a line of PEM (RFC 7468, section 2).
const PEM_LINE: usize = 64;

/// A certificate in DER as PEM text.
#[must_use]
pub fn to_pem(der: &[u8]) -> String {
    let text = BASE64.encode(der);
    let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
    for line in text.as_bytes().chunks(PEM_LINE) {
        pem.extend(line.iter().copied().map(char::from));
        pem.push('\n');
    }
    pem.push_str("-----END CERTIFICATE-----\n");
    pem
}

/// Parses exactly one certificate.
pub(super) fn parse(der: &[u8]) -> Result<X509Certificate<'_>, CertificateError> {
    let (rest, certificate) = X509Certificate::from_der(der)
        .map_err(|error| CertificateError::Malformed { detail: error.to_string() })?;
    match rest.len() {
        0 => Ok(certificate),
        bytes => Err(CertificateError::TrailingBytes { bytes }),
    }
}

/// What a PEM block holds, in words. The kinds are another crate's list, which may grow.
fn noun(kind: SectionKind) -> &'static str {
    #[allow(clippy::wildcard_enum_match_arm)]
    match kind {
        SectionKind::PrivateKey | SectionKind::RsaPrivateKey | SectionKind::EcPrivateKey => {
            "a private key"
        }
        SectionKind::PublicKey => "a public key",
        SectionKind::Csr => "a certificate signing request",
        SectionKind::Crl => "a certificate revocation list",
        _ => "something else",
    }
}
