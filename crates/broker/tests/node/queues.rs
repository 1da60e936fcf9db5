//! Messages that wait for their devices.

use std::time::Duration;

use engine::limits::{Bounds, Quotas};
use engine::outcome::DirectOutcome;
use engine::rate::Rate;
use mqtt::{QoS, ReasonCode};

use crate::device::{Device, Got, Wish};
use crate::fixture::{confirm, eventually, node, node_with, send};

const LONG: Duration = Duration::from_secs(10);

fn lasting() -> Wish<'static> {
    Wish { clean: false, expiry: Some(3_600), ..Wish::default() }
}

fn payload(got: &Got) -> (Vec<u8>, u16) {
    let Got::Publish { payload, id: Some(id), .. } = got else { panic!("no message: {got:?}") };
    (payload.clone(), *id)
}

/// Acknowledges messages until as many have come; gives their payloads.
async fn take(device: &mut Device, count: usize) -> Vec<Vec<u8>> {
    let mut taken = Vec::new();
    for _ in 0..count {
        let (payload, id) = payload(&device.next().await);
        device.acknowledge(id, ReasonCode::Success).await;
        taken.push(payload);
    }
    taken
}

async fn publish(publisher: &mut Device, topic: &str, payloads: std::ops::Range<u8>) {
    for payload in payloads {
        publisher.publish(topic, &[payload], Some(1)).await;
        assert_eq!(publisher.next().await, Got::PubAck(1));
    }
}

#[tokio::test]
async fn what_a_rate_holds_back_goes_on_by_itself() {
    let quotas = Quotas {
        outbound_unacknowledged: 1,
        dequeued_per_connection: Some(Rate { per_second: 10, burst: 2 }),
        ..Quotas::default().without_rates()
    };
    let node = node_with(quotas, Bounds::default());
    let mut device = Device::connect(&node, "lamp").await;
    device.subscribe(&["a"]).await;
    let mut publisher = Device::connect(&node, "publisher").await;
    publish(&mut publisher, "a", 0..8).await;
    // The acknowledgement that meets the rate has nothing written after it.
    assert_eq!(take(&mut device, 8).await, (0..8).map(|n| vec![n]).collect::<Vec<_>>());
    device.ping().await;
}

#[tokio::test]
async fn the_newest_message_is_discarded_when_the_queue_is_full() {
    let limits = [
        (Quotas { queued_messages: 3, ..Quotas::default() }, Bounds::default()),
        (Quotas { queued_bytes: 3 * 1_400, ..Quotas::default() }, Bounds::default()),
        (Quotas::default(), Bounds { queue_bytes: 3 * 1_400, ..Bounds::default() }),
    ];
    for (quotas, bounds) in limits {
        let node = node_with(quotas.without_rates(), bounds);
        let (mut device, _) = Device::connect_with(&node, "lamp", lasting()).await;
        device.subscribe(&["a"]).await;
        drop(device);
        eventually(|| node.connected() == 0).await;
        let mut publisher = Device::connect(&node, "publisher").await;
        for at in 0..6_u8 {
            publisher.publish("a", &[at; 1_000], Some(1)).await;
            assert_eq!(publisher.next().await, Got::PubAck(1));
        }
        let (mut device, present) = Device::connect_with(&node, "lamp", lasting()).await;
        assert!(present);
        let taken = take(&mut device, 3).await;
        assert_eq!(taken, [vec![0; 1_000], vec![1; 1_000], vec![2; 1_000]]);
        // There is room again.
        publish(&mut publisher, "a", 9..10).await;
        assert_eq!(take(&mut device, 1).await, [vec![9]]);
        device.ping().await;
    }
}

#[tokio::test]
async fn what_has_expired_makes_room_in_a_full_queue() {
    let quotas = Quotas { queued_messages: 1, ..Quotas::default().without_rates() };
    let node = node_with(quotas, Bounds::default());
    let (mut device, _) = Device::connect_with(&node, "lamp", lasting()).await;
    device.subscribe(&["a"]).await;
    drop(device);
    eventually(|| node.connected() == 0).await;
    let mut publisher = Device::connect(&node, "publisher").await;
    publisher.publish_for(1, "a", b"expired").await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    publisher.publish_for(3_600, "a", b"in its place").await;
    let (mut device, _) = Device::connect_with(&node, "lamp", lasting()).await;
    assert_eq!(take(&mut device, 1).await, [b"in its place"]);
    device.ping().await;
}

#[tokio::test]
async fn a_direct_message_passes_a_long_backlog_and_comes_once() {
    let quotas = Quotas { outbound_unacknowledged: 20, ..Quotas::default().without_rates() };
    let node = node_with(quotas, Bounds::default());
    let (mut device, _) = Device::connect_with(&node, "lamp", lasting()).await;
    device.subscribe(&["commands/reboot"]).await;
    drop(device);
    eventually(|| node.connected() == 0).await;
    let mut publisher = Device::connect(&node, "publisher").await;
    publish(&mut publisher, "commands/reboot", 0..100).await;
    let (mut device, _) = Device::connect_with(&node, "lamp", lasting()).await;
    let confirming = confirm(&node, "lamp", LONG);
    let reading = async {
        // The part of the window that is the backlog's.
        for at in 0..18 {
            assert_eq!(payload(&device.next().await).0, [at]);
        }
        let (direct, id) = payload(&device.next().await);
        assert_eq!(direct, b"{}", "it does not wait for the backlog");
        device.acknowledge(id, ReasonCode::Success).await;
        device.ping().await;
    };
    let ((outcome, _), ()) = tokio::join!(confirming, reading);
    assert_eq!(outcome, DirectOutcome::Acknowledged);
}

