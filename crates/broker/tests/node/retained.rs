//! Retained messages and new subscriptions.

use std::collections::BTreeSet;
use std::sync::Arc;

use mqtt::{Packet, PacketId, Properties, QoS, ReasonCode, Subscribe, SubscribeOptions};
use store::Memory;

use crate::device::{Device, Got};
use crate::fixture::storing_node;

/// So many that they are far more than may wait to be written.
const MANY: usize = 9_000;

async fn retain_many(publisher: &mut Device) {
    for at in 0..MANY {
        publisher.retain(&format!("r/{at}"), &[b'-'; 100]).await;
    }
    publisher.ping().await;
}

#[tokio::test]
async fn however_many_there_are_all_of_them_come() {
    let node = storing_node(&Arc::new(Memory::new()));
    let mut publisher = Device::connect(&node, "publisher").await;
    retain_many(&mut publisher).await;
    for qos in [QoS::AtMostOnce, QoS::AtLeastOnce] {
        let mut device = Device::connect(&node, "lamp").await;
        device.subscribe_at(qos, &["r/#"]).await;
        assert!(matches!(device.next().await, Got::SubAck(_)));
        let mut topics = BTreeSet::new();
        while topics.len() < MANY {
            let got = device.next().await;
            let Got::Retained { topic, id, .. } = got else { panic!("unexpected: {got:?}") };
            assert_eq!(id.is_some(), qos == QoS::AtLeastOnce);
            if let Some(id) = id {
                device.acknowledge(id, ReasonCode::Success).await;
            }
            assert!(topics.insert(topic), "twice");
        }
        device.ping().await;
    }
}

#[tokio::test]
async fn no_local_holds_for_what_was_retained_too() {
    let node = storing_node(&Arc::new(Memory::new()));
    let mut device = Device::connect(&node, "lamp").await;
    device.retain("r/own", b"own").await;
    let mut other = Device::connect(&node, "other").await;
    other.retain("r/others", b"others").await;
    other.ping().await;
    let options = SubscribeOptions { no_local: true, ..SubscribeOptions::default() };
    device
        .send(&Packet::Subscribe(Subscribe {
            packet_id: PacketId::new(1).expect("not 0"),
            properties: Properties::EMPTY,
            filters: vec![("r/#", options)],
        }))
        .await;
    assert!(matches!(device.next().await, Got::SubAck(_)));
    assert!(matches!(device.next().await, Got::Retained { topic, .. } if topic == "r/others"));
    device.ping().await;
}

/// A subscription and a message at the same moment: as it is published or as what was retained, but
/// once.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_subscription_at_the_same_moment_gets_the_message_once() {
    let node = storing_node(&Arc::new(Memory::new()));
    let mut publisher = Device::connect(&node, "publisher").await;
    let mut device = Device::connect(&node, "lamp").await;
    for round in 0..2_000 {
        let topic = format!("r/{round}");
        let retaining = tokio::spawn({
            let topic = topic.clone();
            async move {
                publisher.retain(&topic, b"on").await;
                publisher
            }
        });
        device.subscribe_at(QoS::AtMostOnce, &[&topic]).await;
        publisher = retaining.await.expect("no panic");
        device.send(&Packet::PingReq).await;
        let mut copies = 0;
        loop {
            let got = device.next().await;
            if got == Got::Pong {
                break;
            }
            let is_copy = matches!(got, Got::Publish { .. } | Got::Retained { .. });
            assert!(is_copy || matches!(got, Got::SubAck(_)), "{got:?}");
            copies += usize::from(is_copy);
        }
        assert_eq!(copies, 1, "round {round}");
    }
}
