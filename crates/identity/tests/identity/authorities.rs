//! Who signed a certificate.

use identity::x509::{is_signed_by, issuer, parse_authority};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = params(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

#[test]
fn a_certificate_is_signed_by_the_key_of_its_issuer_and_by_no_other() {
    let (right, same_name, other) = (authority("a"), authority("a"), authority("b"));
    let device = KeyPair::generate().unwrap();
    let device = params("device").signed_by(&device, &right).unwrap();
    assert!(is_signed_by(device.der(), right.der()));
    assert!(!is_signed_by(device.der(), same_name.der()), "the name alone proves nothing");
    assert!(!is_signed_by(device.der(), other.der()));
    assert!(!is_signed_by(right.der(), device.der()));
    let named = parse_authority(right.der()).unwrap();
    assert!(named.is_authority);
    assert_eq!(issuer(device.der()).unwrap(), named.subject);
    assert!(!parse_authority(device.der()).unwrap().is_authority);
}

#[test]
fn the_key_must_be_that_of_the_subject_that_the_certificate_names() {
    let key = KeyPair::generate().unwrap();
    let pem = key.serialize_pem();
    let first = CertifiedIssuer::self_signed(params("a"), key).unwrap();
    let renamed = params("b").self_signed(&KeyPair::from_pem(&pem).unwrap()).unwrap();
    let device = params("device").signed_by(&KeyPair::generate().unwrap(), &first).unwrap();
    assert!(is_signed_by(device.der(), first.der()));
    assert!(!is_signed_by(device.der(), renamed.der()));
}

#[test]
fn what_is_no_certificate_is_signed_by_nobody() {
    let right = authority("a");
    for other in [&b""[..], b"x", &right.der()[..40]] {
        assert!(!is_signed_by(other, right.der()));
        assert!(!is_signed_by(right.der(), other));
        assert!(issuer(other).is_err());
        assert!(parse_authority(other).is_err());
    }
}
