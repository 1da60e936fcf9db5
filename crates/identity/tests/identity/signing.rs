//! What our signer signs, our verifier accepts, and nothing else.

use http::{HeaderMap, HeaderName, HeaderValue};
use identity::sigv4::{
    Credentials, Payload, Presign, RequestParts, Rules, Secret, SignatureError, Signer,
    SigningKeys, Target, TokenPlacement, claim, verify,
};
use proptest::prelude::*;

pub const NOW: i64 = 1_800_000_000;
pub const CREDENTIALS: Credentials<'_> = Credentials {
    access_key_id: "AKIDEXAMPLE",
    secret_access_key: "not/a+secret",
    session_token: None,
};
pub const RULES: Rules<'_> = Rules {
    region: "eu-central-1",
    services: &["iotdata", "iotdevicegateway"],
    now: NOW,
    secure: false,
    max_skew_seconds: 300,
};

/// A request as a test can change it.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub query: String,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Request {
    /// A direct message with every kind of header that matters, not signed yet.
    pub fn direct_message() -> Self {
        let headers = [
            ("host", "localhost:8443"),
            ("x-amz-mqtt5-user-properties", "W3siYSI6ImIifV0="),
            ("user-agent", "tests"),
        ];
        Self {
            method: "POST".to_owned(),
            path: "/connections/device%2F1/messages".to_owned(),
            query: "topic=cmd%2Frun&confirmation=true&timeout=5".to_owned(),
            headers: HeaderMap::from_iter(headers.map(|(name, value)| {
                (HeaderName::from_static(name), HeaderValue::from_static(value))
            })),
            body: b"{\"on\":true}".to_vec(),
        }
    }

    pub fn web_socket(query: String) -> Self {
        let host = HeaderValue::from_static("localhost");
        Self {
            method: "GET".to_owned(),
            path: "/mqtt".to_owned(),
            query,
            headers: HeaderMap::from_iter([(http::header::HOST, host)]),
            body: Vec::new(),
        }
    }

    pub fn parts(&self) -> RequestParts<'_> {
        let Self { method, path, query, headers, .. } = self;
        RequestParts { method, path, query, headers }
    }

    pub fn signed_by(mut self, credentials: Credentials<'_>) -> Self {
        let mut signer = Signer::new(credentials, "eu-central-1", "iotdata").unwrap();
        let target = Target { method: &self.method, path: &self.path, query: &self.query };
        signer.sign_headers(target, &mut self.headers, &self.body, NOW).unwrap();
        self
    }

    pub fn set(mut self, name: &'static str, value: &str) -> Self {
        self.headers.insert(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        self
    }

    pub fn without(mut self, name: &'static str) -> Self {
        self.headers.remove(name);
        self
    }

    /// The outcome with the secret of `credentials` looked up.
    pub fn check(
        &self,
        credentials: Credentials<'_>,
        rules: &Rules<'_>,
    ) -> Result<(), SignatureError> {
        let parts = self.parts();
        let claim = claim(&parts)?.expect("the request is signed");
        let Credentials { secret_access_key, session_token, .. } = credentials;
        let secret = Secret { secret_access_key, session_token };
        let payload =
            if self.body.is_empty() { Payload::Empty } else { Payload::Bytes(&self.body) };
        verify(&claim, &parts, payload, &secret, rules, &SigningKeys::default())
    }
}

pub fn temporary() -> Credentials<'static> {
    Credentials { session_token: Some("token/with+signs=="), ..CREDENTIALS }
}

pub fn presigned(credentials: Credentials<'_>, token: TokenPlacement) -> Request {
    let mut signer = Signer::new(credentials, "eu-central-1", "iotdevicegateway").unwrap();
    let target = Target { method: "GET", path: "/mqtt", query: "" };
    let presign = Presign { target, host: "localhost", expires_seconds: Some(600), token };
    Request::web_socket(signer.presign_query(&presign, NOW).unwrap())
}

#[test]
fn a_request_without_sigv4_makes_no_claim() {
    let request = Request::direct_message();
    assert!(claim(&request.parts()).unwrap().is_none());
    for other in ["Bearer abc", "Basic YTpi", "bearer AWS4-HMAC-SHA256"] {
        assert!(claim(&request.clone().set("authorization", other).parts()).unwrap().is_none());
    }
}

#[test]
fn a_signed_request_is_accepted_with_and_without_a_session_token() {
    for credentials in [CREDENTIALS, temporary()] {
        let request = Request::direct_message().signed_by(credentials);
        assert_eq!(request.check(credentials, &RULES), Ok(()));
    }
}

#[test]
fn a_presigned_url_is_accepted_with_its_token_inside_and_outside_of_the_signature() {
    for token in [TokenPlacement::Appended, TokenPlacement::Signed] {
        for credentials in [CREDENTIALS, temporary()] {
            let request = presigned(credentials, token);
            assert_eq!(request.check(credentials, &RULES), Ok(()), "{token:?}");
        }
    }
}

#[test]
fn one_signer_serves_many_requests_and_days() {
    let mut signer = Signer::new(CREDENTIALS, "eu-central-1", "iotdata").unwrap();
    for now in [NOW, NOW + 1, NOW + 86_400, NOW] {
        let mut request = Request::direct_message();
        let Request { method, path, query, headers, body } = &mut request;
        let target = Target { method, path, query };
        signer.sign_headers(target, headers, body, now).unwrap();
        assert_eq!(request.check(CREDENTIALS, &Rules { now, ..RULES }), Ok(()));
    }
}

#[test]
fn a_request_signed_again_is_as_good_as_new() {
    let request = Request::direct_message().signed_by(temporary()).signed_by(temporary());
    assert_eq!(request.check(temporary(), &RULES), Ok(()));
}

