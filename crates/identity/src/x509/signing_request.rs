//! A request to have a certificate made for a key (PKCS #10).

use rustls::pki_types::pem::{PemObject, SectionKind};
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::error::X509Error;
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

/// Bits of the smallest RSA key that AWS IoT takes.
const RSA_BITS: usize = 2048;

/// A request whose sender has the private key of the public key in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningRequest {
    /// The public key's SubjectPublicKeyInfo in DER.
    pub public_key_info: Vec<u8>,
}

/// Why a request cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SigningRequestError {
    /// There is no such PEM block.
    #[error(
        "no certificate signing request was found; it is the text from -----BEGIN CERTIFICATE \
         REQUEST----- to -----END CERTIFICATE REQUEST-----"
    )]
    NoRequest,
    /// A PEM block that does not end or whose contents are not base64.
    #[error("the PEM text is damaged; copy it whole, from -----BEGIN to END-----, unchanged")]
    DamagedPem,
    /// The bytes are no request.
    #[error("the request is not valid PKCS #10 in DER: {detail}")]
    Malformed {
        /// What the parser says.
        detail: String,
    },
    /// The key is of another kind, or too short.
    #[error("{0} is not offered; use RSA with 2048 bits or more, or ECDSA with P-256 or P-384")]
    WeakKey(&'static str),
    /// The signature is made in a way that is not offered.
    #[error(
        "the signature's algorithm is not offered; sign with SHA-256, SHA-384 or SHA-512 and RSA, \
         or with ECDSA"
    )]
    UnsupportedSignature,
    /// The signature does not hold.
    #[error("the signature of the request does not match the public key in it")]
    WrongSignature,
}

/// Reads the first request of a PEM text and proves its signature.
///
/// # Errors
/// [`SigningRequestError`].
pub fn parse_signing_request(pem: &[u8]) -> Result<SigningRequest, SigningRequestError> {
    for block in <(SectionKind, Vec<u8>)>::pem_slice_iter(pem) {
        let (kind, der) = block.map_err(|_| SigningRequestError::DamagedPem)?;
        if kind == SectionKind::Csr {
            return parse(&der);
        }
    }
    Err(SigningRequestError::NoRequest)
}

fn parse(der: &[u8]) -> Result<SigningRequest, SigningRequestError> {
    let malformed = |detail: String| SigningRequestError::Malformed { detail };
    let (rest, request) =
        X509CertificationRequest::from_der(der).map_err(|error| malformed(error.to_string()))?;
    if !rest.is_empty() {
        return Err(malformed(format!("{} bytes follow its end", rest.len())));
    }
    let key = &request.certification_request_info.subject_pki;
    check_key(key)?;
    match request.verify_signature() {
        Ok(()) => Ok(SigningRequest { public_key_info: key.raw.to_vec() }),
        Err(X509Error::SignatureUnsupportedAlgorithm) => {
            Err(SigningRequestError::UnsupportedSignature)
        }
        Err(_) => Err(SigningRequestError::WrongSignature),
    }
}

fn check_key(key: &SubjectPublicKeyInfo<'_>) -> Result<(), SigningRequestError> {
    match key.parsed() {
        Ok(PublicKey::RSA(rsa)) if rsa.key_size() >= RSA_BITS => Ok(()),
        Ok(PublicKey::RSA(_)) => Err(SigningRequestError::WeakKey("this RSA key, which is short,")),
        Ok(PublicKey::EC(_)) if is_nist_curve(key) => Ok(()),
        Ok(PublicKey::EC(_)) => Err(SigningRequestError::WeakKey("a key on this curve")),
        Ok(
            PublicKey::DSA(_)
            | PublicKey::GostR3410(_)
            | PublicKey::GostR3410_2012(_)
            | PublicKey::Unknown(_),
        )
        | Err(_) => Err(SigningRequestError::WeakKey("a key of this kind")),
    }
}

/// Whether the key is on P-256 or P-384 (RFC 5480, section 2.1.1.1).
fn is_nist_curve(key: &SubjectPublicKeyInfo<'_>) -> bool {
    let curve = key.algorithm.parameters.as_ref().and_then(|parameters| parameters.as_oid().ok());
    let curve = curve.map(|oid| oid.to_id_string());
    matches!(curve.as_deref(), Some("1.2.840.10045.3.1.7" | "1.3.132.0.34"))
}
