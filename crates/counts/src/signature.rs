//! The proof of a signed request.

use std::hint::black_box;

use http::header::{CONTENT_LENGTH, HOST, HeaderMap, HeaderValue, USER_AGENT};
use identity::sigv4::{self, Credentials, Payload, RequestParts, Rules, Secret, Signer, Target};
use identity::sigv4::{Field, Fields, SignatureError, SigningKeys};

/// 2027-01-15T08:00:00Z.
const NOW: i64 = 1_800_000_000;
const BODY: [u8; 256] = [b'x'; 256];
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const TARGET: Target<'_> = Target {
    method: "POST",
    path: "/connections/lamp-0001/messages",
    query: "topic=commands%2Freboot&confirmation=true&timeout=10&contentType=application%2Fjson",
};

/// Reads and proves the signature of a SendDirectMessage as botocore 1.44 sends it: `host` and
/// `x-amz-date` are signed. The signing key is at hand.
pub(crate) fn verify(iterations: u32) {
    let headers = signed_headers();
    let fields = fields(&headers);
    let fields = Fields::new(&fields);
    let parts = parts(&fields);
    let keys = SigningKeys::default();
    for _ in 0..iterations {
        let outcome = prove(black_box(&parts), black_box(&BODY), &keys);
        black_box(outcome).expect("the signature holds");
    }
}

/// Reads the claim of the same request, which takes no digest.
pub(crate) fn claim(iterations: u32) {
    let headers = signed_headers();
    let fields = fields(&headers);
    let fields = Fields::new(&fields);
    let parts = parts(&fields);
    for _ in 0..iterations {
        let claim = sigv4::claim(black_box(&parts));
        black_box(claim).expect("it is well-formed").expect("the request is signed");
    }
}

/// The headers as they stand in a request of HTTP/1.1.
fn fields(headers: &HeaderMap) -> Vec<Field<'_>> {
    let headers = headers.iter();
    headers.map(|(name, value)| Field { name: name.as_str(), value: value.as_bytes() }).collect()
}

fn parts<'a>(headers: &'a Fields<'a>) -> RequestParts<'a, Fields<'a>> {
    let Target { method, path, query } = TARGET;
    RequestParts { method, path, query, headers }
}

fn prove(
    parts: &RequestParts<'_, Fields<'_>>,
    body: &[u8],
    keys: &SigningKeys,
) -> Result<(), SignatureError> {
    let claim = sigv4::claim(parts)?.expect("the request is signed");
    let secret = Secret { secret_access_key: SECRET, session_token: None };
    let rules = Rules {
        region: "us-west-2",
        services: &["iotdata", "iotdevicegateway"],
        now: NOW + 1,
        secure: true,
        max_skew_seconds: 300,
    };
    sigv4::verify(&claim, parts, Payload::Bytes(body), &secret, &rules, keys)
}

fn signed_headers() -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in [
        (HOST, "localhost:9443"),
        (http::header::ACCEPT_ENCODING, "identity"),
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
    headers.insert("amz-sdk-invocation-id", HeaderValue::from_static(INVOCATION));
    headers.insert("amz-sdk-request", HeaderValue::from_static("attempt=1; max=1"));
    headers
}

const INVOCATION: &str = "5a695796-c500-45c3-9de8-c97eed3c3b04";
