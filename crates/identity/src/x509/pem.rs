//! PEM text for what is DER.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use x509_parser::asn1_rs::{Any, FromDer, Tag};

/// A certificate in DER as PEM.
#[must_use]
pub fn to_pem(der: &[u8]) -> String {
    pem("CERTIFICATE", der)
}

/// An RSA key in PKCS #8, in DER, as PEM in the older form (PKCS #1, `BEGIN RSA PRIVATE KEY`) in
/// which AWS IoT gives keys out; none if it is no such key.
#[must_use]
pub fn rsa_private_key_pem(pkcs8: &[u8]) -> Option<String> {
    // PrivateKeyInfo is a sequence of version, algorithm and an OCTET STRING (RFC 5208, section 5).
    let (_, info) = Any::from_der(pkcs8).ok()?;
    let (rest, _version) = Any::from_der(info.data).ok()?;
    let (rest, algorithm) = Any::from_der(rest).ok()?;
    let (_, key) = Any::from_der(rest).ok()?;
    let (_, kind) = Any::from_der(algorithm.data).ok()?;
    (key.tag() == Tag::OctetString && kind.data == RSA_ENCRYPTION)
        .then(|| pem("RSA PRIVATE KEY", key.data))
}

/// 1.2.840.113549.1.1.1 (RFC 8017, appendix A.1).
const RSA_ENCRYPTION: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

/// Characters of a line of PEM (RFC 7468, section 2).
const LINE: usize = 64;

/// Bytes as a PEM block of that label.
fn pem(label: &str, der: &[u8]) -> String {
    let text = BASE64.encode(der);
    let mut pem = format!("-----BEGIN {label}-----\n");
    for line in text.as_bytes().chunks(LINE) {
        pem.extend(line.iter().copied().map(char::from));
        pem.push('\n');
    }
    pem.push_str(&format!("-----END {label}-----\n"));
    pem
}
