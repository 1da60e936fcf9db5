//! Requests to have a certificate made.

use identity::x509::{SigningRequestError, parse_signing_request, rsa_private_key_pem};
use proptest::prelude::*;
use rcgen::{
    CertificateParams, KeyPair, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, PKCS_RSA_SHA256,
    PublicKeyData, RsaKeySize,
};

fn request(key: &KeyPair) -> String {
    CertificateParams::default().serialize_request(key).unwrap().pem().unwrap()
}

#[test]
fn a_request_gives_the_public_key_that_signed_it() {
    let keys = [
        KeyPair::generate().unwrap(),
        KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap(),
        KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap(),
    ];
    for key in keys {
        let parsed = parse_signing_request(request(&key).as_bytes()).unwrap();
        assert_eq!(parsed.public_key_info, key.subject_public_key_info());
    }
}

#[test]
fn a_request_that_cannot_be_used_says_why() {
    let parse = |text: &str| parse_signing_request(text.as_bytes()).unwrap_err();
    assert_eq!(parse("nonsense"), SigningRequestError::NoRequest);
    let good = request(&KeyPair::generate().unwrap());
    assert_eq!(parse(&good[..good.len() - 40]), SigningRequestError::DamagedPem);
    let other = KeyPair::generate_for(&PKCS_ED25519).unwrap();
    assert!(matches!(parse(&request(&other)), SigningRequestError::WeakKey(_)));
    let certificate = CertificateParams::default().self_signed(&other).unwrap().pem();
    assert_eq!(parse(&certificate), SigningRequestError::NoRequest);
    let empty = "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n";
    assert!(matches!(parse(empty), SigningRequestError::Malformed { .. }));
}

#[test]
fn an_rsa_key_has_an_older_form_and_others_have_not() {
    let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
    let pem = rsa_private_key_pem(key.serialized_der()).unwrap();
    assert!(pem.starts_with("-----BEGIN RSA PRIVATE KEY-----\nMII"), "{pem}");
    assert!(pem.lines().all(|line| line.len() <= 64));
    assert!(
        KeyPair::from_pem(&pem).is_ok_and(|same| same.public_key_raw() == key.public_key_raw())
    );
    assert_eq!(rsa_private_key_pem(KeyPair::generate().unwrap().serialized_der()), None);
    assert_eq!(rsa_private_key_pem(b"x"), None);
}

proptest! {
    #[test]
    fn a_changed_byte_is_noticed_and_never_panics(at in 0..2_000_usize, flip in 1..=255_u8) {
        let key = KeyPair::generate().unwrap();
        let request = CertificateParams::default().serialize_request(&key).unwrap();
        let mut der = request.der().to_vec();
        let at = at % der.len();
        der[at] ^= flip;
        let pem = identity::x509::to_pem(&der).replace("CERTIFICATE", "CERTIFICATE REQUEST");
        // What is around the signed part may be written in more than one way.
        if let Ok(read) = parse_signing_request(pem.as_bytes()) {
            prop_assert_eq!(read, parse_signing_request(request.pem().unwrap().as_bytes()).unwrap());
        }
    }
}
