//! Device Shadows.

use http::StatusCode;
use serde_json::json;

use crate::fixture::{EVERYTHING, Fixture, eventually};

const SHADOW: &str = "/things/lamp/shadow";

#[tokio::test]
async fn an_update_is_answered_when_it_is_durable_and_a_read_of_it_as_well() {
    let fixture = Fixture::new();
    fixture.records.hold();
    let ask = |method, body| {
        let fixture = fixture.clone();
        tokio::spawn(async move { fixture.ask_as(EVERYTHING, method, SHADOW, body).await })
    };
    let updating = ask("POST", br#"{"state":{"desired":{"on":true}}}"#.as_slice());
    eventually(|| fixture.records.waiting() == 1).await;
    let reading = ask("GET", b"".as_slice());
    // Another shadow does not wait.
    let other = fixture.get("/things/door/shadow").await;
    assert_eq!(other.status, StatusCode::NOT_FOUND);
    assert!(!updating.is_finished() && !reading.is_finished());
    assert!(fixture.entries("UpdateThingShadow").is_empty());
    fixture.records.release();
    let (updated, read) = (updating.await.expect("no panic"), reading.await.expect("no panic"));
    assert_eq!((updated.status, &updated.body["version"]), (StatusCode::OK, &json!(1)));
    assert_eq!(read.body["state"]["delta"], json!({"on": true}));
    let entry = fixture.entry("UpdateThingShadow");
    assert_eq!((&entry["status"], &entry["protocol"]), (&json!("Success"), &json!("HTTP")));
    assert_eq!(entry["deviceShadowName"], "lamp");
    assert_eq!(entry["topicName"], "$aws/things/lamp/shadow/update");
}

#[tokio::test]
async fn refusals_are_answered_and_logged_in_the_same_words() {
    let fixture = Fixture::new();
    let body = br#"{"state":{},"version":3}"#;
    let answer = fixture.ask_as(EVERYTHING, "POST", "/things/lamp/shadow?name=a", body).await;
    assert_eq!((answer.status, answer.reason()), (StatusCode::CONFLICT, "VERSION_CONFLICT"));
    assert_eq!(answer.error.as_deref(), Some("ConflictException"));
    let entry = fixture.entry("UpdateThingShadow");
    assert_eq!(
        (&entry["reason"], &entry["details"]),
        (&answer.body["reason"], &answer.body["message"])
    );
    assert_eq!(entry["deviceShadowName"], "a");
    let answer = fixture.ask_as(EVERYTHING, "DELETE", "/things/la%2Fmp/shadow", b"").await;
    assert_eq!(answer.reason(), "INVALID_THING_NAME");
    let entry = fixture.entry("DeleteThingShadow");
    assert_eq!((&entry["deviceShadowName"], entry.get("topicName")), (&json!("la/mp"), None));
}

#[tokio::test]
async fn whoever_may_not_learns_nothing() {
    const READER: &str = r#"{"Effect":"Allow","Action":"iot:GetThingShadow",
        "Resource":"arn:aws:iot:us-west-2:123456789012:thing/lamp"}"#;
    let fixture = Fixture::new();
    let body = br#"{"state":{}}"#;
    for uri in [SHADOW, "/things/lamp/shadow?name=config"] {
        let answer = fixture.ask_as(EVERYTHING, "POST", uri, body).await;
        assert_eq!(answer.status, StatusCode::OK);
    }
    let answer = fixture.ask_as(READER, "GET", SHADOW, b"").await;
    assert_eq!(answer.status, StatusCode::OK);
    for (method, uri) in [
        ("POST", SHADOW),
        ("DELETE", SHADOW),
        ("GET", "/things/lamp/shadow?name=config"),
        ("GET", "/things/lamp/shadow?name=absent"),
        ("GET", "/things/door/shadow"),
        ("GET", "/api/things/shadow/ListNamedShadowsForThing/lamp"),
    ] {
        let answer = fixture.ask_as(READER, method, uri, body).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{method} {uri}");
        assert_eq!(answer.reason(), "AUTHORIZATION_FAILURE");
    }
}
