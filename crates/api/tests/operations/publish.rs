//! Publish.

use std::time::Duration;

use engine::limits::Quotas;
use engine::rate::Rate;
use http::StatusCode;
use serde_json::json;
use store::{StoreError, Trouble};

use crate::fixture::{Answer, EVERYTHING, Fixture, eventually};

#[tokio::test]
async fn a_publish_is_answered_and_logged_once() {
    let fixture = Fixture::new();
    let answer = fixture.publish("a%2Fb?qos=1&retain=true", b"on").await;
    assert_eq!((answer.status, &answer.body["message"]), (StatusCode::OK, &json!("OK")));
    let entry = fixture.entry("Publish-In");
    for (name, value) in [
        ("traceId", answer.body["traceId"].clone()),
        ("status", "Success".into()),
        ("logLevel", "INFO".into()),
        ("protocol", "HTTP".into()),
        ("topicName", "a/b".into()),
        ("retain", "True".into()),
        ("principalId", "AIDAEXAMPLE".into()),
        ("sourceIp", "192.0.2.7".into()),
        ("sourcePort", 40_123.into()),
    ] {
        assert_eq!(entry[name], value, "{name}");
    }
    assert_eq!(entry.get("clientId"), None, "over HTTP there is none");
}

#[tokio::test]
async fn the_answer_waits_until_the_message_is_durable() {
    let fixture = Fixture::new();
    fixture.records.hold();
    let asked = fixture.clone();
    let answer = tokio::spawn(async move { asked.publish("kept?qos=1&retain=true", b"on").await });
    eventually(|| fixture.records.waiting() > 0).await;
    // What need not be kept is answered meanwhile.
    let other = fixture.publish("not-kept", b"on").await;
    assert_eq!(other.status, StatusCode::OK);
    assert!(!answer.is_finished());
    assert_eq!(fixture.entry("Publish-In")["topicName"], "not-kept");
    fixture.records.release();
    assert_eq!(answer.await.expect("no panic").status, StatusCode::OK);
    assert_eq!(fixture.entries("Publish-In").len(), 2);
}

#[tokio::test]
async fn a_message_that_cannot_be_kept_is_an_error_without_internal_details() {
    let fixture = Fixture::new();
    fixture.records.fail_from(0, StoreError::new(Trouble::Io, "the disk is full"));
    for _ in 0..2 {
        let answer = fixture.publish("kept?qos=1&retain=true", b"on").await;
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(answer.error.as_deref(), Some("InternalFailureException"));
        assert_eq!(answer.reason(), "MESSAGE_NOT_KEPT");
        let message = answer.body["message"].as_str().expect("a text");
        assert!(message.contains("cannot be kept"), "{message}");
        assert!(!message.contains("the disk is full"), "{message}");
    }
    let entries = fixture.entries("Publish-In");
    assert_eq!(entries.len(), 2);
    for entry in entries {
        assert_eq!(
            (&entry["status"], &entry["reason"]),
            (&json!("Failure"), &json!("MESSAGE_NOT_KEPT"))
        );
    }
}

#[tokio::test]
async fn a_sender_that_goes_away_leaves_an_entry_of_what_became_of_its_message() {
    let fixture = Fixture::new();
    fixture.records.hold();
    let asked = fixture.clone();
    let answer = tokio::spawn(async move { asked.publish("kept?retain=true", b"on").await });
    eventually(|| fixture.records.waiting() > 0).await;
    answer.abort();
    assert!(answer.await.is_err());
    assert_eq!(fixture.entries("Publish-In").len(), 0);
    fixture.records.release();
    eventually(|| !fixture.entries("Publish-In").is_empty()).await;
    assert_eq!(fixture.entry("Publish-In")["status"], "Success");
}

/// The answer is a refusal, and the log has one entry with the same reason and sentence.
fn check_refused(fixture: &Fixture, answer: &Answer, status: u16, error: &str, reason: &str) {
    assert_eq!(answer.status.as_u16(), status, "{answer:?}");
    assert_eq!(answer.error.as_deref(), Some(error));
    assert_eq!(answer.reason(), reason);
    let entries = fixture.entries("Publish-In");
    let of_it = |entry: &&serde_json::Value| entry["traceId"] == answer.body["traceId"];
    let entries: Vec<_> = entries.iter().filter(of_it).collect();
    assert_eq!(entries.len(), 1);
    assert_eq!((&entries[0]["status"], &entries[0]["reason"]), (&json!("Failure"), &json!(reason)));
    assert_eq!(entries[0]["details"], answer.body["message"]);
}

