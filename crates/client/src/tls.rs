//! TLS for clients: which servers to believe, and which certificate to show.

use std::fmt;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::RootCertStore;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};

/// What a connection uses for TLS, parsed and checked. Clones share everything.
#[derive(Clone)]
pub struct Tls {
    config: Arc<ClientConfig>,
    server_name: Option<ServerName<'static>>,
}

/// What [`Tls`] is made of, as it comes from files.
#[derive(Clone, Copy, Default)]
pub struct TlsParts<'a> {
    /// The certificates to check the server against, PEM. Nothing else is believed: the roots of
    /// the operating system are not consulted.
    pub ca: &'a [u8],
    /// What to show to the server, if it asks.
    pub client_certificate: Option<ClientCertificate<'a>>,
    /// The protocols to offer by ALPN, the preferred one first, such as `x-amzn-mqtt-ca`. Empty:
    /// ALPN is not used.
    pub alpn: &'a [&'a str],
    /// The name to ask for (SNI) and to check the certificate for, if it is not the endpoint's
    /// host.
    pub server_name: Option<&'a str>,
}

/// The certificate of a client.
#[derive(Clone, Copy)]
pub struct ClientCertificate<'a> {
    /// The certificate, with the chain behind it if there is one; PEM.
    pub certificate: &'a [u8],
    /// Its private key as PKCS#8, PKCS#1 or SEC1; PEM.
    pub key: &'a [u8],
}

/// Why there is no TLS with these certificates.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The text is no PEM, or has no certificate in it.
    #[error("the {what} has no certificate in it: {source}; it must be a PEM file")]
    NoCertificate {
        /// "CA file" or "certificate file".
        what: &'static str,
        /// What the parser says.
        source: pem::Error,
    },
    /// The CA's certificate is not one.
    #[error("the CA file holds no valid certificate: {0}")]
    Ca(rustls::Error),
    /// The text is no PEM, or has no private key in it.
    #[error("the key file has no private key in it: {0}; it must be PKCS#8, PKCS#1 or SEC1, PEM")]
    NoKey(pem::Error),
    /// The key cannot be used, or is not that of the certificate.
    #[error("the client certificate and its key cannot be used: {0}")]
    Identity(rustls::Error),
    /// The server name is none.
    #[error("\"{0}\" is no name or address of a server")]
    ServerName(Box<str>),
}

impl Tls {
    /// Parses and checks the parts.
    ///
    /// # Errors
    /// Says which part is wrong.
    pub fn new(parts: TlsParts<'_>) -> Result<Self, TlsError> {
        Self::with_roots(roots(parts.ca)?, parts)
    }

    /// Believes the servers that these authorities vouch for, such as those of the operating system,
    /// and shows nothing. Authorities that cannot be used are passed over.
    ///
    /// # Errors
    /// As for [`Tls::new`].
    pub fn trusting(
        authorities: impl IntoIterator<Item = CertificateDer<'static>>,
    ) -> Result<Self, TlsError> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(authorities);
        Self::with_roots(roots, TlsParts::default())
    }

    fn with_roots(roots: RootCertStore, parts: TlsParts<'_>) -> Result<Self, TlsError> {
        let server_name = parts.server_name.map(server_name).transpose()?;
        // The provider is named: a process may have several compiled in, and none by default.
        let provider = aws_lc_rs::default_provider();
        // The first random bytes of a process take tens of milliseconds to gather. They are
        // gathered here, so that connection times do not hold them; a failure repeats itself in
        // the handshake, which reports it.
        let _ = provider.secure_random.fill(&mut [0]);
        let builder = ClientConfig::builder_with_provider(provider.into())
            .with_safe_default_protocol_versions()
            .expect("aws-lc-rs has cipher suites for TLS 1.2 and 1.3")
            .with_root_certificates(roots);
        let mut config = match parts.client_certificate {
            None => builder.with_no_client_auth(),
            Some(own) => {
                let chain = certificates(own.certificate, "certificate file")?;
                let key = PrivateKeyDer::from_pem_slice(own.key).map_err(TlsError::NoKey)?;
                builder.with_client_auth_cert(chain, key).map_err(TlsError::Identity)?
            }
        };
        config.alpn_protocols = parts.alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        Ok(Self { config: Arc::new(config), server_name })
    }

    pub(crate) fn config(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.config)
    }

    /// The name to ask `host` for.
    pub(crate) fn server_name(&self, host: &str) -> Result<ServerName<'static>, TlsError> {
        match &self.server_name {
            Some(name) => Ok(name.clone()),
            None => server_name(host),
        }
    }
}

impl fmt::Debug for Tls {
    /// Leaves keys and certificates out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("server_name", &self.server_name).finish_non_exhaustive()
    }
}

fn server_name(text: &str) -> Result<ServerName<'static>, TlsError> {
    ServerName::try_from(text.to_owned()).map_err(|_| TlsError::ServerName(text.into()))
}

fn roots(ca: &[u8]) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(ca, "CA file")? {
        roots.add(certificate).map_err(TlsError::Ca)?;
    }
    Ok(roots)
}

fn certificates(text: &[u8], what: &'static str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let no_certificate = |source| TlsError::NoCertificate { what, source };
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
    match found.map_err(no_certificate)? {
        none if none.is_empty() => Err(no_certificate(pem::Error::NoItemsFound)),
        some => Ok(some),
    }
}
