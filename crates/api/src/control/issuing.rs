//! Making certificates, and the authority that signs them.

use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, PublicKeyData, SerialNumber, date_time_ymd,
};
use registry::Issuer;

/// An hour back, for devices whose clock is behind.
const LEEWAY: i64 = 3_600;

/// A new authority for this node, valid from `now` on, in seconds since 1970.
///
/// # Errors
/// What the library says; there is no reason that a caller could do anything about.
pub(super) fn new_issuer(now: i64) -> Result<Issuer, rcgen::Error> {
    let mut params = params("Tenfour device CA", now);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    Ok(Issuer { certificate: certificate.pem(), key: key.serialize_pem() })
}

/// A certificate for a public key, in DER, named as AWS names those it makes, valid from `now` on, in
/// seconds since 1970.
///
/// # Errors
/// As for [`new_issuer`].
pub(super) fn issue(
    issuer: &Issuer,
    public_key: &impl PublicKeyData,
    now: i64,
) -> Result<Vec<u8>, rcgen::Error> {
    let mut params = params("AWS IoT Certificate", now);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params.use_authority_key_identifier_extension = true;
    let key = KeyPair::from_pem(&issuer.key)?;
    let issuer = rcgen::Issuer::from_ca_cert_pem(&issuer.certificate, key)?;
    Ok(params.signed_by(public_key, &issuer)?.der().to_vec())
}

/// Until the end of 2049, like the certificates that AWS makes: the last moment that X.509 writes
/// with two digits for the year.
fn params(common_name: &str, now: i64) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.serial_number = Some(serial_number());
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    let since = u64::try_from(now.saturating_sub(LEEWAY)).unwrap_or(0);
    params.not_before = date_time_ymd(1970, 1, 1) + Duration::from_secs(since);
    params.not_after = date_time_ymd(2050, 1, 1) - Duration::from_secs(1);
    params
}

/// Unique for each certificate, also of one key (RFC 5280, 4.1.2.2). A UUID is never zero, and with a
/// byte in front never negative.
fn serial_number() -> SerialNumber {
    let mut bytes = vec![0x40];
    bytes.extend_from_slice(uuid::Uuid::new_v4().as_bytes());
    SerialNumber::from(bytes)
}
