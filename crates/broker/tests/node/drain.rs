//! Shutting down.

use std::sync::Arc;
use std::time::{Duration, Instant};

use engine::outcome::DirectOutcome;
use mqtt::{Properties, QoS, ReasonCode, TopicName, Version, Will};
use store::Memory;

use crate::device::{Device, Got, Wish, connect_bytes, open};
use crate::fixture::{confirm, dispatch, eventually, node, storing_node};

const LONG: Duration = Duration::from_secs(10);

#[tokio::test]
async fn deliveries_settle_before_devices_are_told_to_leave() {
    let node = node();
    let mut device = Device::connect(&node, "lamp").await;
    let wish = Wish { version: Version::V311, ..Wish::default() };
    let (mut old, _) = Device::connect_with(&node, "old", wish).await;
    let sending = confirm(&node, "lamp", LONG);
    let draining = async {
        let id = device.next_id().await;
        let acknowledging = async {
            tokio::time::sleep(Duration::from_millis(60)).await;
            device.acknowledge(id, ReasonCode::Success).await;
        };
        tokio::join!(node.drain(LONG), acknowledging);
    };
    let ((outcome, _), ()) = tokio::join!(sending, draining);
    assert_eq!(outcome, DirectOutcome::Acknowledged);
    assert_eq!(device.next().await, Got::Disconnect(ReasonCode::ServerShuttingDown));
    assert_eq!(device.next().await, Got::End);
    assert_eq!(old.next().await, Got::End);
    assert_eq!(node.connected(), 0);
}

#[tokio::test]
async fn patience_has_an_end_and_what_still_waits_is_told() {
    let node = node();
    let mut device = Device::connect(&node, "lamp").await;
    let sent = dispatch(&node, "lamp", b"{}", Some(LONG)).expect("connected");
    device.next_id().await;
    let begun = Instant::now();
    node.drain(Duration::from_millis(100)).await;
    assert!(begun.elapsed() < LONG / 2);
    let (outcome, _) = sent.confirmation.expect("asked for").settled().await;
    assert_eq!(outcome, DirectOutcome::ReceiverDisconnected);
    assert_eq!(device.next().await, Got::Disconnect(ReasonCode::ServerShuttingDown));
}

#[tokio::test]
async fn a_draining_node_takes_no_new_connection() {
    let node = node();
    node.drain(Duration::ZERO).await;
    let mut device = Device::over(open(&node, 4_096), Version::V5);
    device.write(&connect_bytes("lamp", &Wish::default())).await;
    let reason = ReasonCode::ServerUnavailable;
    assert_eq!(device.next().await, Got::ConnAck { session_present: false, reason });
    assert_eq!(device.next().await, Got::End);
}

#[tokio::test]
async fn the_wills_of_all_are_published_before_it_is_over() {
    let records = Arc::new(Memory::new());
    let node = storing_node(&records);
    let wish = Wish { clean: false, expiry: Some(3_600), ..Wish::default() };
    let (mut watcher, _) = Device::connect_with(&node, "watcher", wish).await;
    watcher.subscribe(&["gone/#"]).await;
    drop(watcher);
    eventually(|| node.connected() == 0).await;
    let mut devices = Vec::new();
    for at in 0..50 {
        let topic = format!("gone/{at}");
        let will = Will {
            qos: QoS::AtLeastOnce,
            retain: false,
            topic: TopicName::parse(&topic).expect("valid"),
            payload: b"bye",
            properties: Properties::EMPTY,
        };
        let wish = Wish { will: Some(will), ..Wish::default() };
        devices.push(Device::connect_with(&node, &format!("lamp-{at}"), wish).await);
    }
    node.drain(Duration::ZERO).await;
    node.close_store();
    let node = storing_node(&Arc::new(records.after_kill()));
    let (mut watcher, _) = Device::connect_with(&node, "watcher", wish).await;
    for _ in 0..50 {
        let id = watcher.next_id().await;
        watcher.acknowledge(id, ReasonCode::Success).await;
    }
    watcher.ping().await;
}
