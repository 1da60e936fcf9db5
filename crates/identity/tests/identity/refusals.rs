//! Every way in which a claim can be wrong has its own answer.

use identity::sigv4::{Placement, Rules, SignatureError, Timestamp, TokenPlacement, claim};

use crate::signing::{CREDENTIALS, NOW, RULES, Request, presigned, temporary};

fn signed() -> Request {
    Request::direct_message().signed_by(CREDENTIALS)
}

/// The signed request with a part of its Authorization header replaced.
fn with_authorization(from: &str, to: &str) -> Request {
    let request = signed();
    let value = request.headers["authorization"].to_str().unwrap().replacen(from, to, 1);
    request.set("authorization", &value)
}

fn with_query(from: &str, to: &str) -> Request {
    let mut request = presigned(CREDENTIALS, TokenPlacement::Appended);
    assert!(request.query.contains(from), "{}", request.query);
    request.query = request.query.replacen(from, to, 1);
    request
}

fn outcome(request: &Request) -> SignatureError {
    request.check(CREDENTIALS, &RULES).expect_err("the request is wrong")
}

/// The signature in the last 64 characters cut off.
fn signature_of(request: &Request) -> String {
    let value = request.headers["authorization"].to_str().unwrap();
    value[value.len() - 64..].to_owned()
}

#[test]
fn a_malformed_authorization_header_is_named() {
    for (request, member) in [
        (with_authorization("Credential=", "Credential"), "the Authorization header"),
        (with_authorization("Signature=", "Sig=0,Signature="), "the Authorization header"),
        (with_authorization("AKIDEXAMPLE/", ""), "Credential"),
        (with_authorization("AKIDEXAMPLE/", "/"), "Credential"),
        (with_authorization("AKIDEXAMPLE/", "A/B/"), "Credential"),
        (with_authorization("aws4_request", "aws5_request"), "Credential"),
        (with_authorization("host;", "Host;"), "SignedHeaders"),
        (with_authorization("host;", "zebra;host;"), "SignedHeaders"),
        (with_authorization("host;", "host;host;"), "SignedHeaders"),
        (with_authorization("host;", "host;;"), "SignedHeaders"),
        (with_authorization("Signature=", "Signature=0"), "Signature"),
        (signed().set("authorization", "AWS4-HMAC-SHA256"), "the Authorization header"),
        (signed().set("authorization", "AWS4-HMAC-SHA256 é"), "the Authorization header"),
        (signed().set("x-amz-date", "yesterday"), "x-amz-date"),
        (signed().set("x-amz-date", "é"), "x-amz-date"),
        (signed().without("x-amz-date").set("date", "yesterday"), "the Date header"),
        (signed().set("x-amz-security-token", "é"), "x-amz-security-token"),
    ] {
        let SignatureError::Malformed { member: found, .. } = outcome(&request) else {
            panic!("{request:?}: {}", outcome(&request));
        };
        assert_eq!(found, member, "{request:?}");
    }
}

#[test]
fn a_malformed_query_parameter_is_named() {
    for (request, member) in [
        (with_query("AKIDEXAMPLE%2F", ""), "X-Amz-Credential"),
        (with_query("AKIDEXAMPLE%2F", "AKIDEXAMPLE%2"), "X-Amz-Credential"),
        (with_query("AKIDEXAMPLE%2F", "%ff%2F"), "X-Amz-Credential"),
        (with_query("SignedHeaders=host", "SignedHeaders="), "X-Amz-SignedHeaders"),
        (with_query("Signature=", "Signature=%61"), "X-Amz-Signature"),
        (with_query("X-Amz-Date=", "X-Amz-Date=1"), "x-amz-date"),
        (with_query("Expires=600", "Expires=0"), "X-Amz-Expires"),
        (with_query("Expires=600", "Expires="), "X-Amz-Expires"),
        (with_query("Expires=600", "Expires=+600"), "X-Amz-Expires"),
        (with_query("Expires=600", "Expires=-1"), "X-Amz-Expires"),
        (with_query("Expires=600", "Expires=604801"), "X-Amz-Expires"),
        (with_query("Expires=600", "Expires=99999999999"), "X-Amz-Expires"),
    ] {
        let SignatureError::Malformed { member: found, .. } = outcome(&request) else {
            panic!("{request:?}: {}", outcome(&request));
        };
        assert_eq!(found, member, "{request:?}");
    }
    assert_eq!(
        outcome(&with_query("X-Amz-Date", "a=%&X-Amz-Date")),
        SignatureError::MalformedQuery
    );
}

