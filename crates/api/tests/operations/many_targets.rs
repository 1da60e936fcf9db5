//! One message to many.

use std::time::Duration;

use engine::limits::{Quotas, TARGETS};
use engine::rate::Rate;
use http::StatusCode;
use http_body_util::{BodyExt, Collected};
use serde_json::{Value, json};

use crate::device::Device;
use crate::fixture::{EVERYTHING, Fixture, eventually};

const PATH: &str = "/direct-messages";

/// The lines of an answer.
async fn lines(answer: api::Answer) -> Vec<Value> {
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()["content-type"], "application/x-ndjson");
    let Ok(body) = answer.into_body().collect().await.map(Collected::to_bytes);
    assert_eq!(body.last(), Some(&b'\n'));
    let lines = body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_slice(line).expect("JSON")).collect()
}

async fn ask(fixture: &Fixture, statements: &str, body: &Value) -> Vec<Value> {
    let body = body.to_string();
    lines(fixture.exchange(statements, "POST", PATH, body.as_bytes()).await).await
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("absent-{number}")).collect()
}

#[tokio::test]
async fn everybody_has_a_line_a_log_entry_and_a_trace_id_and_the_last_line_says_so() {
    let fixture = Fixture::new();
    let body = json!({"clientIds": ["a", "b", "a", "door-*"], "topic": "cmd/x", "payload": "on"});
    let lines = ask(&fixture, EVERYTHING, &body).await;
    let done = &lines[3];
    let batch = &done["traceId"];
    assert_eq!(
        *done,
        json!({"done": true, "targets": 3, "succeeded": 0, "failed": 3, "traceId": batch})
    );
    assert_eq!(lines[0]["clientId"], "door-*");
    assert_eq!((&lines[0]["status"], &lines[0]["reason"]), (&json!(404), &json!("NO_CLIENT_FITS")));
    assert_eq!(lines[0]["traceId"], *batch);
    let entries = fixture.entries("SendDirectMessage");
    assert_eq!(entries.len(), 2, "a client is sent to once");
    for (line, entry) in lines[1..3].iter().zip(&entries) {
        assert_eq!(line["status"], 404);
        assert_eq!(line["reason"], "TARGET_CLIENT_ID_NOT_FOUND");
        assert_eq!(line["delivery"], "never-sent");
        assert_ne!(line["traceId"], *batch);
        for name in ["clientId", "traceId", "reason", "delivery"] {
            assert_eq!(line[name], entry[name], "{name}");
        }
        assert_eq!(entry["batch"], *batch);
        assert_eq!(entry["topicName"], "cmd/x");
    }
    let entry = fixture.entry("SendDirectMessages");
    for (name, value) in [
        ("traceId", batch.clone()),
        ("status", "Success".into()),
        ("topicName", "cmd/x".into()),
        ("principalId", "AIDAEXAMPLE".into()),
        ("targets", 3.into()),
        ("succeeded", 0.into()),
        ("failed", 3.into()),
    ] {
        assert_eq!(entry[name], value, "{name}");
    }
}

#[tokio::test]
async fn each_target_is_authorised_on_its_own() {
    let fixture = Fixture::new();
    let one = r#"{"Effect":"Allow","Action":"iot:SendDirectMessage",
        "Resource":"arn:aws:iot:us-west-2:123456789012:client/mine-*"}"#;
    let body = json!({"clientIds": ["mine-1", "other-1"], "topic": "cmd/x"});
    let lines = ask(&fixture, one, &body).await;
    assert_eq!((&lines[0]["clientId"], &lines[0]["status"]), (&json!("mine-1"), &json!(404)));
    assert_eq!((&lines[1]["clientId"], &lines[1]["status"]), (&json!("other-1"), &json!(403)));
    assert_eq!(lines[1]["reason"], "SENDER_AUTHORIZATION_FAILURE");
    assert_eq!(lines[1]["delivery"], "refused");
}

#[tokio::test]
async fn ten_thousand_targets_are_all_answered() {
    let fixture = Fixture::new();
    let body = json!({"clientIds": names(TARGETS), "topic": "cmd/x"});
    let lines = ask(&fixture, EVERYTHING, &body).await;
    assert_eq!(lines.len(), TARGETS + 1);
    assert_eq!(lines[TARGETS]["failed"], TARGETS);
    assert_eq!(fixture.entry("SendDirectMessages")["failed"], TARGETS);
}

#[tokio::test]
async fn what_is_wrong_with_the_whole_is_answered_before_anything_is_sent() {
    let fixture = Fixture::new();
    let answer = fixture.ask_as(EVERYTHING, "POST", PATH, b"{\"clientIds\": []}").await;
    assert_eq!((answer.status, answer.reason()), (StatusCode::BAD_REQUEST, "INVALID_REQUEST"));
    assert_eq!(answer.body["delivery"], "refused");
    let entry = fixture.entry("SendDirectMessages");
    assert_eq!(
        (&entry["status"], &entry["reason"]),
        (&json!("Failure"), &json!("INVALID_REQUEST"))
    );
    assert_eq!(entry["details"], answer.body["message"]);

    let large = json!({"clientIds": ["a"], "topic": "t", "payload": "x".repeat(128 * 1024 + 1)});
    let answer = fixture.ask_as(EVERYTHING, "POST", PATH, large.to_string().as_bytes()).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(answer.reason(), "PAYLOAD_TOO_LARGE");

    let larger = vec![b' '; 4 << 20];
    let answer = fixture.ask_as(EVERYTHING, "POST", PATH, &larger).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(answer.body["message"].as_str().is_some_and(|text| text.contains("10000 targets")));
    assert_eq!(answer.body["delivery"], "refused");

    let answer = fixture.ask_as(EVERYTHING, "GET", PATH, b"").await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(fixture.entries("SendDirectMessage"), [Value::Null; 0]);
}

