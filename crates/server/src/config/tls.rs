//! The server's certificate.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use identity::x509;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use super::document::{Table, Value};
use super::mistake::{Mistakes, Place};

const DAY: i64 = 86_400;
/// A certificate is worth a warning when it ends in less than this many seconds.
const EXPIRY_NOTICE: i64 = 30 * DAY;

/// The files of the `[tls]` table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// The server's certificate chain, PEM, its own certificate first.
    pub certificate: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
    /// The certificate clients check it against; only handed on to people and scripts.
    pub ca: Option<PathBuf>,
    /// Where the configuration names the certificate and the key.
    places: [Place; 2],
}

impl Tls {
    /// Reads the certificate and the key, and checks that they belong together.
    ///
    /// # Errors
    /// What is wrong with either file.
    pub fn certified_key(&self) -> Result<CertifiedKey, Mistakes> {
        let mut mistakes = Mistakes::default();
        let [certificate_place, key_place] = &self.places;
        let chain = read_chain(&self.certificate);
        let key = PrivateKeyDer::from_pem_file(&self.key)
            .map_err(|error| format!("{} is no PEM private key: {error}", self.key.display()));
        let (chain, key) = match (chain, key) {
            (Ok(chain), Ok(key)) => (chain, key),
            (chain, key) => {
                if let Err(message) = chain {
                    mistakes.add(certificate_place.clone(), message);
                }
                if let Err(message) = key {
                    mistakes.add(key_place.clone(), message);
                }
                return Err(mistakes);
            }
        };
        CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider()).map_err(|error| {
            let message = if matches!(error, rustls::Error::InconsistentKeys(_)) {
                let (key, certificate) = (self.key.display(), self.certificate.display());
                format!("{key} is not the key of {certificate}; name two that were made together")
            } else {
                format!("certificate and key cannot be used: {error}")
            };
            mistakes.add(key_place.clone(), message);
            mistakes
        })
    }
}

impl Tls {
    /// A warning when the certificate is no longer valid, or not for long.
    pub(super) fn warnings(&self, now: SystemTime) -> Mistakes {
        let mut warnings = Mistakes::default();
        let chain = read_chain(&self.certificate).unwrap_or_default();
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let parsed = chain.first().and_then(|der| x509::parse_der(der).ok());
        let left = parsed.map(|parsed| parsed.not_after.saturating_sub_unsigned(now));
        if let Some(left) = left.filter(|left| *left < EXPIRY_NOTICE) {
            let file = self.certificate.display();
            let message = match left {
                ..0 => format!("{file} has expired; clients refuse it"),
                0.. => format!("{file} expires in {} days", left / DAY),
            };
            warnings.add(self.places[0].clone(), message);
        }
        warnings
    }
}

fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match read {
        Ok(chain) if chain.is_empty() => Err(format!("{} has no certificate", path.display())),
        Ok(chain) => Ok(chain),
        Err(error) => Err(format!("{} is no PEM certificate: {error}", path.display())),
    }
}

/// Reads the `[tls]` table, if there is one.
pub(super) fn read(mut table: Table<'_>) -> Option<Tls> {
    if !table.exists() {
        return None;
    }
    let certificate = table.require("certificate", "certificate = \"tls/server.pem\"");
    let key = table.require("key", "key = \"tls/server.key\"");
    let ca = table.get("ca").and_then(|value| readable(&value));
    let (certificate, key) = (certificate?, key?);
    let places = [certificate.place(), key.place()];
    let (certificate, key) = (readable(&certificate), readable(&key));
    Some(Tls { certificate: certificate?, key: key?, ca, places })
}

fn readable(value: &Value<'_>) -> Option<PathBuf> {
    let path = value.path()?;
    match std::fs::File::open(&path) {
        Ok(_) => Some(path),
        Err(error) => {
            value.mistake(format_args!("cannot read {}: {error}", path.display()));
            None
        }
    }
}
