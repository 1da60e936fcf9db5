//! What is known of a client's connection, during it and after it.

use std::sync::Arc;
use std::time::Duration;

use broker::{ClientRefused, Node, Standing};
use engine::close::CloseReason;
use engine::limits::{Bounds, OperationRates, Quotas};
use engine::rate::Rate;
use mqtt::{ClientId, Disconnect, Packet, Properties, QoS, ReasonCode, Version};
use store::Memory;
use telemetry::Quota;

use crate::device::{Device, Got, Wish};
use crate::fixture::{dispatch, eventually, look, node, node_with, sender, storing_node};

const LONG: Duration = Duration::from_secs(20);

fn lasting(version: Version) -> Wish<'static> {
    Wish { version, clean: false, expiry: Some(600), ..Wish::default() }
}

fn filters(node: &Node, client_id: &str, after: Option<&str>, count: usize) -> Vec<(String, QoS)> {
    let client_id = ClientId::parse(client_id).expect("valid");
    let permit = node.access().list_subscriptions(&sender(), &client_id, node.now());
    let permit = permit.expect("anybody may");
    let listed = node.list_subscriptions(permit, &client_id, after, count).expect("known");
    listed.into_iter().map(|(filter, qos)| (filter.into(), qos)).collect()
}

#[tokio::test]
async fn a_connection_tells_its_terms_and_what_is_in_flight() {
    let node = node();
    assert_eq!(look(&node, "lamp"), Err(ClientRefused::Unknown));
    let before = node.now();
    let (mut device, _) = Device::connect_with(&node, "lamp", lasting(Version::V5)).await;
    let sent = dispatch(&node, "lamp", b"{}", Some(LONG)).expect("connected");
    device.next_id().await;
    let found = look(&node, "lamp").expect("connected");
    let Standing::Connected(since) = found.standing else { panic!("{found:?}") };
    assert!((before..=node.now()).contains(&since));
    assert!(!found.clean_session);
    assert_eq!(found.session_expiry_seconds, 600);
    assert_eq!(found.keep_alive_seconds, Some(60));
    assert_eq!(found.epoch, Some(sent.epoch));
    assert_eq!(found.inflight, Some(1));
    assert_eq!(found.socket.map(|socket| socket.source), Some(([127, 0, 0, 1], 1).into()));
    let seen = found.last_received.expect("a CONNECT at least");
    device.ping().await;
    assert!(look(&node, "lamp").expect("connected").last_received > Some(seen));
}

#[tokio::test]
async fn the_end_of_a_connection_is_remembered_whatever_its_session_was() {
    let node = node();
    for (expiry, clean_session) in [(None, true), (Some(600), false)] {
        for lost in [true, false] {
            let wish = Wish { expiry, clean: clean_session, ..Wish::default() };
            let (mut device, _) = Device::connect_with(&node, "lamp", wish).await;
            let epoch = look(&node, "lamp").expect("connected").epoch;
            if !lost {
                let (reason, properties) = (ReasonCode::Success, Properties::EMPTY);
                device.send(&Packet::Disconnect(Disconnect { reason, properties })).await;
                assert_eq!(device.next().await, Got::End);
            }
            drop(device);
            eventually(|| node.connected() == 0).await;
            let found = look(&node, "lamp").expect("remembered");
            let Standing::Disconnected(since, reason) = found.standing else { panic!("{found:?}") };
            assert!(since <= node.now());
            let expected = match lost {
                true => CloseReason::ConnectionLost,
                false => CloseReason::ClientInitiated { with_will: false },
            };
            assert_eq!(reason, expected);
            assert_eq!((found.clean_session, found.epoch), (clean_session, epoch));
            assert_eq!(found.keep_alive_seconds, Some(60));
            assert_eq!(found.inflight, (!clean_session).then_some(0));
            assert!(found.socket.is_some());
        }
    }
}

#[tokio::test]
async fn when_that_is_forgotten_a_session_is_still_known() {
    let bounds = Bounds { departure_life: Duration::from_millis(200), ..Bounds::default() };
    let node = node_with(Quotas::default().without_rates(), bounds);
    drop(Device::connect_with(&node, "kept", lasting(Version::V311)).await);
    drop(Device::connect(&node, "clean").await);
    eventually(|| look(&node, "clean") == Err(ClientRefused::Unknown)).await;
    eventually(|| look(&node, "kept").is_ok_and(|found| found.standing == Standing::Away)).await;
    let found = look(&node, "kept").expect("a session");
    assert_eq!((found.clean_session, found.session_expiry_seconds), (false, 3_600));
    assert_eq!((found.keep_alive_seconds, found.epoch, found.socket), (None, None, None));
}

#[tokio::test]
async fn a_restart_forgets_the_connection_and_keeps_the_session() {
    let records = Arc::new(Memory::new());
    let node = storing_node(&records);
    let (mut device, _) = Device::connect_with(&node, "lamp", lasting(Version::V5)).await;
    device.subscribe(&["b", "a/+", "$share/g/c"]).await;
    let records = Arc::new(records.after_kill());
    drop((node, device));
    let node = storing_node(&records);
    let found = look(&node, "lamp").expect("a session");
    assert_eq!((found.standing, found.session_expiry_seconds), (Standing::Away, 600));
    let all = ["$share/g/c", "a/+", "b"].map(|filter| (filter.to_owned(), QoS::AtLeastOnce));
    assert_eq!(filters(&node, "lamp", None, 10), all);
    assert_eq!(filters(&node, "lamp", Some("$share/g/c"), 1), all[1..2]);
    // Where the page before ended may be gone by now.
    assert_eq!(filters(&node, "lamp", Some("a"), 10), all[1..]);
}

#[tokio::test]
async fn messages_that_wait_for_their_acknowledgement_are_counted_offline_too() {
    let node = node();
    let (mut device, _) = Device::connect_with(&node, "lamp", lasting(Version::V5)).await;
    device.subscribe(&["a"]).await;
    let mut publisher = Device::connect(&node, "publisher").await;
    publisher.publish_for(60, "a", b"1").await;
    device.next_id().await;
    assert_eq!(look(&node, "lamp").expect("connected").inflight, Some(1));
    drop(device);
    eventually(|| node.connected() == 1).await;
    publisher.publish_for(60, "a", b"2").await;
    let found = look(&node, "lamp").expect("a session");
    assert_eq!(found.inflight, Some(1), "the second one was not sent");
}

#[tokio::test]
async fn each_client_may_be_looked_at_once_a_second() {
    let get_connection = OperationRates { account: None, per_client: Some(Rate::per_second(1)) };
    let quotas = Quotas { get_connection, ..Quotas::default().without_rates() };
    let node = node_with(quotas, Bounds::default());
    let refused = Err(ClientRefused::Throttled(Quota::GetConnectionPerClient));
    assert_eq!(look(&node, "nobody"), Err(ClientRefused::Unknown));
    // A slow machine may be given several in the meantime, but not all of them.
    let answers: Vec<_> = (0..100).map(|_| look(&node, "nobody")).collect();
    assert!(answers.contains(&refused), "{answers:?}");
    eventually(|| look(&node, "nobody") == Err(ClientRefused::Unknown)).await;
    assert_eq!(look(&node, "another"), Err(ClientRefused::Unknown));
}