#[tokio::test]
async fn a_sender_that_does_not_read_holds_the_rest_back_and_its_going_away_ends_it() {
    let fixture = Fixture::new();
    let body = json!({"clientIds": names(TARGETS), "topic": "cmd/x"}).to_string();
    let answer = fixture.exchange(EVERYTHING, "POST", PATH, body.as_bytes()).await;
    // Waits until no more comes.
    let mut before = 0;
    eventually(|| {
        let now = fixture.entries("SendDirectMessage").len();
        let same = now > 0 && now == before;
        before = now;
        same
    })
    .await;
    assert!(before < TARGETS, "{before}");
    drop(answer);
    eventually(|| !fixture.entries("SendDirectMessages").is_empty()).await;
    let entry = fixture.entry("SendDirectMessages");
    assert_eq!(entry["reason"], "DELIVERY_CONFIRMATION_SENDER_DISCONNECT");
    assert_eq!(entry["targets"], TARGETS);
    assert!(fixture.entries("SendDirectMessage").len() < TARGETS);
}

#[tokio::test]
async fn whom_a_pattern_means_is_not_found_out_for_a_sender_that_has_gone() {
    let fixture = Fixture::new();
    let mut devices = Vec::new();
    for number in 0..10 {
        let mut device = Device::default();
        device.connect_as(&fixture, &format!("lamp-{number}")).await;
        devices.push(device);
    }
    let body = json!({"clientIds": ["lamp-*"], "topic": "cmd/x"}).to_string();
    tokio::select! {
        biased;
        _ = fixture.exchange(EVERYTHING, "POST", PATH, body.as_bytes()) => {
            panic!("others have their turn before everybody is looked at");
        }
        // It is looked at once.
        () = std::future::ready(()) => {}
    }
    let entry = fixture.entry("SendDirectMessages");
    assert_eq!(entry["reason"], "DELIVERY_CONFIRMATION_SENDER_DISCONNECT");
    assert_eq!(entry["targets"], Value::Null, "it was not known how many there are");
    for device in &mut devices {
        device.ping().await;
        assert!(device.got.is_empty());
    }
}

#[tokio::test]
async fn a_drain_turns_away_what_was_not_begun() {
    let fixture = Fixture::new();
    let body = json!({"clientIds": names(TARGETS), "topic": "cmd/x"}).to_string();
    let answer = fixture.exchange(EVERYTHING, "POST", PATH, body.as_bytes()).await;
    fixture.node().start_draining();
    let lines = lines(answer).await;
    assert_eq!(lines.len(), TARGETS + 1);
    let turned_away: Vec<_> =
        lines.iter().filter(|line| line["reason"] == "SHUTTING_DOWN").collect();
    assert!(!turned_away.is_empty());
    assert!(turned_away.iter().all(|line| line["status"] == 503));
    assert!(turned_away.iter().all(|line| line["delivery"] == "never-sent"));
    assert_eq!(lines[TARGETS]["failed"], TARGETS);
}

#[tokio::test]
async fn many_keep_to_the_rate_of_the_account_and_leave_half_its_burst() {
    let rate = Rate { per_second: 200, burst: 20 };
    let quotas = Quotas { send_direct_message: Some(rate), ..Quotas::default() };
    let fixture = Fixture::with(quotas);
    let body = json!({"clientIds": names(60), "topic": "cmd/x"}).to_string();
    let begun = std::time::Instant::now();
    let answer = fixture.exchange(EVERYTHING, "POST", PATH, body.as_bytes()).await;
    eventually(|| fixture.entries("SendDirectMessage").len() > 10).await;
    let single = fixture.ask_as(EVERYTHING, "POST", "/connections/a/messages?topic=t", b"").await;
    assert_eq!(single.status, StatusCode::NOT_FOUND, "not throttled");
    let lines = lines(answer).await;
    assert!(lines[..60].iter().all(|line| line["status"] == 404), "{lines:?}");
    // Ten at once, then two hundred a second.
    assert!(begun.elapsed() >= Duration::from_millis(240), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_target_whose_turn_comes_after_the_deadline_is_not_sent_to() {
    const DEADLINE: Duration = Duration::from_secs(3);
    let fixture = Fixture::new();
    let (mut first, mut second) = (Device::default(), Device::default());
    first.connect_as(&fixture, "first").await;
    second.connect_as(&fixture, "second").await;
    let asking = tokio::spawn({
        let fixture = fixture.clone();
        let body = json!({
            "clientIds": ["first", "second"], "topic": "cmd/x", "concurrency": 1,
            "confirmation": true, "timeout": 15, "deadlineMs": DEADLINE.as_millis() as u64,
        });
        async move { ask(&fixture, EVERYTHING, &body).await }
    });
    while first.unacknowledged.is_empty() {
        first.ping().await;
        tokio::task::yield_now().await;
    }
    // Until the first has settled it is not the turn of the second.
    tokio::time::sleep(DEADLINE).await;
    first.acknowledge().await;
    let lines = asking.await.expect("no panic");
    assert_eq!((&lines[0]["clientId"], &lines[0]["status"]), (&json!("first"), &json!(200)));
    assert_eq!((&lines[1]["clientId"], &lines[1]["status"]), (&json!("second"), &json!(504)));
    assert_eq!(lines[1]["reason"], "DEADLINE_EXCEEDED");
    assert_eq!(lines[1]["delivery"], "never-sent");
    second.ping().await;
    assert!(second.got.is_empty());
}
