//! What a node finds after a crash.

use std::sync::Arc;

use engine::profile::AWS;
use mqtt::{Packet, PropertiesBuf, Property, QoS, ReasonCode, TopicName, Version, Will};
use store::Memory;

use crate::device::{Device, Got, Wish};
use crate::fixture::{eventually, storing_node, storing_node_with};

fn lasting(version: Version) -> Wish<'static> {
    Wish { version, clean: false, expiry: Some(3_600), ..Wish::default() }
}

/// What the next process finds if this one is killed now.
fn killed(records: &Arc<Memory>) -> Arc<Memory> {
    Arc::new(records.after_kill())
}

#[tokio::test]
async fn sessions_come_back_with_their_messages_in_order_and_their_packet_ids() {
    for version in [Version::V311, Version::V5] {
        let records = Arc::new(Memory::new());
        let node = storing_node(&records);
        let (mut device, _) = Device::connect_with(&node, "lamp", lasting(version)).await;
        device.subscribe_at(QoS::ExactlyOnce, &["a"]).await;
        assert!(matches!(device.next().await, Got::SubAck(_)));
        let mut publisher = Device::connect(&node, "publisher").await;
        let mut ids = Vec::new();
        for at in 1..=3_u8 {
            publisher.publish_at(QoS::ExactlyOnce, "a", &[at], Some(1)).await;
            assert_eq!(publisher.next().await, Got::PubRec(1));
            publisher.say(Packet::PubRel, 1).await;
            assert_eq!(publisher.next().await, Got::PubComp(1));
            let got = device.next().await;
            let Got::Publish { id: Some(id), .. } = got else { panic!("no message: {got:?}") };
            ids.push(id);
        }
        // The first is released, the second done with.
        for id in [ids[0], ids[1]] {
            device.say(Packet::PubRec, id).await;
            assert_eq!(device.next().await, Got::PubRel(id));
        }
        device.say(Packet::PubComp, ids[1]).await;
        device.ping().await;
        drop(device);
        eventually(|| node.connected() == 1).await;
        for at in 4..=5_u8 {
            publisher.publish("a", &[at], Some(9)).await;
            assert_eq!(publisher.next().await, Got::PubAck(9));
        }

        let records = killed(&records);
        drop((node, publisher));
        let node = storing_node(&records);
        let (mut device, present) = Device::connect_with(&node, "lamp", lasting(version)).await;
        assert!(present);
        assert_eq!(device.next().await, Got::PubRel(ids[0]));
        let third = Got::Again { topic: "a".into(), payload: vec![3], id: Some(ids[2]) };
        assert_eq!(device.next().await, third);
        for at in 4..=5_u8 {
            let got = device.next().await;
            let Got::Publish { payload, id: Some(id), .. } = got else { panic!("{got:?}") };
            assert_eq!(payload, [at]);
            assert!(!ids[..1].contains(&id) && id != ids[2], "the packet ID is taken");
            device.acknowledge(id, ReasonCode::Success).await;
        }
        // Its subscription is there as well.
        let mut publisher = Device::connect(&node, "publisher").await;
        publisher.publish("a", b"6", None).await;
        assert!(matches!(device.next().await, Got::Publish { id: None, .. }));
    }
}

#[tokio::test]
async fn a_message_that_was_taken_is_not_taken_again_after_a_crash() {
    let records = Arc::new(Memory::new());
    let node = storing_node(&records);
    let (mut device, _) = Device::connect_with(&node, "lamp", lasting(Version::V5)).await;
    device.publish_at(QoS::ExactlyOnce, "a", b"1", Some(4)).await;
    assert_eq!(device.next().await, Got::PubRec(4));
    let records = killed(&records);
    drop((node, device));

    let node = storing_node(&records);
    let mut watcher = Device::connect(&node, "watcher").await;
    watcher.subscribe(&["a"]).await;
    let (mut device, present) = Device::connect_with(&node, "lamp", lasting(Version::V5)).await;
    assert!(present);
    device.publish_at(QoS::ExactlyOnce, "a", b"1", Some(4)).await;
    assert_eq!(device.next().await, Got::PubRec(4));
    device.say(Packet::PubRel, 4).await;
    assert_eq!(device.next().await, Got::PubComp(4));
    device.publish_at(QoS::ExactlyOnce, "a", b"2", Some(4)).await;
    assert_eq!(device.next().await, Got::PubRec(4));
    let got = watcher.next().await;
    assert!(matches!(&got, Got::Publish { payload, .. } if payload == b"2"), "{got:?}");
}

