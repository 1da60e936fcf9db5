//! SigV4: claims and proofs of arbitrary requests never panic or pass, and what is signed
//! verifies.

#![no_main]

use std::num::NonZeroUsize;

use http::header::{HOST, HeaderMap, HeaderName, HeaderValue};
use identity::sigv4::{
    Credentials, Payload, Presign, RequestParts, Rules, Secret, Signer, SigningKeys, Target,
    TokenPlacement, claim, verify,
};
use libfuzzer_sys::fuzz_target;

const NOW: i64 = 1_440_938_160;
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const RULES: Rules<'static> = Rules {
    region: "us-east-1",
    services: &["iotdata", "iotdevicegateway"],
    now: NOW,
    secure: true,
    max_skew_seconds: 300,
};

/// One line each: method, path, query, headers up to an empty line; then the body.
struct Input<'a> {
    method: &'a str,
    path: &'a str,
    query: &'a str,
    headers: HeaderMap,
    body: &'a [u8],
}

impl<'a> Input<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let end = bytes.windows(2).position(|pair| pair == b"\n\n").unwrap_or(bytes.len());
        let mut lines = std::str::from_utf8(&bytes[..end]).ok()?.split('\n');
        let (method, path, query) = (lines.next()?, lines.next()?, lines.next()?);
        let mut headers = HeaderMap::new();
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.trim().parse()) {
                headers.append(name, value);
            }
        }
        let body = bytes.get(end + 2..).unwrap_or_default();
        Some(Input { method, path, query, headers, body })
    }

    fn parts(&self) -> RequestParts<'_> {
        RequestParts {
            method: self.method,
            path: self.path,
            query: self.query,
            headers: &self.headers,
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Some(mut input) = Input::read(bytes) else { return };
    let keys = SigningKeys::new(NonZeroUsize::MIN);
    // Session tokens are printable ASCII without spaces.
    let token = std::str::from_utf8(input.body).ok();
    let token = token.filter(|t| !t.is_empty() && t.bytes().all(|byte| byte.is_ascii_graphic()));
    for session_token in [None, token] {
        let secret = Secret { secret_access_key: SECRET, session_token };
        if let Ok(Some(claim)) = claim(&input.parts()) {
            let body = Payload::Bytes(input.body);
            // A seed that was signed with the secret may pass; nothing may panic.
            let _ = verify(&claim, &input.parts(), body, &secret, &RULES, &keys);
        }
        for name in ["authorization", "x-amz-content-sha256", "x-amz-security-token"] {
            input.headers.remove(name);
        }
        if claim(&input.parts()).is_ok_and(|claim| claim.is_none()) {
            signed_headers_verify(&mut input, session_token, &keys);
            presigned_query_verifies(&input, session_token, &keys);
        }
    }
});

fn signer(session_token: Option<&str>) -> Option<Signer> {
    let credentials =
        Credentials { access_key_id: "AKIDEXAMPLE", secret_access_key: SECRET, session_token };
    Signer::new(credentials, "us-east-1", "iotdata").ok()
}

fn signed_headers_verify(input: &mut Input<'_>, session_token: Option<&str>, keys: &SigningKeys) {
    let Some(mut signer) = signer(session_token) else { return };
    let Input { method, path, query, headers, body } = input;
    let (method, path, query, body): (&str, &str, &str, &[u8]) = (method, path, query, body);
    let mut headers = headers.clone();
    headers.insert(HOST, HeaderValue::from_static("localhost:9443"));
    let target = Target { method, path, query };
    if signer.sign_headers(target, &mut headers, body, NOW).is_err() {
        return;
    }
    let parts = RequestParts { method, path, query, headers: &headers };
    let secret = Secret { secret_access_key: SECRET, session_token };
    let proven = claim(&parts).expect("well-formed").expect("signed");
    verify(&proven, &parts, Payload::Bytes(body), &secret, &RULES, keys).expect("what was signed");

    let longer = [body, b"x"].concat();
    let tampered = Payload::Bytes(&longer);
    assert!(verify(&proven, &parts, tampered, &secret, &RULES, keys).is_err());
    let late = Rules { now: NOW + 301, ..RULES };
    assert!(verify(&proven, &parts, Payload::Bytes(body), &secret, &late, keys).is_err());
}

fn presigned_query_verifies(input: &Input<'_>, session_token: Option<&str>, keys: &SigningKeys) {
    let Some(mut signer) = signer(session_token) else { return };
    let Input { path, query, .. } = input;
    // What is to be presigned holds no parameter of a signature yet, spelled plainly or escaped.
    if query.contains("X-Amz-") || query.contains("%") {
        return;
    }
    let host = "localhost:9443";
    let headers = HeaderMap::from_iter([(HOST, HeaderValue::from_static(host))]);
    for token in [TokenPlacement::Appended, TokenPlacement::Signed] {
        let target = Target { method: "GET", path, query };
        let wanted = Presign { target, host, expires_seconds: Some(60), token };
        let Ok(query) = signer.presign_query(&wanted, NOW) else { return };
        let parts = RequestParts { method: "GET", path, query: &query, headers: &headers };
        let secret = Secret { secret_access_key: SECRET, session_token };
        let proven = claim(&parts).expect("well-formed").expect("signed");
        verify(&proven, &parts, Payload::Empty, &secret, &RULES, keys).expect("what was signed");
    }
}
