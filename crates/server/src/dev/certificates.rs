//! The keys and certificates of a new data folder.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, date_time_ymd,
};

const DAY: Duration = Duration::from_secs(86_400);
/// The authority and the device outlive the desk they are made for.
const LONG: Duration = Duration::from_secs(3_650 * 86_400);
/// Apple's platforms refuse server certificates that are valid for longer than 825 days.
const SERVER: Duration = Duration::from_secs(824 * 86_400);

/// A certificate and its private key, both PEM; the key is PKCS#8.
pub(super) struct Pair {
    pub(super) certificate: String,
    pub(super) key: String,
}

/// An authority of its own, and what it signed.
pub(super) struct Certificates {
    pub(super) ca: Pair,
    pub(super) server: Pair,
    pub(super) device: Pair,
}

impl Certificates {
    /// Makes new keys (ECDSA P-256) and certificates.
    pub(super) fn generate() -> Result<Certificates, rcgen::Error> {
        let mut params = params("Tenfour development CA", LONG);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let ca = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        Ok(Certificates {
            server: server(&ca)?,
            device: device(&ca)?,
            ca: Pair { certificate: ca.pem(), key: ca.key().serialize_pem() },
        })
    }
}

fn server(ca: &CertifiedIssuer<'_, KeyPair>) -> Result<Pair, rcgen::Error> {
    let mut params = params("localhost", SERVER);
    let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    params.subject_alt_names = CertificateParams::new(names)?.subject_alt_names;
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    sign(params, ca)
}

/// Named as AWS names the device certificates it makes.
fn device(ca: &CertifiedIssuer<'_, KeyPair>) -> Result<Pair, rcgen::Error> {
    let mut params = params("AWS IoT Certificate", LONG);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    sign(params, ca)
}

fn params(common_name: &str, life: Duration) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.distinguished_name.push(DnType::OrganizationName, "Tenfour");
    // A day back, for clients whose clock is behind.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    params.not_before = date_time_ymd(1970, 1, 1) + now.saturating_sub(DAY);
    params.not_after = params.not_before + life;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.use_authority_key_identifier_extension = true;
    params
}

fn sign(
    params: CertificateParams,
    ca: &CertifiedIssuer<'_, KeyPair>,
) -> Result<Pair, rcgen::Error> {
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, ca)?.pem();
    Ok(Pair { certificate, key: key.serialize_pem() })
}
