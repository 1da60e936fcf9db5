//! Messages that wait for their devices.

use std::time::Duration;

use bytes::Bytes;
use engine::limits::{Bounds, Quotas};
use engine::rate::Rate;
use http::Request;
use http_body_util::{BodyExt, Collected, Full};
use serde_json::Value;
use tokio::task::JoinHandle;

use crate::device::Device;
use crate::fixture::{EVERYTHING, Fixture};

/// A confirmed message whose sender waits for the device so many milliseconds; its answer.
fn send(
    fixture: &Fixture,
    client_id: &str,
    millis: u64,
    payload: Vec<u8>,
) -> JoinHandle<(u16, Value)> {
    let uri = format!("/connections/{client_id}/messages?topic=t&confirmation=true&timeout=15");
    let request = Request::builder()
        .method("POST")
        .uri(uri)
        .header("x-tenfour-wait-online-ms", millis)
        .body(Full::new(payload.into()))
        .expect("a request");
    exchange(fixture, request)
}

fn exchange(fixture: &Fixture, request: Request<Full<Bytes>>) -> JoinHandle<(u16, Value)> {
    let fixture = fixture.clone();
    tokio::spawn(async move {
        let answer = fixture.ask(EVERYTHING, request).await;
        let status = answer.status().as_u16();
        let Ok(body) = answer.into_body().collect().await.map(Collected::to_bytes);
        (status, serde_json::from_slice(&body).expect("JSON"))
    })
}

/// A message whose sender waits a minute for a response.
fn ask_device(fixture: &Fixture) -> JoinHandle<(u16, Value)> {
    let request = Request::builder()
        .method("POST")
        .uri("/connections/lamp/messages?topic=t&timeout=15")
        .header("x-tenfour-wait", "response")
        .header("x-tenfour-response-timeout-ms", 60_000)
        .body(Full::default())
        .expect("a request");
    exchange(fixture, request)
}

/// Takes what comes first, and acknowledges it.
async fn take(device: &mut Device) {
    while device.unacknowledged.is_empty() {
        device.ping().await;
        tokio::task::yield_now().await;
    }
    device.acknowledge().await;
}

#[tokio::test]
async fn what_waits_takes_room_that_is_bounded_and_free_again_afterwards() {
    let bounds = Bounds { waiting_bytes: 150_000, ..Bounds::default() };
    let fixture = Fixture::bounded(Quotas::default().without_rates(), bounds);
    for _ in 0..3 {
        let first = send(&fixture, "lamp", 60_000, vec![1; 100_000]);
        // It waits now.
        tokio::task::yield_now().await;
        let (status, body) =
            send(&fixture, "lamp", 60_000, vec![2; 100_000]).await.expect("no panic");
        assert_eq!((status, &body["reason"]), (429, &"WAITING_MESSAGES_EXCEEDED".into()));
        assert_eq!(body["delivery"], "never-sent");
        // A small one has room all the same.
        let small = send(&fixture, "lamp", 60_000, vec![3]);
        tokio::task::yield_now().await;
        let mut device = Device::default();
        device.connect(&fixture).await;
        take(&mut device).await;
        take(&mut device).await;
        assert_eq!(first.await.expect("no panic").0, 200);
        assert_eq!(small.await.expect("no panic").0, 200);
        assert!(!device.got.contains_key(&vec![2; 100_000]));
        // Whoever is there is not waited for.
        let there = send(&fixture, "lamp", 60_000, vec![4; 120_000]);
        take(&mut device).await;
        assert_eq!(there.await.expect("no panic").0, 200);
        device.leave().await;
        while fixture.node().connected_clients().any(|part| !part.is_empty()) {
            tokio::task::yield_now().await;
        }
    }
}

fn account_rate(per_second: u32, burst: u32) -> Quotas {
    let rate = Some(Rate { per_second, burst });
    Quotas { send_direct_message: rate, ..Quotas::default().without_rates() }
}

#[tokio::test]
async fn devices_that_come_together_are_sent_to_as_the_rate_lets_them() {
    let fixture = Fixture::with(account_rate(20, 10));
    let name = |number: usize| format!("lamp-{number}");
    // The requests take all the rate that there is, so that there is none for the first device.
    let waiting: Vec<_> =
        (0..10).map(|number| send(&fixture, &name(number), 60_000, vec![1])).collect();
    tokio::task::yield_now().await;
    let mut devices = Vec::new();
    for number in 0..10 {
        let mut device = Device::default();
        device.connect_as(&fixture, &name(number)).await;
        devices.push(device);
    }
    for device in &mut devices {
        take(device).await;
    }
    for sent in waiting {
        assert_eq!(sent.await.expect("no panic").0, 200);
    }
    for device in &mut devices {
        device.ping().await;
        assert_eq!(device.got.values().sum::<usize>(), 1);
    }
}

#[tokio::test]
async fn what_finds_no_rate_in_its_time_is_throttled_and_not_sent_afterwards() {
    // None is left for a second after the request.
    let fixture = Fixture::with(account_rate(1, 1));
    let mut device = Device::default();
    let sending = send(&fixture, "lamp", 500, vec![1]);
    tokio::task::yield_now().await;
    device.connect(&fixture).await;
    let (status, body) = sending.await.expect("no panic");
    // On a slow machine it did not even see the device.
    assert!(
        (status, &body["reason"]) == (429, &"SEND_DIRECT_MESSAGE_THROTTLED".into())
            || (status, &body["reason"]) == (404, &"TARGET_CLIENT_ID_NOT_FOUND".into()),
        "{status} {body}"
    );
    assert_eq!(body["delivery"], "never-sent");
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    device.ping().await;
    assert!(device.got.is_empty());
}

#[tokio::test]
async fn of_a_sender_that_goes_away_nothing_waits_for_the_rate() {
    let fixture = Fixture::with(account_rate(1, 1));
    let mut device = Device::default();
    let sending = send(&fixture, "lamp", 60_000, vec![1]);
    tokio::task::yield_now().await;
    device.connect(&fixture).await;
    sending.abort();
    let ended = sending.await;
    assert!(ended.is_err_and(|ended| ended.is_cancelled()));
    let entry = fixture.entry("SendDirectMessage");
    assert_eq!(entry["reason"], "DELIVERY_CONFIRMATION_SENDER_DISCONNECT");
    assert_eq!(entry["delivery"], "never-sent");
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    device.ping().await;
    assert!(device.got.is_empty());
}

#[tokio::test]
async fn a_drain_waits_for_a_response_only_while_somebody_wants_it() {
    let patience = Duration::from_secs(60);
    let long = Duration::from_secs(20);
    for goes_away in [false, true] {
        let fixture = Fixture::new();
        let mut device = Device::default();
        device.connect(&fixture).await;
        let (first, second) = (ask_device(&fixture), ask_device(&fixture));
        take(&mut device).await;
        take(&mut device).await;
        first.abort();
        assert!(first.await.is_err_and(|ended| ended.is_cancelled()));
        if goes_away {
            second.abort();
            assert!(second.await.is_err_and(|ended| ended.is_cancelled()));
            let drained = tokio::time::timeout(long, fixture.node().drain(patience)).await;
            assert!(drained.is_ok(), "nobody is left who waits");
            continue;
        }
        // The other one is told in the end that none came.
        let waited = Duration::from_millis(300);
        let begun = std::time::Instant::now();
        fixture.node().drain(waited).await;
        assert!(begun.elapsed() >= waited);
        let (status, body) = second.await.expect("no panic");
        assert_eq!((status, &body["reason"]), (504, &"RESPONSE_TIMEOUT".into()));
    }
}
