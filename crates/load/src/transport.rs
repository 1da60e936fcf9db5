//! How connections to one listener are opened.

use std::io;
use std::sync::Arc;

use client::Endpoint;
use rustls::client::Resumption;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, HandshakeKind};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;

use crate::dial::Dial;
use crate::failure::Failure;

/// A connection, whatever it is made of.
pub(crate) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// What TLS had to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Handshake {
    /// There is no TLS.
    None,
    /// All of it: certificates and signatures.
    Full,
    /// Little: an earlier session went on.
    Resumed,
}

/// Opens connections to one listener; clones are cheap.
#[derive(Clone)]
pub(crate) struct Connector {
    dial: Arc<Dial>,
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

impl Connector {
    /// Plain TCP.
    pub(crate) fn plain(endpoint: Endpoint) -> Self {
        Self { dial: Arc::new(Dial::new(endpoint)), tls: None }
    }

    /// TLS; the certificate must be for the endpoint's host.
    ///
    /// # Errors
    /// When the host cannot stand in a certificate.
    pub(crate) fn tls(endpoint: Endpoint, config: Arc<ClientConfig>) -> Result<Self, Failure> {
        let name = ServerName::try_from(endpoint.host().to_owned()).map_err(|_| {
            Failure::Option(format!("{endpoint}: the host is no name that a certificate has"))
        })?;
        let tls = Some((TlsConnector::from(config), name));
        Ok(Self { dial: Arc::new(Dial::new(endpoint)), tls })
    }

    /// Whether TLS is spoken.
    pub(crate) fn is_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// Where connections go.
    pub(crate) fn endpoint(&self) -> &Endpoint {
        self.dial.endpoint()
    }

    /// Opens one.
    ///
    /// # Errors
    /// What the system or TLS says.
    pub(crate) async fn connect(&self) -> io::Result<Box<dyn Duplex>> {
        self.open().await.map(|(stream, _)| stream)
    }

    /// Opens one, and says what TLS had to do.
    ///
    /// # Errors
    /// What the system or TLS says.
    pub(crate) async fn open(&self) -> io::Result<(Box<dyn Duplex>, Handshake)> {
        let stream = self.dial.connect().await?;
        let Some((connector, name)) = &self.tls else {
            return Ok((Box::new(stream), Handshake::None));
        };
        let stream = connector.connect(name.clone(), stream).await?;
        let handshake = match stream.get_ref().1.handshake_kind() {
            Some(HandshakeKind::Resumed) => Handshake::Resumed,
            Some(HandshakeKind::Full | HandshakeKind::FullWithHelloRetryRequest) | None => {
                Handshake::Full
            }
        };
        Ok((Box::new(stream), handshake))
    }

    /// The same without the TLS sessions of others: a client that has been here as often as this
    /// one.
    pub(crate) fn with_own_sessions(&self) -> Self {
        let tls = self.tls.as_ref().map(|(connector, name)| {
            let mut config = ClientConfig::clone(connector.config());
            config.resumption = Resumption::in_memory_sessions(1);
            (TlsConnector::from(Arc::new(config)), name.clone())
        });
        Self { dial: Arc::clone(&self.dial), tls }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::Exchange;
    use crate::tls::{self, ClientCertificate};
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
    use rustls::pki_types::PrivateKeyDer;
    use rustls::server::WebPkiClientVerifier;
    use rustls::{RootCertStore, ServerConfig};
    use std::fs;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;

    /// A server for 127.0.0.1 that wants a client certificate of `issuer`.
    fn mutual_tls(issuer: &CertifiedIssuer<'_, KeyPair>) -> TlsAcceptor {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, issuer).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(issuer.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let verifier =
            WebPkiClientVerifier::builder_with_provider(roots.into(), Arc::clone(&provider));
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier.build().unwrap())
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }

    #[tokio::test]
    async fn both_sides_prove_themselves_over_tls() {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let own_key = KeyPair::generate().unwrap();
        let own = CertificateParams::new(["load".to_owned()]).unwrap();
        let own = own.signed_by(&own_key, &issuer).unwrap();
        let folder = std::env::temp_dir().join(format!("tenfour-load-tls-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let [ca, certificate, key] = ["ca.pem", "cert.pem", "key.pem"].map(|f| folder.join(f));
        fs::write(&ca, issuer.pem()).unwrap();
        fs::write(&certificate, own.pem()).unwrap();
        fs::write(&key, own_key.serialize_pem()).unwrap();

        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint: Endpoint = listener.local_addr().unwrap().to_string().parse().unwrap();
        let acceptor = mutual_tls(&issuer);
        let server = tokio::spawn(async move {
            let mut stream = acceptor.accept(listener.accept().await.unwrap().0).await.unwrap();
            stream.read_exact(&mut [0; 4]).await.unwrap();
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
            stream.write_all(answer).await.unwrap();
            stream.get_ref().1.peer_certificates().unwrap()[0].clone()
        });
        let shown = ClientCertificate { certificate: &certificate, key: &key };
        let config = tls::config(&ca, Some(shown), &[b"http/1.1"]).unwrap();
        let connector = Connector::tls(endpoint, config).unwrap();
        let mut exchange = Exchange::open(&connector).await.unwrap();
        let mut status = 0;
        exchange.round_trip(b"ping", |answer| status = answer.status).await.unwrap();
        assert_eq!(status, 200);
        assert_eq!(&server.await.unwrap(), own.der());
        fs::remove_dir_all(&folder).unwrap();
    }
}
