//! Requests that others signed: AWS's published test suite, and botocore.

use http::{HeaderMap, HeaderName, HeaderValue};
use identity::sigv4::{
    Credentials, Payload, RequestParts, Rules, Secret, Signer, SigningKeys, Target, Timestamp,
    claim, verify,
};

const SUITE: &str = include_str!("../vectors/aws-sig-v4-test-suite.txt");
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

struct Case<'a> {
    name: &'a str,
    target: Target<'a>,
    headers: HeaderMap,
    body: &'a str,
    authorization: &'a str,
}

impl<'a> Case<'a> {
    fn parse(text: &'a str) -> Self {
        let (name, text) = text.split_once('\n').unwrap();
        let (request, authorization) = text.split_once("\n--- authorization\n").unwrap();
        let (head, body) = request.split_once("\n\n").unwrap_or((request, ""));
        let (method, rest) = request.lines().next().unwrap().split_once(' ').unwrap();
        let uri = rest.strip_suffix(" HTTP/1.1").unwrap();
        let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
        let mut headers = HeaderMap::new();
        let mut header = HeaderName::from_static("none");
        for line in head.lines().skip(1) {
            // The suite counts each line of a folded header as a value of its own.
            let value = match line.split_once(':') {
                Some((next, value)) => {
                    header = HeaderName::try_from(next).unwrap();
                    value
                }
                None => line,
            };
            headers.append(&header, HeaderValue::from_str(value).unwrap());
        }
        let authorization = authorization.trim_end();
        Self { name, target: Target { method, path, query }, headers, body, authorization }
    }

    fn all() -> Vec<Self> {
        SUITE.split("=== ").skip(1).map(Case::parse).collect()
    }
}

fn now() -> i64 {
    Timestamp::parse_basic("20150830T123600Z").unwrap().unix()
}

#[test]
fn every_request_of_the_suite_is_accepted() {
    let keys = SigningKeys::default();
    let cases = Case::all();
    assert_eq!(cases.len(), 31);
    for mut case in cases {
        if case.name == "post-x-www-form-urlencoded-parameters" {
            // Services with form parameters count them as the query. A data plane has none: its
            // body is opaque whatever its content type is (spec 1.1).
            case.target.query = std::mem::take(&mut case.body);
        }
        case.headers.insert("authorization", HeaderValue::from_str(case.authorization).unwrap());
        let Target { method, path, query } = case.target;
        let parts = RequestParts { method, path, query, headers: &case.headers };
        let claim = claim(&parts).unwrap().unwrap();
        assert_eq!(claim.access_key_id(), "AKIDEXAMPLE");
        let secret = Secret { secret_access_key: SECRET, session_token: claim.session_token() };
        let rules = Rules {
            region: "us-east-1",
            services: &["service"],
            now: now(),
            secure: false,
            max_skew_seconds: 300,
        };
        let payload = Payload::Bytes(case.body.as_bytes());
        assert_eq!(
            verify(&claim, &parts, payload, &secret, &rules, &keys),
            Ok(()),
            "{}",
            case.name
        );
    }
}

#[test]
fn our_signer_writes_the_authorization_header_of_the_suite() {
    let credentials = Credentials {
        access_key_id: "AKIDEXAMPLE",
        secret_access_key: SECRET,
        session_token: None,
    };
    let mut signer = Signer::new(credentials, "us-east-1", "service").unwrap();
    // Our signer signs host and x-amz-* headers; the suite has cases that sign more than that.
    let only_ours = |case: &Case<'_>| {
        let ours = |name: &HeaderName| name == "host" || name.as_str().starts_with("x-amz-");
        case.headers.keys().all(ours)
    };
    let cases: Vec<_> = Case::all().into_iter().filter(only_ours).collect();
    assert!(cases.len() > 20, "only {} cases are left", cases.len());
    for mut case in cases {
        let body = case.body.as_bytes();
        signer.sign_headers(case.target, &mut case.headers, body, now()).unwrap();
        assert_eq!(case.headers["authorization"], case.authorization, "{}", case.name);
    }
}

/// Requests signed by botocore 1.43.11 at 2027-01-15T08:00:00Z, as it sends them to the data plane.
mod botocore {
    use identity::sigv4::Rules;

    use crate::signing::{CREDENTIALS, NOW, RULES, Request, temporary};

    fn authorized(request: Request, signed_headers: &str, signature: &str) -> Request {
        let value = format!(
            "AWS4-HMAC-SHA256 \
             Credential=AKIDEXAMPLE/20270115/eu-central-1/iotdata/aws4_request, \
             SignedHeaders={signed_headers}, Signature={signature}"
        );
        request.set("x-amz-date", "20270115T080000Z").set("authorization", &value)
    }

    #[test]
    fn a_direct_message_with_temporary_credentials_is_accepted() {
        let mut request = authorized(
            Request::direct_message(),
            "host;x-amz-date;x-amz-mqtt5-user-properties;x-amz-security-token",
            "6adddc9a73aee91a856fe09c692c6ce41b520eb31019b936ccb69930ef4d205d",
        )
        .set("x-amz-security-token", "token/with+signs==");
        request.path = "/connections/device%2F1%20a~b%2B/messages".to_owned();
        request.query = "topic=cmd%2Frun%20now&confirmation=true&timeout=5".to_owned();
        assert_eq!(request.check(temporary(), &RULES), Ok(()));
    }

    #[test]
    fn a_path_that_is_not_normal_and_an_empty_body_are_accepted() {
        let mut request = authorized(
            Request::direct_message().without("x-amz-mqtt5-user-properties"),
            "host;x-amz-date",
            "73409a4e79d99c7afd077e60c6575120654952f80eb1a19c61d81b67f770ef37",
        );
        request.path = "/topics//a/./b/../c%2F/".to_owned();
        request.query.clear();
        request.body.clear();
        assert_eq!(request.check(CREDENTIALS, &RULES), Ok(()));
    }

    #[test]
    fn a_presigned_url_with_a_signed_token_is_accepted() {
        let query = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20270115\
            %2Feu-central-1%2Fiotdevicegateway%2Faws4_request&X-Amz-Date=20270115T080000Z\
            &X-Amz-Expires=600&X-Amz-SignedHeaders=host\
            &X-Amz-Security-Token=token%2Fwith%2Bsigns%3D%3D&X-Amz-Signature=\
            26dccc5d0907f1040d06ceefad1689f13c2e03a3c7134ddca4f02438ff6c076a";
        let request = Request::web_socket(query.to_owned());
        assert_eq!(request.check(temporary(), &Rules { now: NOW + 599, ..RULES }), Ok(()));
    }
}
