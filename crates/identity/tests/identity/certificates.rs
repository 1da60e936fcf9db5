//! What is read from a certificate.

use std::collections::HashMap;

use identity::x509::{Certificate, CertificateError, CertificateId, parse_der, parse_pem};
use rcgen::{
    CertificateParams, DnType, DnValue, KeyPair, SanType, SerialNumber, string::Ia5String,
};

const V1_RSA: &[u8] = include_bytes!("../data/v1-rsa.pem");
const V1_RSA_KEY: &[u8] = include_bytes!("../data/v1-rsa.key.pem");

fn attributes(certificate: &Certificate) -> HashMap<String, Vec<String>> {
    certificate.policy_attributes().into_iter().collect()
}

fn self_signed(params: CertificateParams) -> Certificate {
    let key = KeyPair::generate().unwrap();
    parse_der(params.self_signed(&key).unwrap().der()).unwrap()
}

#[test]
fn a_version_1_certificate_is_read() {
    let (der, certificate) = parse_pem(V1_RSA).unwrap();
    // The numbers are those that openssl prints for the file.
    let id = "3dca9a84f2164a0a381fb9e7b0b490c5aa6e49e0d68c5210969ffb4d59808237";
    assert_eq!(certificate.id.to_string(), id);
    assert_eq!(certificate.id, CertificateId::of_der(&der));
    assert_eq!(certificate.not_before, 1_795_426_144);
    assert_eq!(certificate.not_after, 4_949_026_144);
    assert_eq!(certificate.serial, "c0ffee01");
    assert_eq!(certificate.subject_common_name.as_deref(), Some("device-rsa"));
    assert_eq!(parse_der(&der), Ok(certificate));
}

#[test]
fn policies_see_subject_and_issuer() {
    let (_, certificate) = parse_pem(V1_RSA).unwrap();
    let found = attributes(&certificate);
    for (name, values) in [
        ("Subject.Country", &["DE"][..]),
        ("Subject.State", &["Berlin"]),
        ("Subject.Organization", &["Tenfour tests"]),
        ("Subject.OrganizationalUnit", &["One", "Two"]),
        ("Subject.CommonName", &["device-rsa"]),
        ("Subject.SerialNumber", &["42"]),
        ("Issuer.CommonName", &["Test CA"]),
        ("SerialNumber", &["c0ffee01"]),
    ] {
        assert_eq!(found[name], values, "{name}");
    }
    assert!(!found.contains_key("Subject.Title") && !found.contains_key("Issuer.State"));
}

#[test]
fn policies_see_every_member_of_a_name_by_its_own_name() {
    let members = [
        ("Title", 12),
        ("Surname", 4),
        ("GivenName", 42),
        ("Initials", 43),
        ("Pseudonym", 65),
        ("GenerationQualifier", 44),
        ("DistinguishedNameQualifier", 46),
    ];
    let mut params = CertificateParams::default();
    for (name, arc) in members {
        params.distinguished_name.push(DnType::CustomDnType(vec![2, 5, 4, arc]), name);
    }
    let found = attributes(&self_signed(params));
    for (name, _) in members {
        assert_eq!(found[&format!("Subject.{name}")], [name]);
        assert_eq!(found[&format!("Issuer.{name}")], [name]);
    }
}

#[test]
fn policies_see_alternative_names() {
    let mut params = CertificateParams::new(vec!["a.example".into(), "b.example".into()]).unwrap();
    params.subject_alt_names.extend([
        SanType::Rfc822Name(Ia5String::try_from("x@example").unwrap()),
        SanType::URI(Ia5String::try_from("urn:x").unwrap()),
        SanType::IpAddress("192.0.2.7".parse().unwrap()),
        SanType::IpAddress("2001:db8::1".parse().unwrap()),
    ]);
    let found = attributes(&self_signed(params));
    assert_eq!(found["AlternativeName.DNSName"], ["a.example", "b.example"]);
    assert_eq!(found["AlternativeName.RFC822Name"], ["x@example"]);
    assert_eq!(found["AlternativeName.UniformResourceIdentifier"], ["urn:x"]);
    assert_eq!(found["AlternativeName.IPAddress"], ["192.0.2.7", "2001:db8::1"]);
}

