//! GetRetainedMessage and ListRetainedMessages.

use http::StatusCode;
use serde_json::{Value, json};

use crate::fixture::{Answer, EVERYTHING, Fixture};

/// A sender who may publish and read nothing.
const PUBLISHER: &str = r#"{"Effect":"Allow","Action":"iot:*Publish","Resource":"*"}"#;

async fn keep(fixture: &Fixture, topics: impl IntoIterator<Item = &str>) {
    for topic in topics {
        let answer = fixture.publish(&format!("{topic}?retain=true&qos=1"), b"on").await;
        assert_eq!(answer.status, StatusCode::OK, "{topic}");
    }
}

/// The topics of a page, and the query that asks for the one that follows.
fn page(answer: &Answer) -> (Vec<&str>, Option<&str>) {
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let topics = answer.body["retainedTopics"].as_array().expect("a list");
    let topics = topics.iter().map(|entry| entry["topic"].as_str().expect("a text"));
    (topics.collect(), answer.body.get("nextToken").map(|token| token.as_str().expect("a text")))
}

#[tokio::test]
async fn what_is_retained_can_be_read() {
    let fixture = Fixture::new();
    keep(&fixture, ["a%2Fb"]).await;
    let answer = fixture.get("/retainedMessage/a/b").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.body["payload"], "b24=");
    assert_eq!((&answer.body["topic"], &answer.body["qos"]), (&json!("a/b"), &json!(1)));
    assert_eq!(answer.body["userProperties"], Value::Null);
    assert!(answer.body["lastModifiedTime"].is_u64());
    let entry = fixture.entry("GetRetainedMessage");
    assert_eq!((&entry["status"], &entry["protocol"]), (&json!("Success"), &json!("HTTP")));
    assert_eq!((&entry["topicName"], &entry["qos"]), (&json!("a/b"), &json!("1")));
    let date = entry["lastModifiedDate"].as_str().expect("a text");
    assert_eq!(date.len(), "2017-08-07 18:47:56.664".len());
}

#[tokio::test]
async fn a_topic_without_a_message_is_not_found() {
    let fixture = Fixture::new();
    keep(&fixture, ["a"]).await;
    assert_eq!(fixture.publish("a?retain=true", b"").await.status, StatusCode::OK);
    let answer = fixture.get("/retainedMessage/a").await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert_eq!(answer.error.as_deref(), Some("ResourceNotFoundException"));
    let entry = fixture.entry("GetRetainedMessage");
    assert_eq!((&entry["status"], &entry["topicName"]), (&json!("Failure"), &json!("a")));
    assert_eq!(entry["reason"], answer.body["reason"]);
    assert_eq!(entry["details"], answer.body["message"]);
    assert_eq!(entry.get("lastModifiedDate"), None);
}

#[tokio::test]
async fn whoever_may_not_read_learns_nothing() {
    let fixture = Fixture::new();
    keep(&fixture, ["there"]).await;
    for uri in ["/retainedMessage/there", "/retainedMessage/absent", "/retainedMessage"] {
        let answer = fixture.ask_as(PUBLISHER, "GET", uri, b"").await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{uri}");
        assert_eq!(answer.reason(), "AUTHORIZATION_FAILURE");
    }
    let entries = fixture.entries("GetRetainedMessage");
    assert_eq!(entries[0]["details"], entries[1]["details"]);
    assert_eq!(fixture.entry("ListRetainedMessage")["reason"], "AUTHORIZATION_FAILURE");
}

#[tokio::test]
async fn pages_go_through_all_topics_though_some_come_and_go() {
    let fixture = Fixture::new();
    keep(&fixture, ["b", "d", "f", "h"]).await;
    let first = fixture.get("/retainedMessage?maxResults=2").await;
    let (topics, token) = page(&first);
    assert_eq!(topics, ["b", "d"]);
    let next = format!("/retainedMessage?maxResults=2&nextToken={}", token.expect("there is more"));
    // The topic that the token names goes, too.
    assert_eq!(fixture.publish("d?retain=true", b"").await.status, StatusCode::OK);
    keep(&fixture, ["a", "e"]).await;
    let second = fixture.get(&next).await;
    let (topics, token) = page(&second);
    assert_eq!(topics, ["e", "f"]);
    let next = format!("/retainedMessage?maxResults=2&nextToken={}", token.expect("there is more"));
    assert_eq!(page(&fixture.get(&next).await), (vec!["h"], None));
    assert!(fixture.entries("ListRetainedMessage").iter().all(|e| e["status"] == "Success"));
}

#[tokio::test]
async fn a_list_of_nothing_is_empty() {
    let answer = Fixture::new().ask_as(EVERYTHING, "GET", "/retainedMessage", b"").await;
    assert_eq!((answer.status, answer.body), (StatusCode::OK, json!({"retainedTopics": []})));
}

#[tokio::test]
async fn bad_parameters_are_answered_and_logged_in_the_same_words() {
    let fixture = Fixture::new();
    let answer = fixture.get("/retainedMessage?maxResults=201").await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    let entry = fixture.entry("ListRetainedMessage");
    assert_eq!(
        (&entry["reason"], &entry["details"]),
        (&answer.body["reason"], &answer.body["message"])
    );
    let answer = fixture.get("/retainedMessage/a%2F%23").await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    let entry = fixture.entry("GetRetainedMessage");
    assert_eq!((&entry["topicName"], &entry["reason"]), (&json!("a/#"), &json!("INVALID_TOPIC")));
}
