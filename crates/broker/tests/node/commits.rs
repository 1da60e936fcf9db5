//! What must not be said before it is durable waits for the store, and nothing else does.

use std::sync::Arc;
use std::time::Duration;

use mqtt::{Packet, QoS, ReasonCode, Version};
use store::{Memory, StoreError, Trouble};

use crate::device::{Device, Got, Wish};
use crate::fixture::{confirm, dispatch, eventually, storing_node};

const LONG: Duration = Duration::from_secs(10);

fn lasting(version: Version) -> Wish<'static> {
    Wish { version, clean: false, expiry: Some(3_600), ..Wish::default() }
}

#[tokio::test]
async fn acknowledgements_wait_for_the_commit_in_their_order_and_pings_pass_them() {
    for version in [Version::V311, Version::V5] {
        let records = Arc::new(Memory::new());
        let node = storing_node(&records);
        let (mut device, _) = Device::connect_with(&node, "lamp", lasting(version)).await;
        device.subscribe(&["own/1"]).await;
        let (asleep, _) = Device::connect_with(&node, "asleep", lasting(version)).await;
        let mut asleep = asleep;
        asleep.subscribe(&["a/#"]).await;
        drop(asleep);
        eventually(|| node.connected() == 1).await;

        records.hold();
        device.publish_at(QoS::AtLeastOnce, "a/1", b"1", Some(1)).await;
        device.publish_at(QoS::ExactlyOnce, "a/2", b"2", Some(2)).await;
        device.subscribe_at(QoS::AtLeastOnce, &["b"]).await;
        // Nothing of it has to be kept, yet it comes after.
        device.publish_at(QoS::AtLeastOnce, "nobody", b"3", Some(3)).await;
        device.ping().await;
        let direct = dispatch(&node, "lamp", b"{}", None).expect("it passes as well");
        assert!(direct.confirmation.is_none());
        assert!(matches!(device.next().await, Got::Publish { id: None, .. }));
        device.ping().await;

        records.release();
        assert_eq!(device.next().await, Got::PubAck(1));
        assert_eq!(device.next().await, Got::PubRec(2));
        assert_eq!(device.next().await, Got::SubAck(vec![ReasonCode::GrantedQoS1]));
        assert_eq!(device.next().await, Got::PubAck(3));

        records.hold();
        device.say(Packet::PubRel, 2).await;
        device.ping().await;
        records.release();
        assert_eq!(device.next().await, Got::PubComp(2));
    }
}

#[tokio::test]
async fn a_message_at_qos_2_and_its_release_wait_for_the_commit() {
    let records = Arc::new(Memory::new());
    let node = storing_node(&records);
    let (mut device, _) = Device::connect_with(&node, "lamp", lasting(Version::V5)).await;
    device.subscribe_at(QoS::ExactlyOnce, &["a"]).await;
    assert!(matches!(device.next().await, Got::SubAck(_)));
    let mut publisher = Device::connect(&node, "publisher").await;

    records.hold();
    publisher.publish_at(QoS::ExactlyOnce, "a", b"1", Some(1)).await;
    publisher.ping().await;
    device.ping().await;
    records.release();
    assert_eq!(publisher.next().await, Got::PubRec(1));
    let got = device.next().await;
    let Got::Publish { id: Some(id), .. } = got else { panic!("no message: {got:?}") };

    records.hold();
    device.say(Packet::PubRec, id).await;
    device.ping().await;
    records.release();
    assert_eq!(device.next().await, Got::PubRel(id));
}

#[tokio::test]
async fn whoever_deletes_what_another_has_just_deleted_waits_for_the_same_commit() {
    let records = Arc::new(Memory::new());
    let node = storing_node(&records);
    let mut first = Device::connect(&node, "first").await;
    let mut second = Device::connect(&node, "second").await;
    first.retain("a", b"kept").await;

    records.hold();
    first.send_retained("a", b"", 1).await;
    first.ping().await;
    second.send_retained("a", b"", 2).await;
    // The ping passes what waits: had the PUBACK been sent, it would have come first.
    second.ping().await;
    records.release();
    assert_eq!(second.next().await, Got::PubAck(2));
    assert_eq!(first.next().await, Got::PubAck(1));
}

