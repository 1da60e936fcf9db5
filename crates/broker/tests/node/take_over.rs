//! The same client ID connects again: the newer connection wins.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use engine::outcome::DirectOutcome;
use mqtt::{QoS, ReasonCode, Version};

use crate::device::{Device, Got, Wish};
use crate::fixture::{confirm, dispatch, eventually, node};

const LONG: Duration = Duration::from_secs(10);
/// How many sessions a client has, one after the other.
const SESSIONS: usize = 400;

#[tokio::test]
async fn the_old_connection_is_told_and_its_waiters_settle_as_disconnected() {
    let node = node();
    let mut old = Device::connect(&node, "lamp").await;
    let sent = dispatch(&node, "lamp", b"{}", Some(LONG)).expect("connected");
    let id = old.next_id().await;
    let mut new = Device::connect(&node, "lamp").await;
    let settled = sent.confirmation.expect("asked for").settled();
    let (outcome, _) = tokio::time::timeout(LONG / 2, settled).await.expect("at once");
    assert_eq!(outcome, DirectOutcome::ReceiverDisconnected);
    assert_eq!(old.next().await, Got::Disconnect(ReasonCode::SessionTakenOver));
    assert_eq!(old.next().await, Got::End);
    assert_eq!(node.connected(), 1);

    // A PUBACK on the new connection for the old one's message confirms nothing.
    let again = dispatch(&node, "lamp", b"{}", Some(LONG)).expect("connected");
    assert!(again.epoch > sent.epoch);
    let new_id = new.next_id().await;
    old.acknowledge(id, ReasonCode::Success).await;
    new.acknowledge(new_id, ReasonCode::Success).await;
    let (outcome, _) = again.confirmation.expect("asked for").settled().await;
    assert_eq!(outcome, DirectOutcome::Acknowledged);
}

#[tokio::test]
async fn a_3_1_1_device_that_is_taken_over_sees_its_socket_close() {
    let node = node();
    let wish = Wish { version: Version::V311, ..Wish::default() };
    let (mut old, _) = Device::connect_with(&node, "lamp", wish).await;
    let _new = Device::connect(&node, "lamp").await;
    assert_eq!(old.next().await, Got::End);
}

#[tokio::test]
async fn the_end_of_the_old_socket_leaves_the_new_connection_alone() {
    let node = node();
    let old = Device::connect(&node, "lamp").await;
    let mut new = Device::connect(&node, "lamp").await;
    drop(old);
    new.ping().await;
    let sending = confirm(&node, "lamp", LONG);
    let answering = async {
        let id = new.next_id().await;
        new.acknowledge(id, ReasonCode::Success).await;
    };
    let ((outcome, _), ()) = tokio::join!(sending, answering);
    assert_eq!(outcome, DirectOutcome::Acknowledged);
    eventually(|| node.connected() == 1).await;
}

/// A publisher that found the subscriptions of a session may come when it is over.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_new_session_gets_nothing_that_the_one_before_subscribed_to() {
    let node = node();
    let publishing = Arc::new(AtomicBool::new(true));
    let publishers: Vec<_> = (0..3)
        .map(|number| {
            let (node, publishing) = (Arc::clone(&node), Arc::clone(&publishing));
            tokio::spawn(async move {
                let mut publisher = Device::connect(&node, &format!("publisher-{number}")).await;
                while publishing.load(Ordering::Relaxed) {
                    for _ in 0..50 {
                        publisher.publish("news", b"1", None).await;
                    }
                    publisher.ping().await;
                }
            })
        })
        .collect();
    for _ in 0..SESSIONS {
        let mut device = Device::connect(&node, "lamp").await;
        // The PONG comes first: nothing did before it.
        device.ping().await;
        device.subscribe_at(QoS::AtMostOnce, &["news"]).await;
        while !matches!(device.next().await, Got::Publish { .. }) {}
    }
    publishing.store(false, Ordering::Relaxed);
    for publisher in publishers {
        publisher.await.expect("it publishes");
    }
}
