//! What certificate files can be wrong about.

use client::{ClientCertificate, Tls, TlsError, TlsParts};
use rcgen::KeyPair;

use crate::authority::{Authority, Pair};

fn tls(ca: &str, own: Option<(&str, &str)>) -> Result<Tls, TlsError> {
    let client_certificate = own.map(|(certificate, key)| ClientCertificate {
        certificate: certificate.as_bytes(),
        key: key.as_bytes(),
    });
    Tls::new(TlsParts { ca: ca.as_bytes(), client_certificate, ..TlsParts::default() })
}

#[test]
fn each_file_is_named_by_its_mistake() {
    let authority = Authority::new();
    let (ca, Pair { certificate, key }) = (authority.pem(), authority.sign("device"));
    let other_key = KeyPair::generate().unwrap().serialize_pem();
    let not_der = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    type Case<'a> = (&'a str, Option<(&'a str, &'a str)>, &'a str);
    let cases: [Case<'_>; 7] = [
        ("", None, "the CA file has no certificate"),
        ("no PEM", None, "the CA file has no certificate"),
        (&key, None, "the CA file has no certificate"),
        (not_der, None, "the CA file holds no valid certificate"),
        (&ca, Some((&key, &key)), "the certificate file has no certificate"),
        (&ca, Some((&certificate, &certificate)), "the key file has no private key"),
        (&ca, Some((&certificate, &other_key)), "cannot be used"),
    ];
    for (ca, own, expected) in cases {
        let error = tls(ca, own).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    tls(&ca, Some((&certificate, &key))).unwrap();
}

#[test]
fn a_server_name_is_checked() {
    let ca = Authority::new().pem();
    let parts = TlsParts { ca: ca.as_bytes(), server_name: Some("a b"), ..TlsParts::default() };
    assert!(matches!(Tls::new(parts), Err(TlsError::ServerName(_))));
}
