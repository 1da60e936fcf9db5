//! Plain publish and subscribe.

use mqtt::ReasonCode;

use crate::device::{Device, Got};
use crate::fixture::node;

async fn payload(device: &mut Device) -> Vec<u8> {
    let got = device.next().await;
    let Got::Publish { payload, .. } = got else { panic!("no message: {got:?}") };
    payload
}

#[tokio::test]
async fn a_message_reaches_every_subscriber_whose_filter_matches() {
    let node = node();
    let mut subscribers = Vec::new();
    let filters = ["a/b", "a/+", "a/#", "+/b", "#", "a", "a/b/c", "+"];
    for (at, filter) in filters.iter().enumerate() {
        let mut device = Device::connect(&node, &format!("s{at}")).await;
        assert_eq!(device.subscribe(&[filter]).await, [ReasonCode::GrantedQoS1]);
        subscribers.push(device);
    }
    let mut publisher = Device::connect(&node, "publisher").await;
    publisher.publish("a/b", b"1", Some(5)).await;
    assert_eq!(publisher.next().await, Got::PubAck(5));
    for device in &mut subscribers[..5] {
        assert_eq!(payload(device).await, b"1");
    }
    for device in &mut subscribers[5..] {
        device.ping().await;
    }
}

#[tokio::test]
async fn overlapping_filters_of_one_device_give_one_copy() {
    let node = node();
    let mut device = Device::connect(&node, "lamp").await;
    device.subscribe(&["a/b", "a/+", "a/#", "#"]).await;
    device.subscribe(&["a/b"]).await;
    device.publish("a/b", b"own", None).await;
    assert_eq!(payload(&mut device).await, b"own");
    device.ping().await;
}

#[tokio::test]
async fn each_filter_of_a_subscribe_is_answered_for_itself() {
    let node = node();
    let mut device = Device::connect(&node, "lamp").await;
    let answers =
        device.subscribe(&["a", "a/#/b", "$share/g/a", "$aws/x", "1/2/3/4/5/6/7/8/9"]).await;
    assert_eq!(
        answers,
        [
            ReasonCode::GrantedQoS1,
            ReasonCode::TopicFilterInvalid,
            ReasonCode::GrantedQoS1,
            ReasonCode::TopicFilterInvalid,
            ReasonCode::TopicFilterInvalid,
        ]
    );
    assert_eq!(device.subscribe(&["a"; 9]).await, [ReasonCode::QuotaExceeded; 9]);
}

#[tokio::test]
async fn a_device_that_left_gets_nothing_and_holds_nobody_up() {
    let node = node();
    let mut leaving = Device::connect(&node, "leaving").await;
    leaving.subscribe(&["a"]).await;
    let mut staying = Device::connect(&node, "staying").await;
    staying.subscribe(&["a"]).await;
    drop(leaving);
    let mut publisher = Device::connect(&node, "publisher").await;
    for round in 0..50_u8 {
        publisher.publish("a", &[round], None).await;
        assert_eq!(payload(&mut staying).await, [round]);
    }
}