#[tokio::test]
async fn a_group_shares_messages_among_its_connected_members() {
    let node = node();
    let mut members = Vec::new();
    for name in ["m0", "m1", "m2"] {
        let (mut member, _) = Device::connect_with(&node, name, lasting()).await;
        member.subscribe(&["$share/g/a"]).await;
        members.push(member);
    }
    let mut publisher = Device::connect(&node, "publisher").await;
    publish(&mut publisher, "a", 0..9).await;
    for member in &mut members {
        assert_eq!(take(member, 3).await.len(), 3);
    }
    drop(members.pop());
    eventually(|| node.connected() == 3).await;
    publish(&mut publisher, "a", 0..8).await;
    for (member, other) in members.iter_mut().zip(["m0", "m1"]) {
        assert_eq!(take(member, 4).await.len(), 4, "{other} has the part of the one who left");
    }
    members.clear();
    eventually(|| node.connected() == 1).await;
    publish(&mut publisher, "a", 0..3).await;
    let mut waiting = 0;
    for name in ["m0", "m1", "m2"] {
        let (mut member, _) = Device::connect_with(&node, name, lasting()).await;
        while !matches!(pinged(&mut member).await, Got::Pong) {
            waiting += 1;
        }
    }
    assert_eq!(waiting, 3, "each waits for one of them");
}

/// What comes next, a PINGRESP if nothing else does; others are acknowledged.
async fn pinged(device: &mut Device) -> Got {
    device.send(&mqtt::Packet::PingReq).await;
    let got = device.next().await;
    if let Got::Publish { id: Some(id), .. } = got {
        device.acknowledge(id, ReasonCode::Success).await;
        while !matches!(device.next().await, Got::Pong) {}
    }
    got
}

#[tokio::test]
async fn a_slow_reader_has_its_messages_queued_and_gets_them_in_order() {
    let bounds = Bounds { outbound_buffer_bytes: 8 * 1_024, ..Bounds::default() };
    let node = node_with(Quotas::default().without_rates(), bounds);
    let wish = Wish { pipe: 512, ..lasting() };
    let (mut slow, _) = Device::connect_with(&node, "slow", wish).await;
    slow.subscribe(&["a"]).await;
    let mut well = Device::connect(&node, "well").await;
    well.subscribe(&["a"]).await;
    let mut publisher = Device::connect(&node, "publisher").await;
    for at in 0..60_u8 {
        publisher.publish("a", &[at; 1_000], Some(1)).await;
        assert_eq!(publisher.next().await, Got::PubAck(1));
        assert_eq!(take(&mut well, 1).await, [vec![at; 1_000]]);
    }
    assert_eq!(send(&node, "slow", &[7; 9_000]), DirectOutcome::ReceiverNotWritable);
    for at in 0..60_u8 {
        assert_eq!(take(&mut slow, 1).await, [vec![at; 1_000]]);
    }
    slow.ping().await;
}

#[tokio::test]
async fn a_take_over_hands_on_what_is_unacknowledged() {
    let node = node();
    let (mut old, _) = Device::connect_with(&node, "lamp", lasting()).await;
    old.subscribe_at(QoS::AtLeastOnce, &["a"]).await;
    assert!(matches!(old.next().await, Got::SubAck(_)));
    let mut publisher = Device::connect(&node, "publisher").await;
    publish(&mut publisher, "a", 0..3).await;
    let (first, id) = payload(&old.next().await);
    assert_eq!(first, [0]);
    old.acknowledge(id, ReasonCode::Success).await;
    old.ping_after(2).await;
    let (mut new, present) = Device::connect_with(&node, "lamp", lasting()).await;
    assert!(present);
    assert_eq!(take(&mut new, 2).await, [vec![1], vec![2]]);
    new.ping().await;
    assert_eq!(old.next().await, Got::Disconnect(ReasonCode::SessionTakenOver));
}

#[tokio::test]
async fn there_are_as_many_groups_and_members_as_the_quotas_allow() {
    let quotas = Quotas { shared_groups: 2, members_per_shared_group: 1, ..Quotas::default() };
    let node = node_with(quotas.without_rates(), Bounds::default());
    let mut first = Device::connect(&node, "first").await;
    let mut second = Device::connect(&node, "second").await;
    let (granted, refused) = (ReasonCode::GrantedQoS1, ReasonCode::QuotaExceeded);
    let filters = ["$share/g/a", "$share/g/b", "$share/g/a", "$share/h/a", "a"];
    assert_eq!(first.subscribe(&filters).await, [granted, granted, granted, refused, granted]);
    assert_eq!(second.subscribe(&["$share/g/a", "$share/h/a"]).await, [refused, refused]);
    // What ends makes room.
    drop(first);
    eventually(|| node.connected() == 1).await;
    assert_eq!(second.subscribe(&["$share/h/a", "$share/g/a"]).await, [granted, granted]);
}
