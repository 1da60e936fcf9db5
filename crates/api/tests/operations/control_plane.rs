//! The control plane on a whole node: when it answers, and what it answers when something of ours is
//! in the way.

use api::Registrar;
use engine::limits::Quotas;
use engine::rate::Rate;
use http::StatusCode;
use policy::Scope;
use serde_json::json;
use store::{Journal, StoreError, Trouble};

use crate::fixture::{EVERYTHING, Fixture, eventually};

const POLICY: &str = r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;

const LITTLE: &str = r#"{"Effect":"Allow","Action":"iot:GetPolicyVersion","Resource":"*"}"#;

fn body() -> Vec<u8> {
    json!({ "policyDocument": POLICY }).to_string().into_bytes()
}

#[tokio::test]
async fn a_change_is_in_force_at_once_and_answered_when_it_is_durable() {
    let fixture = Fixture::new();
    fixture.records.hold();
    let asking = fixture.clone();
    let create =
        tokio::spawn(
            async move { asking.ask_as(EVERYTHING, "POST", "/policies/p", &body()).await },
        );
    eventually(|| fixture.records.waiting() == 1).await;
    assert!(!create.is_finished(), "it is not durable yet");
    let there = fixture.get("/policies/p").await;
    assert_eq!(there.body["policyDocument"], POLICY);
    // What changes nothing waits for what made it so.
    let asking = fixture.clone();
    let uri = "/policies/p/version/1";
    let again = tokio::spawn(async move { asking.ask_as(EVERYTHING, "PATCH", uri, b"").await });
    fixture.records.release();
    let created = create.await.expect("no panic");
    assert_eq!((created.status, &created.body["policyVersionId"]), (StatusCode::OK, &json!("1")));
    assert_eq!(again.await.expect("no panic").status, StatusCode::OK);
}

#[tokio::test]
async fn what_was_answered_is_there_in_the_next_process_and_what_failed_is_not() {
    let fixture = Fixture::new();
    let created = fixture.ask_as(EVERYTHING, "POST", "/policies/kept", &body()).await;
    assert_eq!(created.status, StatusCode::OK);
    fixture.records.fail_next(1, StoreError::new(Trouble::Io, "in a test"));
    let failed = fixture.ask_as(EVERYTHING, "POST", "/policies/lost", &body()).await;
    assert_eq!(failed.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(failed.error.as_deref(), Some("InternalFailureException"));
    assert_eq!(failed.body["reason"], "CHANGE_NOT_KEPT");
    let entry = fixture.entries("ControlPlane").pop().expect("an entry");
    assert_eq!(
        (&entry["operation"], &entry["reason"]),
        (&json!("CreatePolicy"), &json!("CHANGE_NOT_KEPT"))
    );
    let next = std::sync::Arc::new(fixture.records.after_kill());
    let journal = Journal::start(next.clone(), store::Durability::Always, Box::new(|_| {}));
    let scope = Scope::new("us-west-2", "123456789012");
    let registrar = Registrar::open(scope, next.as_ref(), journal.expect("a thread"));
    let there = registrar
        .expect("readable")
        .look(|registry| ["kept", "lost"].map(|name| registry.policy(name).is_ok()));
    assert_eq!(there, [true, false]);
}

#[tokio::test]
async fn a_draining_node_answers_in_the_shape_of_the_service() {
    let fixture = Fixture::new();
    fixture.node().start_draining();
    for (method, uri) in [("GET", "/policies"), ("POST", "/keys-and-certificate")] {
        let answer = fixture.ask_as(EVERYTHING, method, uri, b"").await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.error.as_deref(), Some("ServiceUnavailableException"));
    }
}

#[tokio::test]
async fn the_rate_of_the_account_is_a_throttling_exception_and_400() {
    let rate = Rate { per_second: 1, burst: 1 };
    let quotas = Quotas { control_requests: Some(rate), ..Quotas::default() };
    let fixture = Fixture::with(quotas);
    let mut throttled = None;
    while throttled.is_none() {
        let answer = fixture.get("/policies").await;
        throttled = (answer.status != StatusCode::OK).then_some(answer);
    }
    let throttled = throttled.expect("the loop ends with it");
    assert_eq!(throttled.status, StatusCode::BAD_REQUEST);
    assert_eq!(throttled.error.as_deref(), Some("ThrottlingException"));
    assert_eq!(throttled.body["reason"], "CONTROL_REQUEST_THROTTLED");
}

#[tokio::test]
async fn a_denial_is_explained_to_whom_it_may_be() {
    let fixture = Fixture::new();
    let answer = fixture.ask_as(LITTLE, "GET", "/policies/p", b"").await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(answer.body.get("explanation"), None);
    let may = r#"{"Effect":"Allow","Action":"tenfour:Explain","Resource":"*"}"#;
    let answer = fixture.ask_as(may, "GET", "/policies/p", b"").await;
    assert_eq!(answer.body["explanation"]["action"], "iot:GetPolicy");
    assert_eq!(
        answer.body["explanation"]["resource"],
        "arn:aws:iot:us-west-2:123456789012:policy/p"
    );
}

#[tokio::test]
async fn a_key_pair_is_made_elsewhere_and_its_key_is_in_no_record() {
    let fixture = Fixture::new();
    let uri = "/keys-and-certificate?setAsActive=true";
    let made = fixture.ask_as(EVERYTHING, "POST", uri, b"").await;
    assert_eq!(made.status, StatusCode::OK, "{:?}", made.body);
    let key = made.body["keyPair"]["PrivateKey"].as_str().expect("a key");
    let line = key.lines().nth(1).expect("base64").as_bytes();
    let kept = fixture.records.after_kill();
    let mut secret = false;
    for table in store::Table::ALL {
        let visit = &mut |_: &[u8], value: &[u8]| {
            secret |= value.windows(line.len()).any(|window| window == line);
        };
        store::Records::scan(&kept, table, visit).expect("open");
    }
    assert!(!secret);
    let directory = fixture.node().directory().certificates.size();
    assert_eq!(directory, 1);
}
