//! Messages that wait for their devices.

use engine::limits::{Bounds, Quotas};
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
    let fixture = fixture.clone();
    let uri = format!("/connections/{client_id}/messages?topic=t&confirmation=true&timeout=15");
    tokio::spawn(async move {
        let request = Request::builder()
            .method("POST")
            .uri(uri)
            .header("x-tenfour-wait-online-ms", millis)
            .body(Full::new(payload.into()))
            .expect("a request");
        let answer = fixture.ask(EVERYTHING, request).await;
        let status = answer.status().as_u16();
        let Ok(body) = answer.into_body().collect().await.map(Collected::to_bytes);
        (status, serde_json::from_slice(&body).expect("JSON"))
    })
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
