//! A confirmed send ends as the device's PUBACK says, or without it at the deadline.

use std::time::Duration;

use engine::outcome::DirectOutcome;
use mqtt::{ReasonCode, Version};

use crate::device::{Device, Got, Wish};
use crate::fixture::{confirm, dispatch, node, send};

const LONG: Duration = Duration::from_secs(10);
const SHORT: Duration = Duration::from_millis(80);

#[tokio::test]
async fn a_confirmed_send_settles_on_the_puback_and_not_before() {
    let node = node();
    for version in [Version::V311, Version::V5] {
        let wish = Wish { version, ..Wish::default() };
        let (mut device, _) = Device::connect_with(&node, "lamp", wish).await;
        let sent = dispatch(&node, "lamp", b"{}", Some(LONG)).expect("connected");
        let mut settled = Box::pin(sent.confirmation.expect("asked for").settled());
        let id = device.next_id().await;
        assert!(tokio::time::timeout(SHORT, &mut settled).await.is_err(), "no PUBACK yet");
        device.acknowledge(id, ReasonCode::Success).await;
        let (outcome, at) = settled.await;
        assert_eq!(outcome, DirectOutcome::Acknowledged);
        assert!(at.is_some_and(|at| at >= sent.at));
    }
}

#[tokio::test]
async fn a_puback_with_an_error_is_a_rejection() {
    let node = node();
    let mut device = Device::connect(&node, "lamp").await;
    let sending = confirm(&node, "lamp", LONG);
    let answering = async {
        let id = device.next_id().await;
        device.acknowledge(id, ReasonCode::PayloadFormatInvalid).await;
    };
    let ((outcome, _), ()) = tokio::join!(sending, answering);
    assert_eq!(outcome, DirectOutcome::ReceiverRejected(ReasonCode::PayloadFormatInvalid));
}

#[tokio::test]
async fn without_a_puback_the_deadline_settles_and_a_late_one_confirms_nothing_else() {
    let node = node();
    let mut device = Device::connect(&node, "lamp").await;
    assert_eq!(confirm(&node, "lamp", SHORT).await.0, DirectOutcome::ConfirmationTimeout);
    let late = device.next_id().await;
    let sent = dispatch(&node, "lamp", b"{}", Some(LONG)).expect("connected");
    let mut settled = Box::pin(sent.confirmation.expect("asked for").settled());
    let id = device.next_id().await;
    assert_ne!(id, late);
    device.acknowledge(late, ReasonCode::Success).await;
    device.acknowledge(late, ReasonCode::Success).await;
    device.ping().await;
    assert!(tokio::time::timeout(SHORT, &mut settled).await.is_err());
    device.acknowledge(id, ReasonCode::Success).await;
    assert_eq!(settled.await.0, DirectOutcome::Acknowledged);
}

#[tokio::test]
async fn waiting_for_one_device_does_not_hold_up_another() {
    let node = node();
    let mut silent = Device::connect(&node, "silent").await;
    let mut prompt = Device::connect(&node, "prompt").await;
    let waiting = dispatch(&node, "silent", b"{}", Some(LONG)).expect("connected");
    let sending = confirm(&node, "prompt", LONG);
    let answering = async {
        let id = prompt.next_id().await;
        prompt.acknowledge(id, ReasonCode::Success).await;
    };
    let ((outcome, _), ()) = tokio::join!(sending, answering);
    assert_eq!(outcome, DirectOutcome::Acknowledged);
    let id = silent.next_id().await;
    silent.acknowledge(id, ReasonCode::Success).await;
    let (outcome, _) = waiting.confirmation.expect("asked for").settled().await;
    assert_eq!(outcome, DirectOutcome::Acknowledged);
}

#[tokio::test]
async fn the_window_of_unacknowledged_messages_is_bounded_and_opens_again() {
    let node = node();
    let mut device = Device::connect(&node, "lamp").await;
    let mut waiting = Vec::new();
    for _ in 0..100 {
        waiting.push(dispatch(&node, "lamp", b"{}", Some(LONG)).expect("room"));
    }
    let full = dispatch(&node, "lamp", b"{}", Some(LONG)).expect_err("full");
    assert_eq!(full, DirectOutcome::ReceiverWindowFull);
    assert_eq!(send(&node, "lamp", b"{}"), DirectOutcome::Dispatched);
    let id = device.next_id().await;
    device.acknowledge(id, ReasonCode::Success).await;
    let (outcome, _) = waiting.remove(0).confirmation.expect("asked for").settled().await;
    assert_eq!(outcome, DirectOutcome::Acknowledged);
    assert!(dispatch(&node, "lamp", b"{}", Some(LONG)).is_ok());
}

#[tokio::test]
async fn a_sender_that_goes_away_disturbs_nobody() {
    let node = node();
    let mut device = Device::connect(&node, "lamp").await;
    drop(dispatch(&node, "lamp", b"{}", Some(LONG)).expect("connected"));
    let id = device.next_id().await;
    device.acknowledge(id, ReasonCode::Success).await;
    device.ping().await;
    assert_eq!(send(&node, "lamp", b"on"), DirectOutcome::Dispatched);
    assert!(matches!(device.next().await, Got::Publish { id: None, .. }));
}

#[tokio::test]
async fn a_device_that_breaks_off_settles_its_waiters_at_once() {
    let node = node();
    let device = Device::connect(&node, "lamp").await;
    let sent = dispatch(&node, "lamp", b"{}", Some(LONG)).expect("connected");
    drop(device);
    let settled = sent.confirmation.expect("asked for").settled();
    let (outcome, at) = tokio::time::timeout(LONG / 2, settled).await.expect("at once");
    assert_eq!((outcome, at), (DirectOutcome::ReceiverDisconnected, None));
}
