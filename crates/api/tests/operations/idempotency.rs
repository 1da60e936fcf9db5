//! Keys, receipts and the wire, whatever happens in whichever order: no key has a second PUBLISH, and
//! nothing follows an answer that says that nothing was sent.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use engine::limits::{Bounds, Quotas};
use engine::rate::Rate;
use http::Request;
use http_body_util::{BodyExt, Collected, Full};
use proptest::prelude::*;
use serde_json::Value;
use tokio::task::JoinHandle;

use crate::device::Device;
use crate::fixture::{EVERYTHING, Fixture};

/// What happens next.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// A request with that key.
    Ask(u8),
    /// The device acknowledges the oldest message that it has not, if there is one.
    Acknowledge,
    /// It connects, in the place of the connection that it has.
    Connect,
    /// Its connection ends.
    Leave,
}

/// A request with a key, whose payload names it.
fn ask(fixture: &Fixture, key: u8) -> JoinHandle<(u16, Value)> {
    let fixture = fixture.clone();
    tokio::spawn(async move { ask_for(&fixture, "lamp", key).await })
}

async fn ask_for(fixture: &Fixture, client_id: &str, key: u8) -> (u16, Value) {
    let request = Request::builder()
        .method("POST")
        .uri(format!("/connections/{client_id}/messages?topic=t&confirmation=true&timeout=1"))
        .header("x-tenfour-idempotency-key", format!("key-{key}"))
        .body(Full::new(Bytes::copy_from_slice(&[key])))
        .expect("a request");
    let answer = fixture.ask(EVERYTHING, request).await;
    let status = answer.status().as_u16();
    let Ok(body) = answer.into_body().collect().await.map(Collected::to_bytes);
    (status, serde_json::from_slice(&body).expect("JSON"))
}

async fn check(steps: Vec<Step>) {
    let fixture = Fixture::new();
    let mut device = Device::default();
    let mut asked = Vec::new();
    for step in steps {
        match step {
            Step::Ask(key) => {
                asked.push((key, ask(&fixture, key)));
                tokio::task::yield_now().await;
            }
            Step::Acknowledge => device.acknowledge().await,
            Step::Connect => device.connect(&fixture).await,
            Step::Leave => device.leave().await,
        }
    }
    let mut answers: BTreeMap<u8, Vec<(u16, Value)>> = BTreeMap::new();
    for (key, answer) in asked {
        answers.entry(key).or_default().push(answer.await.expect("no panic"));
    }
    device.ping().await;
    for (key, answers) in answers {
        let sent = device.got.get(&vec![key]).copied().unwrap_or(0);
        assert!(sent <= 1, "key {key} was sent {sent} times: {answers:?}");
        let told = |word: &str| answers.iter().any(|(_, body)| body["delivery"] == word);
        let acknowledged = answers.iter().any(|(status, _)| *status == 200);
        if acknowledged || told("sent-unacknowledged") {
            assert_eq!(sent, 1, "key {key}: {answers:?}");
        } else {
            assert_eq!(sent, 0, "key {key} was never sent: {answers:?}");
        }
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0..4_u8).prop_map(Step::Ask),
        4 => Just(Step::Acknowledge),
        2 => Just(Step::Connect),
        1 => Just(Step::Leave),
    ];
    prop::collection::vec(step, 1..24)
}

proptest! {
    // A message that nobody acknowledges takes a second: many are looked at at once.
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn a_key_is_on_the_wire_once_at_most_and_the_answers_say_whether(
        all in prop::collection::vec(steps(), 16)
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let checks: Vec<_> = all.into_iter().map(|steps| tokio::spawn(check(steps))).collect();
            for check in checks {
                let checked = tokio::time::timeout(Duration::from_secs(120), check).await;
                checked.expect("an end").expect("it holds");
            }
        });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_calls_push_out_nothing_that_was_sent() {
    // One call of the account a second, after a burst that the loop goes beyond.
    let quotas = Quotas {
        send_direct_message: Some(Rate { per_second: 1, burst: 20 }),
        ..Quotas::default().without_rates()
    };
    let bounds = Bounds { receipts: 1, ..Bounds::default() };
    let fixture = Fixture::bounded(quotas, bounds);
    let mut device = Device::default();
    device.connect(&fixture).await;
    let first = ask(&fixture, 0);
    while device.unacknowledged.is_empty() {
        device.ping().await;
    }
    device.acknowledge().await;
    assert_eq!(first.await.expect("no panic").0, 200);
    let mut refused = BTreeMap::new();
    for number in 1..=50 {
        let (status, body) = ask_for(&fixture, "nobody", number).await;
        assert_eq!(body["delivery"], "never-sent");
        *refused.entry(status).or_insert(0) += 1;
    }
    assert_eq!(refused.keys().copied().collect::<Vec<_>>(), [404, 429]);
    assert_eq!(ask(&fixture, 0).await.expect("no panic").0, 200);
    device.ping().await;
    assert_eq!(device.got, BTreeMap::from([(vec![0], 1)]));
}