#[tokio::test]
async fn every_refusal_is_answered_and_logged_in_the_same_words() {
    let fixture = Fixture::new();
    let bad = "InvalidRequestException";
    for (target, reason) in [
        ("%24secret", "INVALID_TOPIC"),
        ("%zz", "INVALID_TOPIC"),
        ("$aws/rules/lamps/x?retain=true", "INVALID_TOPIC"),
        ("a?qos=2", "INVALID_QOS_PARAMETER"),
        ("a?responseTopic=%23", "INVALID_MQTT5_PROPERTY"),
    ] {
        let answer = fixture.publish(target, b"x").await;
        check_refused(&fixture, &answer, 400, bad, reason);
    }
    let answer = fixture.publish("a", &[0; 131_073]).await;
    let large = "RequestEntityTooLargeException";
    check_refused(&fixture, &answer, 413, large, "PAYLOAD_TOO_LARGE");
    assert_eq!(fixture.publish("a", &[0; 131_072]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn retaining_takes_a_permission_of_its_own() {
    let fixture = Fixture::new();
    let publish = r#"{"Effect":"Allow","Action":"iot:Publish","Resource":"*"}"#;
    let plain = fixture.ask_as(publish, "POST", "/topics/a", b"x").await;
    assert_eq!(plain.status, StatusCode::OK);
    for (statements, uri) in [
        (publish, "/topics/a?retain=true"),
        (
            r#"{"Effect":"Allow","Action":"iot:RetainPublish","Resource":"*"}"#,
            "/topics/a?retain=true",
        ),
        (r#"{"Effect":"Deny","Action":"*","Resource":"*"}"#, "/topics/a"),
    ] {
        let answer = fixture.ask_as(statements, "POST", uri, b"x").await;
        check_refused(&fixture, &answer, 403, "ForbiddenException", "AUTHORIZATION_FAILURE");
    }
    assert_eq!(fixture.get("/retainedMessage/a").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn quotas_turn_publishes_away() {
    let throttled = "ThrottlingException";
    let none = Quotas::default().without_rates();
    let once = Some(Rate { per_second: 1, burst: 1 });

    let fixture = Fixture::with(Quotas { inbound_publishes: once, ..none });
    let mut answer = fixture.publish("a", b"x").await;
    while answer.status == StatusCode::OK {
        answer = fixture.publish("a", b"x").await;
    }
    check_refused(&fixture, &answer, 429, throttled, "PUBLISH_THROTTLED");

    let interval = Some(Duration::from_secs(3_600));
    let fixture = Fixture::with(Quotas { retained_publish_interval: interval, ..none });
    assert_eq!(fixture.publish("a?retain=true", b"x").await.status, StatusCode::OK);
    let answer = fixture.publish("a?retain=true", b"y").await;
    check_refused(&fixture, &answer, 429, throttled, "RETAINED_PUBLISH_THROTTLED");
    assert_eq!(fixture.publish("b?retain=true", b"x").await.status, StatusCode::OK);

    let fixture = Fixture::with(Quotas { retained_messages: 1, ..none });
    assert_eq!(fixture.publish("a?retain=true", b"x").await.status, StatusCode::OK);
    let answer = fixture.publish("b?retain=true", b"x").await;
    check_refused(&fixture, &answer, 429, throttled, "RETAINED_MESSAGES_EXCEEDED");
    assert_eq!(fixture.publish("a?retain=true", b"").await.status, StatusCode::OK);
    assert_eq!(fixture.publish("b?retain=true", b"x").await.status, StatusCode::OK);
}

#[tokio::test]
async fn basic_ingest_is_taken() {
    let fixture = Fixture::new();
    let answer = fixture.publish("$aws/rules/lamps/a/b?qos=1", b"x").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(fixture.entry("Publish-In")["topicName"], "$aws/rules/lamps/a/b");
}

#[tokio::test]
async fn another_method_is_told_which_one_is_right() {
    let fixture = Fixture::new();
    let answer = fixture.ask_as(EVERYTHING, "GET", "/topics/a", b"").await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(answer.body["message"], "This path takes POST, not GET.");
}
