//! The events that tell of connections and subscriptions, in the profile of AWS.

use mqtt::{Disconnect, Packet, Properties, ReasonCode};

use crate::device::{Device, Got};
use crate::fixture::{eventually, node};

/// The next event: its type, and its payload.
async fn next_event(watcher: &mut Device) -> (String, serde_json::Value) {
    let got = watcher.next().await;
    let Got::Publish { topic, payload, id: Some(id) } = got else { panic!("no event: {got:?}") };
    watcher.acknowledge(id, ReasonCode::Success).await;
    let told: serde_json::Value = serde_json::from_slice(&payload).expect("JSON");
    let kind = told["eventType"].as_str().expect("a string").to_owned();
    assert!(topic.ends_with(&format!("/{kind}/lamp")), "{topic}");
    assert_eq!(told["clientId"], "lamp");
    (kind, told)
}

#[tokio::test]
async fn events_tell_of_each_connection_in_order_with_its_number_and_how_it_ended() {
    let node = node();
    let mut watcher = Device::connect(&node, "watcher").await;
    let filters = ["$aws/events/presence/+/lamp", "$aws/events/subscriptions/+/lamp"];
    assert_eq!(watcher.subscribe(&filters).await, [ReasonCode::GrantedQoS1; 2]);

    let mut first = Device::connect(&node, "lamp").await;
    first.subscribe(&["a", "b"]).await;
    let second = Device::connect(&node, "lamp").await;
    drop(second);
    eventually(|| node.connected() == 1).await;
    let mut third = Device::connect(&node, "lamp").await;
    let (reason, properties) = (ReasonCode::Success, Properties::EMPTY);
    third.send(&Packet::Disconnect(Disconnect { reason, properties })).await;

    let (kind, connected) = next_event(&mut watcher).await;
    assert_eq!((kind.as_str(), &connected["versionNumber"]), ("connected", &0.into()));
    let (kind, subscribed) = next_event(&mut watcher).await;
    assert_eq!(kind, "subscribed");
    assert_eq!(subscribed["topics"], serde_json::json!(["a", "b"]));
    assert_eq!(subscribed["sessionIdentifier"], connected["sessionIdentifier"]);

    // The second takes over from the first; either event may be the earlier one.
    let mut told = [next_event(&mut watcher).await, next_event(&mut watcher).await];
    told.sort_by_key(|(kind, _)| kind == "disconnected");
    let [(kind, connected), (_, disconnected)] = told;
    assert_eq!((kind.as_str(), &connected["versionNumber"]), ("connected", &1.into()));
    assert_eq!(disconnected["versionNumber"], 0);
    assert_eq!(disconnected["disconnectReason"], "DUPLICATE_CLIENTID");

    for (number, reason, initiated) in
        [(1, "CONNECTION_LOST", false), (2, "CLIENT_INITIATED_DISCONNECT", true)]
    {
        if number == 2 {
            let (kind, connected) = next_event(&mut watcher).await;
            assert_eq!((kind.as_str(), &connected["versionNumber"]), ("connected", &2.into()));
        }
        let (kind, told) = next_event(&mut watcher).await;
        assert_eq!((kind.as_str(), &told["versionNumber"]), ("disconnected", &number.into()));
        assert_eq!(told["disconnectReason"], reason);
        assert_eq!(told["clientInitiatedDisconnect"], initiated);
    }
    watcher.ping().await;
}
