//! A Will with a delay waits for its client to come back ([MQTT-3.1.3-9]).

use mqtt::{
    Disconnect, Packet, Properties, PropertiesBuf, Property, QoS, ReasonCode, TopicName, Will,
};

use crate::device::{Device, Got, Wish};
use crate::fixture::{eventually, node};

fn delayed(seconds: u32) -> PropertiesBuf {
    let mut properties = PropertiesBuf::new();
    properties.push(Property::WillDelayInterval(seconds)).expect("valid");
    properties
}

fn wish(properties: &PropertiesBuf, expiry: u32) -> Wish<'_> {
    let will = Will {
        qos: QoS::AtLeastOnce,
        retain: false,
        topic: TopicName::parse("gone").expect("valid"),
        payload: b"bye",
        properties: properties.as_properties(),
    };
    Wish { will: Some(will), expiry: Some(expiry), clean: false, ..Wish::default() }
}

async fn next_is_the_will(watcher: &mut Device) {
    let got = watcher.next().await;
    let Got::Publish { payload, id: Some(id), .. } = &got else { panic!("no Will: {got:?}") };
    assert_eq!(payload, b"bye");
    watcher.acknowledge(*id, ReasonCode::Success).await;
}

#[tokio::test]
async fn it_is_published_when_the_delay_passes_or_the_session_ends() {
    let node = node();
    let mut watcher = Device::connect(&node, "watcher").await;
    watcher.subscribe(&["gone"]).await;
    // Delay before session, session before delay, and no session at all; a session without end.
    for (delay, expiry) in [(1, 60), (60, 1), (60, 0), (1, u32::MAX)] {
        let properties = delayed(delay);
        let (device, _) = Device::connect_with(&node, "lamp", wish(&properties, expiry)).await;
        drop(device);
        next_is_the_will(&mut watcher).await;
        watcher.ping().await;
        // The next round begins anew.
        drop(Device::connect(&node, "lamp").await);
        eventually(|| node.connected() == 1).await;
    }
}

#[tokio::test]
async fn coming_back_withdraws_it_and_beginning_anew_publishes_it() {
    let node = node();
    let mut watcher = Device::connect(&node, "watcher").await;
    watcher.subscribe(&["gone", "next"]).await;
    let properties = delayed(60);
    let (device, _) = Device::connect_with(&node, "lamp", wish(&properties, 3_600)).await;
    drop(device);
    eventually(|| node.connected() == 1).await;
    let (device, present) = Device::connect_with(&node, "lamp", wish(&properties, 3_600)).await;
    assert!(present);
    // A take-over comes back as well.
    let (mut device, present) = {
        let _old = device;
        Device::connect_with(&node, "lamp", wish(&properties, 3_600)).await
    };
    assert!(present);
    device.publish("next", b"", None).await;
    assert!(matches!(watcher.next().await, Got::Publish { topic, .. } if topic == "next"));
    drop(device);
    eventually(|| node.connected() == 1).await;
    let clean = Wish { clean: true, ..wish(&properties, 3_600) };
    let (mut device, present) = Device::connect_with(&node, "lamp", clean).await;
    assert!(!present);
    next_is_the_will(&mut watcher).await;

    let (reason, properties) = (ReasonCode::Success, Properties::EMPTY);
    device.send(&Packet::Disconnect(Disconnect { reason, properties })).await;
    assert_eq!(device.next().await, Got::End);
    let _clean = Device::connect(&node, "lamp").await;
    watcher.ping().await;
}
