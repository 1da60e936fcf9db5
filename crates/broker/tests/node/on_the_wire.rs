//! How far a direct message got, and that one which was never sent never is.

// What a test does not expect is a failure, whichever it is.
#![allow(clippy::wildcard_enum_match_arm)]

use std::time::Duration;

use broker::OnTheWire;
use engine::limits::{Bounds, Quotas};
use engine::outcome::DirectOutcome;
use mqtt::ReasonCode;

use crate::device::{Device, Got, Wish};
use crate::fixture::{dispatch, node, node_with, send};

const TIMEOUT: Option<Duration> = Some(Duration::from_millis(300));

/// A device that reads nothing, with its pipe full and bytes waiting in the node.
async fn full(node: &std::sync::Arc<broker::Node>) -> Device {
    let (device, _) =
        Device::connect_with(node, "lamp", Wish { pipe: 512, ..Wish::default() }).await;
    for _ in 0..4 {
        assert_eq!(send(node, "lamp", &[b'-'; 400]), DirectOutcome::Dispatched);
    }
    device
}

/// Everything the device gets up to the answer to a ping.
async fn payloads(device: &mut Device) -> Vec<Vec<u8>> {
    device.write(&[0xc0, 0]).await;
    let mut payloads = Vec::new();
    loop {
        match device.next().await {
            Got::Publish { payload, .. } => payloads.push(payload),
            Got::Pong => return payloads,
            other => panic!("unexpected: {other:?}"),
        }
    }
}

#[tokio::test]
async fn what_no_byte_of_was_sent_at_its_deadline_is_never_sent() {
    let node = node();
    let mut device = full(&node).await;
    let first = dispatch(&node, "lamp", b"never", TIMEOUT).expect("handed over");
    let kept = dispatch(&node, "lamp", b"kept", Some(Duration::from_secs(60))).expect("too");
    let settled = first.confirmation.expect("asked for").whole().await;
    assert_eq!(settled.outcome, DirectOutcome::ConfirmationTimeout);
    assert_eq!(settled.wire, OnTheWire::Never);

    let got = payloads(&mut device).await;
    assert_eq!(got.len(), 5, "{got:?}");
    assert!(!got.contains(&b"never".to_vec()));
    assert_eq!(got[4], b"kept");
    drop(kept);
    // The packet ID of what was never sent is free.
    assert_eq!(send(&node, "lamp", b"after"), DirectOutcome::Dispatched);
    assert!(matches!(device.next().await, Got::Publish { payload, .. } if payload == b"after"));
}

#[tokio::test]
async fn what_waits_when_the_connection_ends_is_never_sent_either() {
    let node = node();
    let mut device = full(&node).await;
    let waiting = dispatch(&node, "lamp", b"never", Some(Duration::from_secs(60))).expect("over");
    // The same client ID comes again: the old connection is told, and gets nothing more.
    let _newer = Device::connect(&node, "lamp").await;
    let settled = waiting.confirmation.expect("asked for").whole().await;
    assert_eq!(settled.outcome, DirectOutcome::ReceiverDisconnected);
    assert_eq!(settled.wire, OnTheWire::Never);
    let mut payloads = Vec::new();
    loop {
        match device.next().await {
            Got::Publish { payload, .. } => payloads.push(payload),
            Got::Disconnect(ReasonCode::SessionTakenOver) => {}
            Got::End => break,
            other => panic!("unexpected: {other:?}"),
        }
    }
    assert!(!payloads.contains(&b"never".to_vec()), "{payloads:?}");
}

#[tokio::test]
async fn what_was_written_and_not_acknowledged_was_sent() {
    let node = node();
    let mut device = Device::connect(&node, "lamp").await;
    let sent = dispatch(&node, "lamp", b"{}", TIMEOUT).expect("handed over");
    let settled = sent.confirmation.expect("asked for").whole().await;
    assert_eq!(settled.outcome, DirectOutcome::ConfirmationTimeout);
    // A transport in memory has no counters of a kernel.
    assert_eq!(settled.wire, OnTheWire::Sent { tcp_acknowledged: None });
    device.next_id().await;
    let sent = dispatch(&node, "lamp", b"{}", Some(Duration::from_secs(60))).expect("over");
    device.next_id().await;
    drop(device);
    let settled = sent.confirmation.expect("asked for").whole().await;
    assert_eq!(settled.outcome, DirectOutcome::ReceiverDisconnected);
    assert_eq!(settled.wire, OnTheWire::Sent { tcp_acknowledged: None });
}

#[tokio::test]
async fn a_device_that_misses_an_acknowledgement_is_closed_where_that_is_asked_for() {
    let bounds = Bounds { close_on_missed_ack: true, ..Bounds::default() };
    let node = node_with(Quotas::default().without_rates(), bounds);
    let mut device = Device::connect(&node, "lamp").await;
    let sent = dispatch(&node, "lamp", b"{}", TIMEOUT).expect("handed over");
    device.next_id().await;
    let settled = sent.confirmation.expect("asked for").whole().await;
    assert_eq!(settled.outcome, DirectOutcome::ConfirmationTimeout);
    assert_eq!(device.next().await, Got::Disconnect(ReasonCode::AdministrativeAction));
    assert_eq!(device.next().await, Got::End);
}