#[tokio::test]
async fn a_confirmed_direct_message_needs_no_commit() {
    let records = Arc::new(Memory::new());
    let node = storing_node(&records);
    let (mut device, _) = Device::connect_with(&node, "lamp", lasting(Version::V5)).await;
    records.hold();
    device.subscribe_at(QoS::AtLeastOnce, &["a"]).await;
    let sending = confirm(&node, "lamp", LONG);
    let answering = async {
        let id = device.next_id().await;
        device.acknowledge(id, ReasonCode::Success).await;
    };
    let ((outcome, _), ()) = tokio::join!(sending, answering);
    assert_eq!(outcome, engine::outcome::DirectOutcome::Acknowledged);
    records.release();
    assert!(matches!(device.next().await, Got::SubAck(_)));
}

#[tokio::test]
async fn a_store_that_fails_ends_those_who_wait_and_others_go_on() {
    let records = Arc::new(Memory::new());
    let node = storing_node(&records);
    let (mut waiting, _) = Device::connect_with(&node, "waiting", lasting(Version::V5)).await;
    let mut other = Device::connect(&node, "other").await;
    other.subscribe(&["news"]).await;

    records.hold();
    records.fail_from(0, StoreError::new(Trouble::NoSpace, "the test has no room"));
    waiting.subscribe_at(QoS::AtLeastOnce, &["a"]).await;
    waiting.ping().await;
    records.release();
    let failed = Got::Disconnect(ReasonCode::ImplementationSpecificError);
    assert_eq!(waiting.next().await, failed);
    assert_eq!(waiting.next().await, Got::End);
    assert!(node.store_failure().is_some_and(|sentence| sentence.contains("no room")));

    // What needs no commit goes on; what does is refused.
    let mut publisher = Device::connect(&node, "publisher").await;
    publisher.publish("news", b"1", Some(1)).await;
    assert_eq!(publisher.next().await, Got::PubAck(1));
    assert!(matches!(other.next().await, Got::Publish { .. }));
    for qos in [QoS::AtLeastOnce, QoS::ExactlyOnce] {
        publisher.publish_at(qos, "kept", b"2", Some(2)).await;
        let wanted = match qos {
            QoS::AtLeastOnce => Got::PubAck(2),
            QoS::AtMostOnce | QoS::ExactlyOnce => Got::PubRec(2),
        };
        assert_eq!(publisher.next().await, wanted, "nobody has to keep it");
    }
}

#[tokio::test]
async fn a_message_that_cannot_be_kept_is_refused() {
    let records = Arc::new(Memory::new());
    let node = storing_node(&records);
    for name in ["asleep", "broken"] {
        let (mut device, _) = Device::connect_with(&node, name, lasting(Version::V5)).await;
        device.subscribe(&["a"]).await;
    }
    eventually(|| node.connected() == 0).await;
    records.fail_from(0, StoreError::new(Trouble::NoSpace, "the test has no room"));
    let mut first = Device::connect(&node, "first").await;
    first.publish("a", b"1", Some(1)).await;
    let refused = ReasonCode::ImplementationSpecificError;
    // It waited for a commit that failed.
    assert_eq!(first.next().await, Got::Disconnect(refused));
    // From now on it is known beforehand.
    let mut device = Device::connect(&node, "second").await;
    for (qos, payload) in
        [(QoS::AtLeastOnce, b"2"), (QoS::ExactlyOnce, b"3"), (QoS::ExactlyOnce, b"4")]
    {
        device.publish_at(qos, "a", payload, Some(7)).await;
        assert_eq!(device.next().await, Got::Refused(refused));
    }
    device.ping().await;
    let wish = Wish { version: Version::V311, ..Wish::default() };
    let (mut device, _) = Device::connect_with(&node, "third", wish).await;
    device.publish("a", b"5", Some(1)).await;
    assert_eq!(device.next().await, Got::End);
}
