//! TLS of the relay: 1.3, no client certificates.

use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;

use crate::failure::Failure;
use crate::tls;

/// What both listeners share: a client that offers HTTP/1.1 by ALPN is told so, and one that offers
/// nothing, as devices do, is content as well.
///
/// # Errors
/// Which file cannot be used and why.
pub(crate) fn config(certificate: &Path, key: &Path) -> Result<Arc<ServerConfig>, Failure> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_no_client_auth()
        .with_single_cert(tls::certificates(certificate)?, tls::private_key(key)?)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_are_absent_are_named() {
        let message = config(Path::new("/nonexistent/c"), Path::new("/k")).unwrap_err().to_string();
        assert!(message.starts_with("/nonexistent/c") && message.contains("PEM"), "{message}");
    }
}
