//! What stays of a device that is not connected.

use engine::limits::{Bounds, Quotas};
use engine::outcome::DirectOutcome;
use mqtt::{Disconnect, Packet, Properties, PropertiesBuf, Property, ReasonCode, Version};

use crate::device::{Device, Got, Wish};
use crate::fixture::{eventually, node, node_with, send};

#[tokio::test]
async fn a_client_that_never_connected_is_not_found() {
    assert_eq!(send(&node(), "lamp", b""), DirectOutcome::TargetNotFound);
}

#[tokio::test]
async fn an_offline_session_is_not_connected_and_a_clean_one_not_found() {
    let node = node();
    let kept = [
        Wish { expiry: Some(60), ..Wish::default() },
        Wish { version: Version::V311, clean: false, ..Wish::default() },
    ];
    let gone = [Wish::default(), Wish { version: Version::V311, ..Wish::default() }];
    for (wishes, outcome) in
        [(kept, DirectOutcome::TargetNotConnected), (gone, DirectOutcome::TargetNotFound)]
    {
        for wish in wishes {
            let (device, _) = Device::connect_with(&node, "lamp", wish).await;
            assert_eq!(send(&node, "lamp", b""), DirectOutcome::Dispatched);
            drop(device);
            eventually(|| node.connected() == 0).await;
            assert_eq!(send(&node, "lamp", b""), outcome);
        }
    }
}

#[tokio::test]
async fn a_session_ends_when_its_expiry_has_passed() {
    let quotas = Quotas { session_expiry_seconds: 1, ..Quotas::default().without_rates() };
    let node = node_with(quotas, Bounds::default());
    let wish = Wish { expiry: Some(3_600), clean: false, ..Wish::default() };
    let (mut device, present) = Device::connect_with(&node, "lamp", wish).await;
    assert!(!present);
    device.subscribe(&["a"]).await;
    drop(device);
    eventually(|| node.connected() == 0).await;
    let (device, present) = Device::connect_with(&node, "lamp", wish).await;
    assert!(present, "it came back in time");
    drop(device);
    eventually(|| node.connected() == 0).await;
    assert_eq!(send(&node, "lamp", b""), DirectOutcome::TargetNotConnected);
    eventually(|| send(&node, "lamp", b"") == DirectOutcome::TargetNotFound).await;
    let (_device, present) = Device::connect_with(&node, "lamp", wish).await;
    assert!(!present);
}

#[tokio::test]
async fn the_other_version_cannot_resume_a_session() {
    let node = node();
    let wish = Wish { expiry: Some(60), clean: false, ..Wish::default() };
    drop(Device::connect_with(&node, "lamp", wish).await);
    eventually(|| node.connected() == 0).await;
    let other = Wish { version: Version::V311, expiry: None, ..wish };
    let (_device, present) = Device::connect_with(&node, "lamp", other).await;
    assert!(!present);
}

#[tokio::test]
async fn a_disconnect_can_end_the_session_and_cannot_prolong_one_that_ends_with_it() {
    let node = node();
    for (expiry, asked, told) in
        [(60, 0, Got::End), (0, 60, Got::Disconnect(ReasonCode::ProtocolError))]
    {
        let wish = Wish { expiry: Some(expiry), ..Wish::default() };
        let (mut device, _) = Device::connect_with(&node, "lamp", wish).await;
        let mut properties = PropertiesBuf::new();
        properties.push(Property::SessionExpiryInterval(asked)).expect("valid");
        let properties = properties.as_properties();
        let reason = ReasonCode::Success;
        device.send(&Packet::Disconnect(Disconnect { reason, properties })).await;
        assert_eq!(device.next().await, told);
        eventually(|| node.connected() == 0).await;
        assert_eq!(send(&node, "lamp", b""), DirectOutcome::TargetNotFound);
    }
}

#[tokio::test]
async fn a_resumed_session_keeps_its_subscriptions_and_a_clean_start_drops_them() {
    let node = node();
    let wish = Wish { expiry: Some(60), clean: false, ..Wish::default() };
    let (mut device, _) = Device::connect_with(&node, "lamp", wish).await;
    device.subscribe(&["a/#"]).await;
    let normal = Disconnect { reason: ReasonCode::Success, properties: Properties::EMPTY };
    device.send(&Packet::Disconnect(normal)).await;
    assert_eq!(device.next().await, Got::End);
    let mut publisher = Device::connect(&node, "publisher").await;
    let (mut device, present) = Device::connect_with(&node, "lamp", wish).await;
    assert!(present);
    publisher.publish("a/b", b"1", None).await;
    assert!(matches!(device.next().await, Got::Publish { .. }));
    let (mut device, present) =
        Device::connect_with(&node, "lamp", Wish { clean: true, ..wish }).await;
    assert!(!present);
    publisher.publish("a/b", b"2", Some(1)).await;
    assert_eq!(publisher.next().await, Got::PubAck(1));
    device.ping().await;
}
