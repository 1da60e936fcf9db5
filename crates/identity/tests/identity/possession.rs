//! TLS handshakes in memory: a client gets in with the key of its certificate and not without.

use std::sync::Arc;

use identity::x509::PossessionVerifier;
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519};
use rustls::client::ResolvesClientCert;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::sign::{CertifiedKey, SigningKey};
use rustls::version::{TLS12, TLS13};
use rustls::{
    ClientConfig, ClientConnection, Error, RootCertStore, ServerConfig, ServerConnection,
    SignatureScheme, SupportedProtocolVersion,
};

/// Shows a certificate with a key, whether they belong together or not, and lets nobody but the
/// server look at the certificate: rustls itself refuses version 1.
#[derive(Debug)]
struct Shown(Arc<CertifiedKey>);

impl ResolvesClientCert for Shown {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// A certificate with its key.
struct Device {
    certificate: CertificateDer<'static>,
    key: Arc<dyn SigningKey>,
}

impl Device {
    fn from_pem(certificate: &[u8], key: &[u8]) -> Self {
        let key = PrivateKeyDer::from_pem_slice(key).unwrap();
        Self {
            certificate: CertificateDer::from_pem_slice(certificate).unwrap(),
            key: any_supported_type(&key).unwrap(),
        }
    }

    fn generated(algorithm: &'static rcgen::SignatureAlgorithm) -> Self {
        let key = KeyPair::generate_for(algorithm).unwrap();
        let params = rcgen::CertificateParams::default();
        let der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        Self {
            certificate: params.self_signed(&key).unwrap().der().clone(),
            key: any_supported_type(&der).unwrap(),
        }
    }

    fn v1_rsa() -> Self {
        let certificate = include_bytes!("../data/v1-rsa.pem");
        Self::from_pem(certificate, include_bytes!("../data/v1-rsa.key.pem"))
    }

    fn v1_ecdsa() -> Self {
        let certificate = include_bytes!("../data/v1-ecdsa.pem");
        Self::from_pem(certificate, include_bytes!("../data/v1-ecdsa.key.pem"))
    }
}

fn connections(
    version: &'static SupportedProtocolVersion,
    required: bool,
    shown: Option<CertifiedKey>,
) -> (ClientConnection, ServerConnection) {
    let provider = Arc::new(default_provider());
    let server_key = KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let server_certificate = params.self_signed(&server_key).unwrap().der().clone();
    let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_client_cert_verifier(Arc::new(PossessionVerifier { required }))
        .with_single_cert(
            vec![server_certificate.clone()],
            PrivatePkcs8KeyDer::from(server_key.serialize_der()).into(),
        )
        .unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(server_certificate).unwrap();
    let client = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots);
    let client = match shown {
        Some(shown) => client.with_client_cert_resolver(Arc::new(Shown(Arc::new(shown)))),
        None => client.with_no_client_auth(),
    };
    let name = ServerName::try_from("localhost").unwrap();
    (
        ClientConnection::new(Arc::new(client), name).unwrap(),
        ServerConnection::new(Arc::new(server)).unwrap(),
    )
}

/// Lets the two talk until both have finished, or the server has refused.
fn handshake(client: &mut ClientConnection, server: &mut ServerConnection) -> Result<(), Error> {
    while client.is_handshaking() || server.is_handshaking() {
        let mut wire = Vec::new();
        client.write_tls(&mut wire).unwrap();
        server.read_tls(&mut wire.as_slice()).unwrap();
        server.process_new_packets()?;
        wire.clear();
        server.write_tls(&mut wire).unwrap();
        client.read_tls(&mut wire.as_slice()).unwrap();
        client.process_new_packets().expect("the client finds no fault with the server");
    }
    Ok(())
}

fn outcome(
    version: &'static SupportedProtocolVersion,
    certificate: &CertificateDer<'static>,
    key: &Arc<dyn SigningKey>,
) -> Result<(), Error> {
    let shown = CertifiedKey::new(vec![certificate.clone()], Arc::clone(key));
    let (mut client, mut server) = connections(version, true, Some(shown));
    handshake(&mut client, &mut server)?;
    assert_eq!(server.peer_certificates().unwrap(), std::slice::from_ref(certificate));
    Ok(())
}

#[test]
fn a_client_with_its_key_gets_in_whatever_kind_of_key_it_is() {
    let devices = [
        ("RSA, version 1", Device::v1_rsa()),
        ("P-256, version 1", Device::v1_ecdsa()),
        ("P-256", Device::generated(&PKCS_ECDSA_P256_SHA256)),
        ("P-384", Device::generated(&PKCS_ECDSA_P384_SHA384)),
        ("P-521", Device::generated(&rcgen::PKCS_ECDSA_P521_SHA512)),
        ("Ed25519", Device::generated(&PKCS_ED25519)),
    ];
    for version in [&TLS12, &TLS13] {
        for (name, Device { certificate, key }) in &devices {
            assert_eq!(outcome(version, certificate, key), Ok(()), "{name} {version:?}");
        }
    }
}

#[test]
fn a_client_with_another_key_is_refused() {
    let other_rsa = Device::generated(&rcgen::PKCS_RSA_SHA256);
    let pairs = [
        (Device::v1_rsa().certificate, other_rsa.key),
        (Device::v1_rsa().certificate, Device::v1_ecdsa().key),
        (Device::v1_ecdsa().certificate, Device::generated(&PKCS_ECDSA_P256_SHA256).key),
        (Device::v1_ecdsa().certificate, Device::generated(&PKCS_ECDSA_P384_SHA384).key),
        (Device::v1_ecdsa().certificate, Device::generated(&PKCS_ED25519).key),
        (Device::generated(&PKCS_ED25519).certificate, Device::generated(&PKCS_ED25519).key),
    ];
    for version in [&TLS12, &TLS13] {
        for (index, (certificate, key)) in pairs.iter().enumerate() {
            let outcome = outcome(version, certificate, key);
            assert!(
                matches!(outcome, Err(Error::InvalidCertificate(_))),
                "pair {index}, {version:?}: {outcome:?}"
            );
        }
    }
}

#[test]
fn something_that_is_no_certificate_is_refused() {
    let junk = CertificateDer::from(b"not a certificate".to_vec());
    for version in [&TLS12, &TLS13] {
        let outcome = outcome(version, &junk, &Device::v1_ecdsa().key);
        assert_eq!(outcome, Err(rustls::CertificateError::BadEncoding.into()), "{version:?}");
    }
}

#[test]
fn a_client_without_a_certificate_gets_in_only_where_none_is_required() {
    for version in [&TLS12, &TLS13] {
        let (mut client, mut server) = connections(version, false, None);
        assert_eq!(handshake(&mut client, &mut server), Ok(()));
        assert_eq!(server.peer_certificates(), None);
        let (mut client, mut server) = connections(version, true, None);
        let outcome = handshake(&mut client, &mut server);
        assert_eq!(outcome, Err(Error::NoCertificatesPresented), "{version:?}");
    }
}
