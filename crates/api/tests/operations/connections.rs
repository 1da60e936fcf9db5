//! GetConnection, DeleteConnection and ListSubscriptions.

use bytes::Bytes;
use engine::limits::Quotas;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use mqtt::{Connect, Packet, PropertiesBuf, Property, Version};
use serde_json::{Value, json};
use store::{StoreError, Trouble};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use crate::fixture::{EVERYTHING, Fixture, eventually};

/// A sender who may send and nothing else.
const SENDER: &str = r#"{"Effect":"Allow","Action":"iot:SendDirectMessage","Resource":"*"}"#;
const EXPLAIN: &str = r#"{"Effect":"Allow","Action":"tenfour:Explain","Resource":"*"}"#;

/// Each operation, and what its log entry is called.
const OPERATIONS: [(&str, &str, &str); 3] = [
    ("GET", "", "GetConnection"),
    ("DELETE", "", "DeleteConnection"),
    ("GET", "/subscriptions", "ListSubscriptions"),
];

/// A device with a session of ten minutes.
async fn connect(fixture: &Fixture, client_id: &str) -> DuplexStream {
    let mut ours = fixture.accept();
    let mut properties = PropertiesBuf::new();
    properties.push(Property::SessionExpiryInterval(600)).expect("valid");
    let connect = Packet::Connect(Connect {
        version: Version::V5,
        clean_start: true,
        keep_alive: 60,
        client_id,
        properties: properties.as_properties(),
        will: None,
        username: None,
        password: None,
    });
    let mut bytes = Vec::new();
    connect.encode(Version::V5, &mut bytes).expect("valid");
    ours.write_all(&bytes).await.expect("an open connection");
    assert_ne!(ours.read(&mut [0; 256]).await.expect("an open connection"), 0, "a CONNACK");
    ours
}

fn request(uri: &str) -> Request<Full<Bytes>> {
    Request::delete(uri).body(Full::default()).expect("a request")
}

#[tokio::test]
async fn a_deletion_is_answered_without_a_word() {
    let fixture = Fixture::new();
    let _device = connect(&fixture, "lamp").await;
    let answer = fixture.ask(EVERYTHING, request("/connections/lamp")).await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(answer.headers().contains_key("x-amzn-requestid"));
    assert!(answer.into_body().collect().await.expect("whole").to_bytes().is_empty());
    let entry = fixture.entry("DeleteConnection");
    assert_eq!((&entry["status"], &entry["clientId"]), (&json!("Success"), &json!("lamp")));
    assert_eq!(fixture.node().connected(), 0);
}

#[tokio::test]
async fn a_session_that_ends_is_answered_when_that_is_durable() {
    let fixture = Fixture::new();
    let _device = connect(&fixture, "lamp").await;
    fixture.records.hold();
    let uri = "/connections/lamp?cleanSession=true";
    let asking = fixture.clone();
    let answering = tokio::spawn(async move { asking.ask(EVERYTHING, request(uri)).await });
    eventually(|| fixture.records.waiting() > 0).await;
    assert_eq!(fixture.node().connected(), 0, "the connection does not wait");
    assert!(!answering.is_finished());
    assert_eq!(fixture.entries("DeleteConnection"), Vec::<Value>::new());
    fixture.records.release();
    assert_eq!(answering.await.expect("no panic").status(), StatusCode::OK);
    assert_eq!(fixture.entry("DeleteConnection")["status"], "Success");
}

#[tokio::test]
async fn a_sender_that_goes_away_has_its_entry_all_the_same() {
    let fixture = Fixture::new();
    let _device = connect(&fixture, "lamp").await;
    fixture.records.hold();
    let asking = fixture.clone();
    let uri = "/connections/lamp?cleanSession=true";
    let answering = tokio::spawn(async move { asking.ask(EVERYTHING, request(uri)).await });
    eventually(|| fixture.records.waiting() > 0).await;
    answering.abort();
    assert!(answering.await.is_err());
    fixture.records.release();
    eventually(|| !fixture.entries("DeleteConnection").is_empty()).await;
    assert_eq!(fixture.entry("DeleteConnection")["status"], "Success");
}

#[tokio::test]
async fn a_session_whose_end_cannot_be_kept_is_no_success() {
    let fixture = Fixture::new();
    let _device = connect(&fixture, "lamp").await;
    fixture.records.fail_from(0, StoreError::new(Trouble::NoSpace, "the test has no room"));
    let uri = "/connections/lamp?cleanSession=true";
    let answer = fixture.ask_as(EVERYTHING, "DELETE", uri, b"").await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(answer.error.as_deref(), Some("InternalFailureException"));
    assert_eq!(answer.reason(), "SESSION_NOT_REMOVED");
    assert_eq!(fixture.entry("DeleteConnection")["reason"], "SESSION_NOT_REMOVED");
}

