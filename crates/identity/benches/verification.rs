//! Nanoseconds of one SigV4 verification: `cargo bench -p identity --bench verification` prints one
//! JSON object, each figure the median over batches.
//!
//! `digests_ns` is what no verification can do without: the SHA-256 of body and canonical request
//! and the HMAC of the string to sign, for the same number of bytes. The rest is our own.
#![allow(clippy::disallowed_methods, reason = "a benchmark needs the clock")]

use std::hint::black_box;
use std::time::Instant;

use aws_lc_rs::{digest, hmac};
use http::header::{ACCEPT_ENCODING, CONTENT_LENGTH, HOST, HeaderMap, HeaderValue, USER_AGENT};
use identity::sigv4::{
    Credentials, Payload, RequestParts, Rules, Secret, Signer, SigningKeys, Target, claim, verify,
};

const NOW: i64 = 1_800_000_000;
const BODY: [u8; 256] = [b'x'; 256];
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
/// As botocore 1.44 writes it.
const TARGET: Target<'_> = Target {
    method: "POST",
    path: "/connections/lamp-0001/messages",
    query: "topic=commands%2Freboot&confirmation=true&timeout=10&contentType=application%2Fjson",
};
/// Bytes of the canonical request of all this, and of the string to sign.
const CANONICAL_BYTES: usize = 257;
const STRING_TO_SIGN_BYTES: usize = 139;

const BATCHES: usize = 1_001;
const BATCH: u32 = 100;

fn signed_headers() -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in [
        (HOST, "localhost:9443"),
        (ACCEPT_ENCODING, "identity"),
        (USER_AGENT, "Botocore/1.44.8 ua/2.1 os/linux#6.18.44 md/arch#x86_64 lang/python#3.11.7"),
        (CONTENT_LENGTH, "256"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let credentials = Credentials {
        access_key_id: "AKIDEXAMPLE",
        secret_access_key: SECRET,
        session_token: None,
    };
    let signer = Signer::new(credentials, "us-west-2", "iotdata");
    let mut signer = signer.expect("there is no session token that could be wrong");
    signer.sign_headers(TARGET, &mut headers, &BODY, NOW).expect("the request can be signed");
    let invocation = HeaderValue::from_static("5a695796-c500-45c3-9de8-c97eed3c3b04");
    headers.insert("amz-sdk-invocation-id", invocation);
    headers.insert("amz-sdk-request", HeaderValue::from_static("attempt=1; max=1"));
    headers
}

/// The median, in nanoseconds, of what `step` takes.
fn measure(mut step: impl FnMut()) -> f64 {
    let mut batches: Vec<f64> = (0..BATCHES)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..BATCH {
                step();
            }
            start.elapsed().as_secs_f64() * 1e9 / f64::from(BATCH)
        })
        .collect();
    batches.sort_unstable_by(f64::total_cmp);
    batches[BATCHES / 2]
}

fn main() {
    let headers = signed_headers();
    let Target { method, path, query } = TARGET;
    let parts = RequestParts { method, path, query, headers: &headers };
    let rules = Rules {
        region: "us-west-2",
        services: &["iotdata", "iotdevicegateway"],
        now: NOW + 1,
        secure: true,
        max_skew_seconds: 300,
    };
    let secret = Secret { secret_access_key: SECRET, session_token: None };
    let keys = SigningKeys::default();
    let read = || claim(black_box(&parts)).expect("well-formed").expect("signed");
    let prove = |claim| verify(&claim, &parts, Payload::Bytes(&BODY), &secret, &rules, &keys);
    let claim_ns = measure(|| {
        black_box(read());
    });
    let claim_and_verify_ns = measure(|| black_box(prove(read())).expect("the signature holds"));
    let key = hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]);
    let digests_ns = measure(|| {
        black_box(digest::digest(&digest::SHA256, black_box(&BODY)));
        black_box(digest::digest(&digest::SHA256, black_box(&[0; CANONICAL_BYTES])));
        black_box(hmac::sign(&key, black_box(&[0; STRING_TO_SIGN_BYTES])));
    });
    println!(
        "{{\"claim_ns\": {claim_ns:.1}, \"claim_and_verify_ns\": {claim_and_verify_ns:.1}, \
         \"digests_ns\": {digests_ns:.1}}}"
    );
}