#[tokio::test]
async fn retained_messages_come_back_and_removed_ones_do_not() {
    let records = Arc::new(Memory::new());
    let node = storing_node(&records);
    let mut device = Device::connect(&node, "lamp").await;
    for (topic, payload) in [("a/1", "one"), ("a/2", "two"), ("a/1", "three"), ("a/2", "")] {
        device.retain(topic, payload.as_bytes()).await;
    }
    let records = killed(&records);
    drop((node, device));
    let node = storing_node(&records);
    let mut device = Device::connect(&node, "lamp").await;
    device.subscribe(&["a/#"]).await;
    let got = device.next().await;
    let Got::Retained { topic, payload, .. } = &got else { panic!("not retained: {got:?}") };
    assert_eq!((topic.as_str(), payload.as_slice()), ("a/1", b"three".as_slice()));
    device.ping().await;
}

#[tokio::test]
async fn a_will_whose_delay_runs_is_published_by_the_next_process() {
    let mut properties = PropertiesBuf::new();
    properties.push(Property::WillDelayInterval(2)).expect("valid");
    let will = Will {
        qos: QoS::AtLeastOnce,
        retain: false,
        topic: TopicName::parse("gone").expect("valid"),
        payload: b"bye",
        properties: properties.as_properties(),
    };
    let records = Arc::new(Memory::new());
    let node = storing_node(&records);
    let mut watcher = Device::connect_with(&node, "watcher", lasting(Version::V5)).await.0;
    watcher.subscribe(&["gone"]).await;
    let wish = Wish { will: Some(will), ..lasting(Version::V5) };
    drop(Device::connect_with(&node, "lamp", wish).await);
    eventually(|| node.connected() == 1).await;
    // A commit later, the Will is kept as well.
    watcher.subscribe(&["other"]).await;
    let records = killed(&records);
    drop((node, watcher));
    let node = storing_node(&records);
    let mut watcher = Device::connect_with(&node, "watcher", lasting(Version::V5)).await.0;
    let got = watcher.next().await;
    assert!(matches!(&got, Got::Publish { payload, .. } if payload == b"bye"), "{got:?}");
}

#[tokio::test]
async fn a_session_that_its_client_ended_does_not_come_back() {
    let records = Arc::new(Memory::new());
    let node = storing_node_with(&records, AWS.quotas.without_rates(), &AWS);
    let (mut device, _) = Device::connect_with(&node, "lamp", lasting(Version::V5)).await;
    device.subscribe(&["a"]).await;
    let mut properties = PropertiesBuf::new();
    properties.push(Property::SessionExpiryInterval(0)).expect("valid");
    let reason = ReasonCode::Success;
    let properties = properties.as_properties();
    device.send(&Packet::Disconnect(mqtt::Disconnect { reason, properties })).await;
    assert_eq!(device.next().await, Got::End);
    // A commit later, that is kept as well.
    Device::connect(&node, "other").await.retain("b", b"1").await;
    let records = killed(&records);
    drop(node);
    let node = storing_node(&records);
    let (_, present) = Device::connect_with(&node, "lamp", lasting(Version::V5)).await;
    assert!(!present);
}

/// QoS 1 packets go out under IDs that nobody keeps, those of QoS 2 under IDs that are kept.
#[tokio::test]
async fn messages_of_different_qos_keep_their_order_over_a_crash() {
    let records = Arc::new(Memory::new());
    let node = storing_node(&records);
    let (mut device, _) = Device::connect_with(&node, "lamp", lasting(Version::V5)).await;
    device.subscribe_at(QoS::ExactlyOnce, &["a"]).await;
    assert!(matches!(device.next().await, Got::SubAck(_)));
    let mut publisher = Device::connect(&node, "publisher").await;
    for at in 0..6_u8 {
        let qos = if at % 2 == 0 { QoS::AtLeastOnce } else { QoS::ExactlyOnce };
        publisher.publish_at(qos, "a", &[at], Some(u16::from(at) + 1)).await;
        assert!(matches!(publisher.next().await, Got::PubAck(_) | Got::PubRec(_)));
        assert!(matches!(device.next().await, Got::Publish { payload, .. } if payload == [at]));
    }
    let records = killed(&records);
    drop((node, device, publisher));
    let node = storing_node(&records);
    let (mut device, _) = Device::connect_with(&node, "lamp", lasting(Version::V5)).await;
    let mut ids = std::collections::BTreeSet::new();
    for at in 0..6_u8 {
        let got = device.next().await;
        let Got::Again { payload, id: Some(id), .. } = got else { panic!("not again: {got:?}") };
        assert_eq!(payload, [at]);
        assert!(ids.insert(id), "packet ID {id} twice");
    }
}