#[test]
fn a_missing_member_is_named() {
    let header = |member| SignatureError::Missing { member, placement: Placement::Header };
    let query = |member| SignatureError::Missing { member, placement: Placement::Query };
    let only = |rest: &str| signed().set("authorization", &format!("AWS4-HMAC-SHA256 {rest}"));
    assert_eq!(outcome(&only("Signature=0")), header("Credential"));
    let credential = "Credential=A/20270115/eu-central-1/iotdata/aws4_request";
    assert_eq!(outcome(&only(credential)), header("SignedHeaders"));
    assert_eq!(outcome(&only(&format!("{credential},SignedHeaders=host"))), header("Signature"));
    assert_eq!(outcome(&signed().without("x-amz-date")), header("x-amz-date"));
    for member in [
        "X-Amz-Algorithm",
        "X-Amz-Credential",
        "X-Amz-Date",
        "X-Amz-SignedHeaders",
        "X-Amz-Signature",
    ] {
        assert_eq!(outcome(&with_query(member, "other")), query(member));
    }
}

#[test]
fn a_member_must_not_occur_twice() {
    let twice = |member| SignatureError::Repeated { member };
    let request = with_authorization("Signature=", "Credential=A/B/C/D/aws4_request,Signature=");
    assert_eq!(outcome(&request), twice("Credential"));
    let request = with_query("X-Amz-Date=", "X-Amz-Date=20270115T080000Z&X-Amz-Date=");
    assert_eq!(outcome(&request), twice("X-Amz-Date"));
    for name in ["x-amz-date", "x-amz-security-token", "authorization"] {
        let mut request = Request::direct_message().signed_by(temporary());
        let value = request.headers[name].clone();
        request.headers.append(name, value);
        let SignatureError::Repeated { member } = outcome(&request) else {
            panic!("{}", outcome(&request));
        };
        assert!(member.eq_ignore_ascii_case(name) || member.contains("Authorization"), "{member}");
    }
}

#[test]
fn only_one_algorithm_and_one_signature_are_accepted() {
    for other in ["AWS4-ECDSA-P256-SHA256 Credential=A", "AWS AKID:signature", "AWS4-HMAC-SHA512"] {
        let error = outcome(&signed().set("authorization", other));
        assert!(matches!(error, SignatureError::UnsupportedAlgorithm { .. }), "{error}");
        assert!(error.to_string().contains("use AWS4-HMAC-SHA256"), "{error}");
    }
    let mut request = signed();
    request.query = presigned(CREDENTIALS, TokenPlacement::Appended).query;
    assert_eq!(outcome(&request), SignatureError::SignedTwice);
}

#[test]
fn the_scope_has_to_fit_the_request_and_the_endpoint() {
    let error = outcome(&with_authorization("20270115/", "20270114/"));
    assert!(matches!(error, SignatureError::ScopeDate { .. }), "{error}");
    assert_eq!(error.reason(), "SECURITY_TOKEN_INVALID");
    let error = outcome(&with_authorization("/eu-central-1/", "/us-east-1/"));
    assert_eq!(
        error.to_string(),
        "the credential scope names the region \"us-east-1\"; \
         this endpoint is in \"eu-central-1\""
    );
    let error = outcome(&with_authorization("/iotdata/", "/s3/"));
    assert_eq!(
        error.to_string(),
        "the credential scope names the service \"s3\"; sign for iotdata or iotdevicegateway"
    );
}

#[test]
fn a_request_is_good_for_five_minutes_around_its_time() {
    for (now, good) in [(-301, false), (-300, true), (300, true), (301, false)] {
        let outcome = signed().check(CREDENTIALS, &Rules { now: NOW + now, ..RULES });
        assert_eq!(outcome.is_ok(), good, "{now}");
    }
    let late = Rules { now: NOW + 3600, ..RULES };
    let error = signed().check(CREDENTIALS, &late).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("20270115T080000Z") && text.contains("20270115T090000Z"), "{text}");
    assert_eq!(error.reason(), "SECURITY_TOKEN_EXPIRED");
    for now in [i64::MIN, i64::MAX] {
        assert!(signed().check(CREDENTIALS, &Rules { now, ..RULES }).is_err());
    }
}

#[test]
fn a_presigned_url_is_good_until_it_expires() {
    let request = presigned(CREDENTIALS, TokenPlacement::Appended);
    for (now, good) in [(-301, false), (-300, true), (599, true), (600, false)] {
        let outcome = request.check(CREDENTIALS, &Rules { now: NOW + now, ..RULES });
        assert_eq!(outcome.is_ok(), good, "{now}");
    }
    let error = request.check(CREDENTIALS, &Rules { now: NOW + 600, ..RULES }).unwrap_err();
    let signed_at = Timestamp::from_unix(NOW);
    let now = Timestamp::from_unix(NOW + 600);
    assert_eq!(error, SignatureError::Expired { signed_at, lifetime_seconds: 600, now });
}

#[test]
fn a_presigned_url_without_a_lifetime_is_good_for_a_day() {
    let request = with_query("X-Amz-Expires=600&", "");
    let mismatch = request.check(CREDENTIALS, &Rules { now: NOW + 86_399, ..RULES }).unwrap_err();
    assert!(matches!(mismatch, SignatureError::Mismatch { .. }), "{mismatch}");
    let expired = request.check(CREDENTIALS, &Rules { now: NOW + 86_400, ..RULES }).unwrap_err();
    assert!(matches!(expired, SignatureError::Expired { .. }), "{expired}");
}

