//! TLS from files.

use std::path::Path;
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use crate::failure::Failure;

/// A client's certificate, with the chain behind it, and its key: two PEM files.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClientCertificate<'a> {
    /// The certificate.
    pub(crate) certificate: &'a Path,
    /// The private key.
    pub(crate) key: &'a Path,
}

/// A configuration that believes in `ca` only, shows `own`, and offers `protocols` by ALPN.
///
/// # Errors
/// Which file cannot be used and why.
pub(crate) fn config(
    ca: &Path,
    own: Option<ClientCertificate<'_>>,
    protocols: &[&[u8]],
) -> Result<Arc<ClientConfig>, Failure> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(ca)? {
        roots.add(certificate).map_err(|error| unusable(ca, error.to_string()))?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots);
    let mut config = match own {
        None => builder.with_no_client_auth(),
        Some(ClientCertificate { certificate, key }) => {
            let chain = certificates(certificate)?;
            builder.with_client_auth_cert(chain, private_key(key)?)?
        }
    };
    // Thousands of devices are not one that comes again: each has a handshake of its own.
    config.resumption = Resumption::disabled();
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    Ok(Arc::new(config))
}

/// The certificates of a file, in their order.
///
/// # Errors
/// When it cannot be read or has none.
pub(crate) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let fault = |error: pem::Error| unusable(path, pem_fault(&error, "certificate"));
    let found: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path).map_err(fault)?.collect();
    let found = found.map_err(fault)?;
    if found.is_empty() {
        return Err(fault(pem::Error::NoItemsFound));
    }
    Ok(found)
}

/// The private key of a file.
///
/// # Errors
/// When it cannot be read or has none.
pub(crate) fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, Failure> {
    PrivateKeyDer::from_pem_file(path)
        .map_err(|error| unusable(path, pem_fault(&error, "private key")))
}

fn unusable(path: &Path, what: String) -> Failure {
    Failure::Pem { path: path.to_owned(), what }
}

fn pem_fault(error: &pem::Error, wanted: &str) -> String {
    format!("no {wanted} in it ({error}); it must be a PEM file")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_are_absent_or_no_pem_are_named() {
        for path in ["/nonexistent/ca.pem", "Cargo.toml"] {
            let message = config(Path::new(path), None, &[]).unwrap_err().to_string();
            assert!(message.starts_with(path) && message.contains("PEM file"), "{message}");
        }
    }
}
