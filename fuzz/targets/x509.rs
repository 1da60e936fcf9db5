//! X.509 certificates, as DER and as PEM.

#![no_main]

use identity::x509::{Certificate, parse_der, parse_pem};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    match parse_der(bytes) {
        Ok(certificate) => check(&certificate),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    match parse_pem(bytes) {
        Ok((der, certificate)) => {
            check(&certificate);
            assert!(parse_der(&der).is_ok());
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});

fn check(certificate: &Certificate) {
    for (name, values) in certificate.policy_attributes() {
        assert!(!name.is_empty());
        assert!((1..=5).contains(&values.len()));
    }
}