#[test]
fn headers_that_matter_have_to_be_signed() {
    for name in ["host", "x-amz-date", "x-amz-mqtt5-user-properties"] {
        let request = signed();
        let value = request.headers["authorization"].to_str().unwrap().to_owned();
        let list: Vec<_> = ["host", "x-amz-date", "x-amz-mqtt5-user-properties"]
            .into_iter()
            .filter(|signed| *signed != name)
            .collect();
        let all = "host;x-amz-date;x-amz-mqtt5-user-properties";
        let error = outcome(&request.set("authorization", &value.replace(all, &list.join(";"))));
        let text = format!("the header {name} is not signed; list it in SignedHeaders");
        assert_eq!(error.to_string(), text);
    }
    for added in ["x-amz-mqtt5-content-type", "x-amz-security-token"] {
        let error = outcome(&signed().set(added, "text/plain"));
        assert!(error.to_string().contains(added), "{error}");
    }
    // Without x-amz-date the Date header gives the time, and nobody may change that either.
    let value = signed().headers["authorization"].to_str().unwrap().replace("x-amz-date;", "");
    let request = signed().without("x-amz-date").set("authorization", &value);
    let error = outcome(&request.set("date", "Fri, 15 Jan 2027 08:00:00 GMT"));
    assert!(error.to_string().contains("the header date is not signed"), "{error}");
}

#[test]
fn headers_a_proxy_adds_may_stay_unsigned() {
    let request = signed().set("x-amz-cf-id", "1").set("x-amzn-trace-id", "2").set("via", "3");
    assert_eq!(request.check(CREDENTIALS, &RULES), Ok(()));
}

#[test]
fn a_signed_header_that_is_absent_is_named() {
    let error = outcome(&signed().without("x-amz-mqtt5-user-properties"));
    assert!(matches!(error, SignatureError::SignedHeaderAbsent { .. }), "{error}");
    assert!(error.to_string().contains("x-amz-mqtt5-user-properties"), "{error}");
}

#[test]
fn an_unsigned_payload_is_accepted_over_tls_only() {
    let request = Request::direct_message()
        .set("x-amz-content-sha256", "UNSIGNED-PAYLOAD")
        .signed_by(CREDENTIALS);
    assert_eq!(outcome(&request), SignatureError::UnsignedPayloadOverPlaintext);
    assert_eq!(request.check(CREDENTIALS, &Rules { secure: true, ..RULES }), Ok(()));
}

#[test]
fn a_stated_content_hash_has_to_be_the_one_of_the_body() {
    for hash in [&"0".repeat(64), "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", ""] {
        let request =
            Request::direct_message().set("x-amz-content-sha256", hash).signed_by(CREDENTIALS);
        let error = request.check(CREDENTIALS, &Rules { secure: true, ..RULES }).unwrap_err();
        assert_eq!(error, SignatureError::ContentHashMismatch { body_bytes: 11 });
        assert_eq!(error.reason(), "SECURITY_TOKEN_SIGNATURE_MISMATCH");
    }
}

#[test]
fn a_content_hash_that_is_not_signed_says_nothing() {
    let request = signed().set("x-amz-content-sha256", "UNSIGNED-PAYLOAD");
    assert_eq!(request.check(CREDENTIALS, &RULES), Ok(()));
}

#[test]
fn the_session_token_has_to_be_the_one_of_the_access_key() {
    let request = Request::direct_message().signed_by(temporary());
    let missing = signed().check(temporary(), &RULES);
    assert_eq!(missing, Err(SignatureError::SessionTokenMissing));
    assert_eq!(outcome(&request), SignatureError::SessionTokenUnexpected);
    let other = identity::sigv4::Credentials { session_token: Some("other"), ..CREDENTIALS };
    let wrong = request.check(other, &RULES).unwrap_err();
    assert_eq!(wrong, SignatureError::SessionTokenWrong);
    assert_eq!(wrong.reason(), "SECURITY_TOKEN_INVALID");
}

#[test]
fn the_wrong_secret_is_told_by_the_canonical_request_and_never_by_the_right_signature() {
    let other = identity::sigv4::Credentials { secret_access_key: "other", ..CREDENTIALS };
    let request = signed();
    let error = request.check(other, &RULES).unwrap_err();
    let right = signature_of(&Request::direct_message().signed_by(other));
    let text = error.to_string();
    assert!(matches!(error, SignatureError::Mismatch { .. }), "{text}");
    assert!(!text.contains(&right) && !text.contains(&signature_of(&request)), "{text}");
    assert_eq!(error.reason(), "SECURITY_TOKEN_SIGNATURE_MISMATCH");
}

#[test]
fn an_unknown_access_key_is_named_but_not_at_any_length() {
    let request = with_authorization("AKIDEXAMPLE", &"A".repeat(5000));
    let parts = request.parts();
    let error = claim(&parts).unwrap().unwrap().unknown_access_key();
    assert_eq!(error.reason(), "SECURITY_TOKEN_INVALID");
    assert!(error.to_string().len() < 150, "{error}");
}
