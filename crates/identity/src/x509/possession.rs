//! The TLS proof that a client has the private key of the certificate it shows.

use std::sync::LazyLock;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls13_signature_with_raw_key};
use rustls::pki_types::{
    CertificateDer, SignatureVerificationAlgorithm, SubjectPublicKeyInfoDer, UnixTime,
};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};
use x509_parser::asn1_rs::{Any, FromDer};

use super::certificate::parse;

/// Accepts any client certificate and lets the client prove that it has the key for it.
///
/// Which certificates are welcome is for the registry to say, by the certificate's id and after
/// the handshake (a resumed session does not come through here). The issuer, the dates and the
/// extensions are not looked at.
///
/// The signature is checked with the public key taken from the certificate, and not with rustls'
/// own function for certificates: that one refuses X.509 version 1, which is what the device
/// certificates made with `openssl x509 -req` before OpenSSL 3.2 are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PossessionVerifier {
    /// Whether the handshake fails when the client shows no certificate.
    pub required: bool,
}

/// RSA (PKCS #1 and PSS), ECDSA with P-256, P-384 and P-521, Ed25519.
static ALGORITHMS: LazyLock<WebPkiSupportedAlgorithms> = LazyLock::new(|| {
    rustls::crypto::aws_lc_rs::default_provider().signature_verification_algorithms
});

impl ClientCertVerifier for PossessionVerifier {
    fn offer_client_auth(&self) -> bool {
        true
    }

    fn client_auth_mandatory(&self) -> bool {
        self.required
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        public_key_info(end_entity).map(|_| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let public_key = PublicKey::of(cert)?;
        // TLS 1.2 does not tie the curve to the scheme, so one scheme stands for several
        // algorithms, of which the right one is the one for the certificate's kind of key.
        let candidates = ALGORITHMS.mapping.iter().find(|(scheme, _)| *scheme == signed.scheme);
        let valid = candidates.into_iter().flat_map(|(_, algorithms)| algorithms.iter()).any(|a| {
            public_key.is_for(*a)
                && a.verify_signature(&public_key.bits, message, signed.signature()).is_ok()
        });
        if valid {
            Ok(HandshakeSignatureValid::assertion())
        } else {
            Err(CertificateError::BadSignature.into())
        }
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let public_key = SubjectPublicKeyInfoDer::from(public_key_info(cert)?);
        verify_tls13_signature_with_raw_key(message, &public_key, signed, &ALGORITHMS)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ALGORITHMS.supported_schemes()
    }
}

/// A public key taken apart as far as the verification algorithms want it.
struct PublicKey {
    /// The contents of the AlgorithmIdentifier.
    algorithm: Vec<u8>,
    /// The contents of the BIT STRING.
    bits: Vec<u8>,
}

impl PublicKey {
    fn of(cert: &CertificateDer<'_>) -> Result<Self, Error> {
        let certificate = parse(cert).map_err(|_| CertificateError::BadEncoding)?;
        let info = certificate.public_key();
        let inner = Any::from_der(info.raw).and_then(|(_, info)| Any::from_der(info.data));
        let (_, algorithm) = inner.map_err(|_| CertificateError::BadEncoding)?;
        Ok(Self { algorithm: algorithm.data.to_vec(), bits: info.subject_public_key.data.to_vec() })
    }

    fn is_for(&self, algorithm: &dyn SignatureVerificationAlgorithm) -> bool {
        algorithm.public_key_alg_id().as_ref() == self.algorithm
    }
}

/// The certificate's SubjectPublicKeyInfo in DER.
fn public_key_info(cert: &CertificateDer<'_>) -> Result<Vec<u8>, Error> {
    let certificate = parse(cert).map_err(|_| CertificateError::BadEncoding)?;
    Ok(certificate.public_key().raw.to_vec())
}