#[tokio::test]
async fn whoever_may_not_learns_nothing_and_changes_nothing() {
    for (method, suffix, event_type) in OPERATIONS {
        let fixture = Fixture::new();
        let _device = connect(&fixture, "lamp").await;
        let mut told = Vec::new();
        for client_id in ["lamp", "nobody"] {
            let uri = format!("/connections/{client_id}{suffix}");
            let answer = fixture.ask_as(SENDER, method, &uri, b"").await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN);
            assert_eq!(answer.reason(), "AUTHORIZATION_FAILURE");
            assert_eq!(answer.body.get("explanation"), None);
            told.push(answer.body["message"].clone());
        }
        assert_eq!(told[0], told[1]);
        assert_eq!(fixture.entries(event_type).len(), 2);
        assert_eq!(fixture.node().connected(), 1);
        let statements = format!("{SENDER},{EXPLAIN}");
        let uri = format!("/connections/lamp{suffix}");
        let answer = fixture.ask_as(&statements, method, &uri, b"").await;
        let action = format!("iot:{event_type}");
        assert_eq!(answer.body["explanation"]["action"], action);
        assert_eq!(answer.body["explanation"]["decision"], "implicitDeny");
    }
}

#[tokio::test]
async fn what_is_wrong_is_said_before_permission_is_asked_for() {
    let fixture = Fixture::new();
    for (method, uri, reason) in [
        ("GET", "/connections/$x", "MALFORMED_CLIENTID"),
        ("DELETE", "/connections/%zz", "MALFORMED_CLIENTID"),
        ("GET", "/connections//subscriptions", "MALFORMED_CLIENTID"),
        (
            "GET",
            "/connections/a?includeSocketInformation=1",
            "INVALID_INCLUDE_SOCKET_INFORMATION_PARAMETER",
        ),
        ("DELETE", "/connections/a?cleanSession=1", "INVALID_CLEAN_SESSION_PARAMETER"),
        ("DELETE", "/connections/a?preventWillMessage=", "INVALID_PREVENT_WILL_MESSAGE_PARAMETER"),
        ("GET", "/connections/a/subscriptions?maxResults=0", "INVALID_MAX_RESULTS_PARAMETER"),
        ("GET", "/connections/a/subscriptions?nextToken=x", "INVALID_NEXT_TOKEN_PARAMETER"),
    ] {
        let answer = fixture.ask_as(SENDER, method, uri, b"").await;
        assert_eq!((answer.status, answer.reason()), (StatusCode::BAD_REQUEST, reason), "{uri}");
    }
    assert_eq!(fixture.entries("GetConnection").len(), 2);
    assert_eq!(fixture.entries("DeleteConnection").len(), 3);
    assert_eq!(fixture.entries("ListSubscriptions").len(), 3);
}

#[tokio::test]
async fn each_operation_has_rates_of_its_own() {
    let fixture = Fixture::with(Quotas::default());
    for (method, suffix, event_type) in OPERATIONS {
        let uri = format!("/connections/nobody{suffix}");
        let mut reasons = Vec::new();
        // A slow machine may let more than one pass, but not all of them.
        for _ in 0..50 {
            reasons.push(fixture.ask_as(EVERYTHING, method, &uri, b"").await.reason().to_owned());
        }
        assert_eq!(reasons[0], "CLIENT_ID_NOT_FOUND");
        let throttled = match event_type {
            "GetConnection" => "GET_CONNECTION_THROTTLED",
            "DeleteConnection" => "DELETE_CONNECTION_THROTTLED",
            _ => "LIST_SUBSCRIPTIONS_THROTTLED",
        };
        assert!(reasons.iter().any(|reason| reason == throttled), "{reasons:?}");
        assert_eq!(fixture.entries(event_type).len(), 50, "one entry a request");
    }
    assert_eq!(fixture.get("/connections/another").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_deletion_over_and_over_ends_with_nobody_to_delete() {
    let fixture = Fixture::new();
    let mut device = connect(&fixture, "lamp").await;
    for expected in [StatusCode::OK, StatusCode::OK] {
        let answer = fixture.ask(EVERYTHING, request("/connections/lamp")).await;
        assert_eq!(answer.status(), expected, "its session goes on");
    }
    let mut rest = Vec::new();
    device.read_to_end(&mut rest).await.expect("the end of the connection");
    let uri = "/connections/lamp?cleanSession=true";
    assert_eq!(fixture.ask(EVERYTHING, request(uri)).await.status(), StatusCode::OK);
    let answer = fixture.ask_as(EVERYTHING, "DELETE", uri, b"").await;
    assert_eq!(answer.error.as_deref(), Some("ResourceNotFoundException"));
    let answer = fixture.get("/connections/lamp").await;
    assert_eq!(answer.body["disconnectReason"], "API_INITIATED_DISCONNECT");
    assert_eq!(answer.body["connected"], false);
}