#[test]
fn signing_without_a_host_fails() {
    let mut signer = Signer::new(CREDENTIALS, "eu-central-1", "iotdata").unwrap();
    let target = Target { method: "GET", path: "/", query: "" };
    let error = signer.sign_headers(target, &mut HeaderMap::new(), b"", NOW).unwrap_err();
    assert!(error.to_string().contains("host"), "{error}");
}

#[test]
fn secrets_do_not_show_in_debug_output() {
    let signer = Signer::new(temporary(), "eu-central-1", "iotdata").unwrap();
    let request = Request::direct_message().signed_by(temporary());
    let parts = request.parts();
    let claim = claim(&parts).unwrap().unwrap();
    let shown = format!("{signer:?} {claim:?} {:?} {:?}", temporary(), SigningKeys::default());
    assert!(!shown.contains("not/a+secret") && !shown.contains("token/with"), "{shown}");
}

/// Any text a client may put into a path segment, a query value or a header.
fn segment() -> impl Strategy<Value = String> {
    "([a-zA-Z0-9_~$@:!-]|%[0-9A-F]{2}|[äσ]){1,12}"
}

fn request() -> impl Strategy<Value = Request> {
    let query = proptest::collection::vec((segment(), segment()), 0..5);
    let body = proptest::collection::vec(any::<u8>(), 0..64);
    (segment(), query, "[ -~]{0,24}", body).prop_map(|(segment, query, value, body)| {
        let query: Vec<_> =
            query.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut request = Request::direct_message().set("x-amz-mqtt5-content-type", &value);
        request.path = format!("/topics/{segment}");
        request.query = query.join("&");
        request.body = body;
        request
    })
}

/// Puts another letter or digit at a place of a text that holds one, or appends one.
fn changed(text: &str, place: prop::sample::Index) -> String {
    let mut bytes = text.as_bytes().to_vec();
    // Percent-encoded bytes are left alone: %7E and ~ are the same byte in a query.
    let places: Vec<usize> = (0..bytes.len())
        .filter(|at| bytes[*at].is_ascii_alphanumeric())
        .filter(|at| !bytes[at.saturating_sub(2)..*at].contains(&b'%'))
        .collect();
    match places.is_empty() {
        true => bytes.push(b'x'),
        false => {
            let byte = &mut bytes[places[place.index(places.len())]];
            *byte = if *byte == b'x' { b'y' } else { b'x' };
        }
    }
    String::from_utf8(bytes).unwrap()
}

proptest! {
    #[test]
    fn whatever_is_signed_is_accepted(request in request()) {
        prop_assert_eq!(request.signed_by(CREDENTIALS).check(CREDENTIALS, &RULES), Ok(()));
    }

    #[test]
    fn a_changed_path_is_refused(request in request(), place: prop::sample::Index) {
        let mut request = request.signed_by(CREDENTIALS);
        request.path = changed(&request.path, place);
        prop_assert!(request.check(CREDENTIALS, &RULES).is_err());
    }

    #[test]
    fn a_changed_query_is_refused(request in request(), place: prop::sample::Index) {
        let mut request = request.signed_by(CREDENTIALS);
        request.query = changed(&request.query, place);
        prop_assert!(request.check(CREDENTIALS, &RULES).is_err());
    }

    #[test]
    fn a_changed_body_is_refused(
        request in request(), place: prop::sample::Index, flip in 1..=255_u8,
    ) {
        let mut request = request.signed_by(CREDENTIALS);
        request.body.push(0);
        let at = place.index(request.body.len());
        request.body[at] ^= flip;
        prop_assert!(request.check(CREDENTIALS, &RULES).is_err());
    }

    #[test]
    fn a_changed_signed_header_is_refused(
        request in request(),
        place: prop::sample::Index,
        name in prop::sample::select(vec![
            "host", "x-amz-date", "x-amz-mqtt5-content-type", "x-amz-mqtt5-user-properties",
        ]),
    ) {
        let request = request.signed_by(CREDENTIALS);
        let value = changed(request.headers[name].to_str().unwrap(), place);
        prop_assert!(request.set(name, &value).check(CREDENTIALS, &RULES).is_err());
    }

    #[test]
    fn a_changed_character_of_the_signature_is_refused(
        place: prop::sample::Index, digit in "[0-9a-f]",
    ) {
        let request = Request::direct_message().signed_by(CREDENTIALS);
        let mut value = request.headers["authorization"].to_str().unwrap().to_owned();
        let at = value.len() - 64 + place.index(64);
        prop_assume!(value[at..=at] != digit);
        value.replace_range(at..=at, &digit);
        let outcome = request.set("authorization", &value).check(CREDENTIALS, &RULES);
        let mismatch = matches!(outcome, Err(SignatureError::Mismatch { .. }));
        prop_assert!(mismatch, "{:?}", outcome);
    }

    #[test]
    fn no_authorization_header_makes_the_reader_panic(
        value in "AWS4-HMAC-SHA256 [ -~é]{0,80}", query in "(X-Amz-[A-Za-z]{1,9}|[ -~é&=%]){0,40}",
    ) {
        let mut request = Request::direct_message().set("authorization", &value);
        let _ = claim(&request.parts());
        request.query = query;
        let _ = claim(&request.without("authorization").parts());
    }

    #[test]
    fn no_broken_presigned_url_makes_the_reader_panic(
        place: prop::sample::Index, junk in "[ -~é%/]{0,3}",
    ) {
        let mut request = presigned(temporary(), TokenPlacement::Signed);
        let at = place.index(request.query.len());
        request.query.replace_range(at..=at, &junk);
        if let Ok(Some(_)) = claim(&request.parts()) {
            let _ = request.check(temporary(), &RULES);
        }
    }
}
