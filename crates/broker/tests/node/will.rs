//! The Will is published when a connection ends without a DISCONNECT, and only then.

use mqtt::{Disconnect, Packet, Properties, QoS, ReasonCode, TopicName, Will};

use crate::device::{Device, Got, Wish};
use crate::fixture::node;

fn wish() -> Wish<'static> {
    let will = Will {
        qos: QoS::AtLeastOnce,
        retain: false,
        topic: TopicName::parse("gone/lamp").expect("valid"),
        payload: b"bye",
        properties: Properties::EMPTY,
    };
    Wish { will: Some(will), ..Wish::default() }
}

fn is_the_will(got: &Got) -> bool {
    matches!(got, Got::Publish { topic, payload, id: Some(_) }
        if topic == "gone/lamp" && payload == b"bye")
}

#[tokio::test]
async fn a_lost_connection_a_take_over_and_an_error_publish_the_will() {
    let node = node();
    let mut watcher = Device::connect(&node, "watcher").await;
    watcher.subscribe(&["gone/+"]).await;
    let (lost, _) = Device::connect_with(&node, "lamp", wish()).await;
    drop(lost);
    assert!(is_the_will(&watcher.next().await));

    let (_old, _) = Device::connect_with(&node, "lamp", wish()).await;
    let (mut new, _) = Device::connect_with(&node, "lamp", wish()).await;
    assert!(is_the_will(&watcher.next().await));

    new.write(&[0, 0]).await;
    assert!(is_the_will(&watcher.next().await));
}

#[tokio::test]
async fn an_orderly_disconnect_withdraws_the_will_unless_it_asks_for_it() {
    let node = node();
    let mut watcher = Device::connect(&node, "watcher").await;
    watcher.subscribe(&["gone/#", "next"]).await;
    let properties = Properties::EMPTY;
    for (reason, published) in
        [(ReasonCode::Success, false), (ReasonCode::DisconnectWithWill, true)]
    {
        let (mut device, _) = Device::connect_with(&node, "lamp", wish()).await;
        device.send(&Packet::Disconnect(Disconnect { reason, properties })).await;
        assert_eq!(device.next().await, Got::End);
        Device::connect(&node, "other").await.publish("next", b"", None).await;
        let got = watcher.next().await;
        assert_eq!(is_the_will(&got), published, "{got:?}");
        if published {
            assert!(matches!(watcher.next().await, Got::Publish { .. }));
        }
    }
}