#[test]
fn policies_see_five_values_at_most() {
    let names: Vec<String> = (0..9).map(|n| format!("{n}.example")).collect();
    let found = attributes(&self_signed(CertificateParams::new(names.clone()).unwrap()));
    assert_eq!(found["AlternativeName.DNSName"], names[..5]);
}

#[test]
fn a_value_that_is_too_long_hides_its_attribute() {
    for (length, visible) in [(1024, true), (1025, false)] {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::OrganizationName, "ü".repeat(length));
        let found = attributes(&self_signed(params));
        assert_eq!(found.contains_key("Subject.Organization"), visible, "{length}");
    }
}

#[test]
fn an_unreadable_value_hides_its_attribute_and_no_other() {
    let mut params = CertificateParams::new(vec!["a.example".into(), "b.example".into()]).unwrap();
    params.subject_alt_names.push(SanType::IpAddress("192.0.2.7".parse().unwrap()));
    let mut der = params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec();
    let at = der.windows(9).position(|bytes| bytes == b"a.example").unwrap();
    der[at] = 0xff;
    let found = attributes(&parse_der(&der).unwrap());
    assert!(!found.contains_key("AlternativeName.DNSName"));
    assert_eq!(found["AlternativeName.IPAddress"], ["192.0.2.7"]);
}

#[test]
fn a_two_byte_string_is_read_as_text() {
    let mut params = CertificateParams::default();
    let value = DnValue::BmpString(rcgen::string::BmpString::try_from("Gerät").unwrap());
    params.distinguished_name.push(DnType::CommonName, value);
    let certificate = self_signed(params);
    assert_eq!(certificate.subject_common_name.as_deref(), Some("Gerät"));
    assert_eq!(attributes(&certificate)["Subject.CommonName"], ["Gerät"]);
}

#[test]
fn a_serial_number_loses_its_sign_byte_only() {
    for (serial, text) in [(&[0xff][..], "ff"), (&[1, 0], "0100")] {
        let mut params = CertificateParams::default();
        params.serial_number = Some(SerialNumber::from_slice(serial));
        assert_eq!(self_signed(params).serial, text);
    }
}

#[test]
fn the_first_certificate_of_a_bundle_counts() {
    let mut bundle = b"some text\n".to_vec();
    bundle.extend_from_slice(V1_RSA_KEY);
    bundle.extend_from_slice(V1_RSA);
    bundle.extend_from_slice(include_bytes!("../data/v1-ecdsa.pem"));
    let (_, certificate) = parse_pem(&bundle).unwrap();
    assert_eq!(certificate.subject_common_name.as_deref(), Some("device-rsa"));
}

#[test]
fn what_was_found_instead_of_a_certificate_is_said() {
    assert_eq!(
        parse_pem(V1_RSA_KEY),
        Err(CertificateError::NotACertificate { found: "a private key" })
    );
    assert_eq!(parse_pem(b"hello"), Err(CertificateError::NoPem));
    assert_eq!(parse_pem(b""), Err(CertificateError::NoPem));
    assert_eq!(parse_pem(&V1_RSA[..400]), Err(CertificateError::DamagedPem));
    let empty = b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n";
    assert!(matches!(parse_pem(empty), Err(CertificateError::Malformed { .. })));
}

#[test]
fn bytes_after_a_certificate_and_cut_certificates_are_refused() {
    let (mut der, _) = parse_pem(V1_RSA).unwrap();
    for length in 0..der.len() {
        let outcome = parse_der(&der[..length]);
        assert!(matches!(outcome, Err(CertificateError::Malformed { .. })), "{length}");
    }
    der.push(0);
    assert_eq!(parse_der(&der), Err(CertificateError::TrailingBytes { bytes: 1 }));
}
