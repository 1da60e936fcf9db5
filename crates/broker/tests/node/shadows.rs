//! Device Shadows over MQTT.

use std::sync::Arc;
use std::time::Duration;

use engine::limits::{Bounds, Quotas};
use engine::profile::{AWS, STANDARD};
use mqtt::{QoS, ReasonCode, Version};
use store::{Memory, Records, StoreError, Table, Trouble};

use crate::device::{Device, Got, Wish};
use crate::fixture::{
    eventually, node, node_with, storing_node, storing_node_with, unreadable_node,
};

const UPDATE: &str = "$aws/things/lamp/shadow/update";
const GET: &str = "$aws/things/lamp/shadow/get";
const DELETE: &str = "$aws/things/lamp/shadow/delete";
/// What is answered, and not what was asked.
const ANSWERS: [&str; 4] = [
    "$aws/things/lamp/shadow/get/+",
    "$aws/things/lamp/shadow/update/+",
    "$aws/things/lamp/shadow/delete/+",
    "$aws/things/lamp/shadow/name/+/+/+",
];

async fn subscriber(node: &Arc<broker::Node>, client_id: &str) -> Device {
    let mut device = Device::connect(node, client_id).await;
    let reasons = device.subscribe(&ANSWERS).await;
    assert_eq!(reasons, [ReasonCode::GrantedQoS1; 4]);
    device
}

/// The next message: what follows `shadow/` in its topic, and its payload.
async fn told(device: &mut Device) -> (String, String) {
    let got = device.next().await;
    let Got::Publish { topic, payload, id: Some(id) } = got else { panic!("no answer: {got:?}") };
    device.acknowledge(id, ReasonCode::Success).await;
    let (_, what) = topic.split_once("shadow/").expect("a topic of a shadow");
    (what.to_owned(), String::from_utf8(payload).expect("JSON"))
}

async fn expect(device: &mut Device, what: &str, within: &str) {
    let (topic, payload) = told(device).await;
    assert_eq!(topic, what, "{payload}");
    assert!(payload.contains(within), "{within} in {payload}");
}

#[tokio::test]
async fn requests_are_answered_in_their_order() {
    let node = node();
    let mut watcher = subscriber(&node, "watcher").await;
    let mut device = Device::connect(&node, "lamp").await;
    for payload in [
        r#"{"state":{"desired":{"on":true}},"clientToken":"1"}"#,
        r#"{"state":{"reported":{"on":false}},"version":7,"clientToken":"2"}"#,
        r#"{"state":{"reported":{"on":true}},"version":1,"clientToken":"3"}"#,
    ] {
        device.publish(UPDATE, payload.as_bytes(), Some(9)).await;
    }
    device.publish(GET, b"", None).await;
    device.publish(DELETE, br#"{"clientToken":"4"}"#, None).await;
    device.publish(GET, br#"{"clientToken":"5"}"#, None).await;

    expect(&mut watcher, "update/accepted", r#""version":1,"#).await;
    expect(&mut watcher, "update/delta", r#""state":{"on":true}"#).await;
    expect(&mut watcher, "update/documents", r#""clientToken":"1""#).await;
    let conflict = r#"{"code":409,"message":"Version conflict""#;
    expect(&mut watcher, "update/rejected", conflict).await;
    expect(&mut watcher, "update/accepted", r#""clientToken":"3""#).await;
    expect(&mut watcher, "update/documents", r#""version":2"#).await;
    expect(&mut watcher, "get/accepted", r#""desired":{"on":true},"reported":{"on":true}}"#).await;
    expect(&mut watcher, "delete/accepted", r#"{"version":2,"#).await;
    let nothing = r#"{"code":404,"message":"No shadow exists with name: 'lamp'""#;
    expect(&mut watcher, "get/rejected", nothing).await;
    watcher.ping().await;
}

#[tokio::test]
async fn named_shadows_are_apart_from_the_classic_one() {
    let node = node();
    let mut watcher = subscriber(&node, "watcher").await;
    let named = "$aws/things/lamp/shadow/name/config";
    watcher.publish(&format!("{named}/update"), br#"{"state":{}}"#, None).await;
    expect(&mut watcher, "name/config/update/accepted", r#""version":1,"#).await;
    expect(&mut watcher, "name/config/update/documents", "").await;
    watcher.publish(GET, b"", None).await;
    expect(&mut watcher, "get/rejected", "'lamp'").await;
    watcher.publish(&format!("{named}x/get"), b"", None).await;
    expect(&mut watcher, "name/configx/get/rejected", "'configx'").await;
}

/// A request is a message as any other, too.
#[tokio::test]
async fn whoever_subscribes_to_requests_gets_them() {
    let node = node();
    let mut watcher = Device::connect(&node, "watcher").await;
    watcher.subscribe(&["$aws/things/+/shadow/#"]).await;
    watcher.publish(UPDATE, br#"{"state":{}}"#, None).await;
    let got = watcher.next().await;
    assert!(matches!(&got, Got::Publish { topic, .. } if topic == UPDATE), "{got:?}");
    expect(&mut watcher, "update/accepted", "").await;
}

#[tokio::test]
async fn other_reserved_topics_stay_reserved() {
    for topic in [
        "$aws/things/lamp/shadow/update/accepted",
        "$aws/things/lamp/shadow",
        "$aws/things/lamp/jobs/get",
        "$aws/things/la mp/shadow/get",
    ] {
        let node = node();
        let mut device = Device::connect(&node, "lamp").await;
        device.publish(topic, b"{}", None).await;
        assert_eq!(device.next().await, Got::Disconnect(ReasonCode::TopicNameInvalid), "{topic}");
    }
    let node = node();
    let mut device = Device::connect(&node, "lamp").await;
    let reasons = device.subscribe(&["$aws/things/lamp/jobs/#"]).await;
    assert_eq!(reasons, [ReasonCode::TopicFilterInvalid]);
    device.send_retained(UPDATE, b"{}", 5).await;
    assert_eq!(device.next().await, Got::Disconnect(ReasonCode::TopicNameInvalid));
}

#[tokio::test]
async fn nothing_is_told_before_it_is_durable_and_a_read_waits_as_well() {
    let records = Arc::new(Memory::new());
    let node = storing_node(&records);
    let mut watcher = subscriber(&node, "watcher").await;
    let mut device = Device::connect(&node, "lamp").await;
    records.hold();
    for (at, payload) in [&b"{\"state\":{}}"[..], b"{"].into_iter().enumerate() {
        device.publish(UPDATE, payload, Some(at as u16 + 1)).await;
    }
    device.publish(GET, b"", None).await;
    // Another shadow does not wait, nor does anything else.
    device.publish("$aws/things/lamp/shadow/name/other/get", b"", None).await;
    device.ping().await;
    expect(&mut watcher, "name/other/get/rejected", "404").await;
    watcher.ping().await;
    records.release();
    assert_eq!(device.next().await, Got::PubAck(1));
    assert_eq!(device.next().await, Got::PubAck(2));
    let mut heard = Vec::new();
    while heard.len() < 4 {
        heard.push(told(&mut watcher).await.0);
    }
    assert_eq!(heard, ["update/accepted", "update/documents", "update/rejected", "get/accepted"]);
}

#[tokio::test]
async fn shadows_and_their_versions_come_back_after_a_crash() {
    let records = Arc::new(Memory::new());
    let node = storing_node_with(&records, AWS.quotas.without_rates(), &AWS);
    let mut device = subscriber(&node, "lamp").await;
    let text = r#"{"state":{"reported":{"n":1.10,"a":[1,{"b":"c"}]}}}"#;
    for _ in 0..3 {
        device.publish(UPDATE, text.as_bytes(), None).await;
        expect(&mut device, "update/accepted", "").await;
        expect(&mut device, "update/documents", "").await;
    }
    let other = "$aws/things/lamp/shadow/name/other";
    device.publish(&format!("{other}/update"), br#"{"state":{}}"#, None).await;
    device.publish(&format!("{other}/delete"), b"", None).await;
    expect(&mut device, "name/other/update/accepted", "").await;
    expect(&mut device, "name/other/update/documents", "").await;
    expect(&mut device, "name/other/delete/accepted", r#""version":1,"#).await;

    let records = Arc::new(records.after_kill());
    drop((node, device));
    let node = storing_node(&records);
    let mut device = subscriber(&node, "lamp").await;
    device.publish(GET, b"", None).await;
    expect(&mut device, "get/accepted", r#"{"n":1.10,"a":[1,{"b":"c"}]}}"#).await;
    device.publish(UPDATE, br#"{"state":{},"version":3}"#, None).await;
    expect(&mut device, "update/accepted", r#""version":4,"#).await;
    expect(&mut device, "update/documents", "").await;
    device.publish(&format!("{other}/get"), b"", None).await;
    expect(&mut device, "name/other/get/rejected", "404").await;
    device.publish(&format!("{other}/update"), br#"{"state":{}}"#, None).await;
    expect(&mut device, "name/other/update/accepted", r#""version":2,"#).await;
}

#[tokio::test]
async fn a_request_at_qos_2_is_done_once_over_a_crash() {
    let records = Arc::new(Memory::new());
    let lasting = Wish { clean: false, expiry: Some(3_600), ..Wish::default() };
    let node = storing_node(&records);
    let (mut device, _) = Device::connect_with(&node, "lamp", lasting).await;
    device.publish_at(QoS::ExactlyOnce, UPDATE, br#"{"state":{}}"#, Some(4)).await;
    assert_eq!(device.next().await, Got::PubRec(4));
    let records = Arc::new(records.after_kill());
    drop((node, device));
    let node = storing_node(&records);
    let (mut device, _) = Device::connect_with(&node, "lamp", lasting).await;
    device.publish_at(QoS::ExactlyOnce, UPDATE, br#"{"state":{}}"#, Some(4)).await;
    assert_eq!(device.next().await, Got::PubRec(4));
    let mut watcher = subscriber(&node, "watcher").await;
    watcher.publish(GET, b"", None).await;
    expect(&mut watcher, "get/accepted", r#""version":1,"#).await;
}

#[tokio::test]
async fn what_cannot_be_kept_is_rejected_and_not_told_as_true_later() {
    let records = Arc::new(Memory::new());
    let node = storing_node(&records);
    let mut watcher = subscriber(&node, "watcher").await;
    watcher.publish("$aws/things/lamp/shadow/name/old/update", br#"{"state":{}}"#, None).await;
    expect(&mut watcher, "name/old/update/accepted", "").await;
    expect(&mut watcher, "name/old/update/documents", "").await;
    records.fail_next(1, StoreError::new(Trouble::NoSpace, "no space"));
    let failure = r#"{"code":500,"message":"Internal service failure""#;
    watcher.publish(UPDATE, br#"{"state":{},"clientToken":"t"}"#, None).await;
    expect(&mut watcher, "update/rejected", failure).await;
    watcher.publish(GET, b"", None).await;
    expect(&mut watcher, "get/rejected", failure).await;
    // What is durable can be read all the same.
    watcher.publish("$aws/things/lamp/shadow/name/old/get", b"", None).await;
    expect(&mut watcher, "name/old/get/accepted", "").await;
}

#[tokio::test]
async fn rates_are_of_the_account_and_of_each_shadow() {
    let rate = |per_second| Some(engine::rate::Rate { per_second: 1, burst: per_second });
    let none = Quotas::default().without_rates();
    let throttled = r#"{"code":429,"message":"Too many requests""#;
    let quotas = Quotas { requests_per_shadow: rate(2), ..none };
    let node = node_with(quotas, Bounds::default());
    let mut watcher = subscriber(&node, "watcher").await;
    for _ in 0..3 {
        watcher.publish(UPDATE, br#"{"state":{}}"#, None).await;
    }
    for what in ["update/accepted", "update/documents"].repeat(2) {
        expect(&mut watcher, what, "").await;
    }
    expect(&mut watcher, "update/rejected", throttled).await;
    watcher.publish("$aws/things/lamp/shadow/name/other/get", b"", None).await;
    expect(&mut watcher, "name/other/get/rejected", "404").await;

    let quotas = Quotas { shadow_requests: rate(1), ..none };
    let node = node_with(quotas, Bounds::default());
    let mut watcher = subscriber(&node, "watcher").await;
    watcher.publish(GET, b"", None).await;
    expect(&mut watcher, "get/rejected", "404").await;
    watcher.publish("$aws/things/lamp/shadow/name/other/get", b"", None).await;
    expect(&mut watcher, "name/other/get/rejected", throttled).await;
}

#[tokio::test]
async fn a_connection_has_so_many_requests_to_a_thing_under_way() {
    let records = Arc::new(Memory::new());
    let quotas = Quotas { shadow_requests_in_flight: 2, ..STANDARD.quotas.without_rates() };
    let node = storing_node_with(&records, quotas, &STANDARD);
    let mut watcher = subscriber(&node, "watcher").await;
    let mut other = Device::connect(&node, "other").await;
    records.hold();
    for name in ["a", "b", "c"] {
        let topic = format!("$aws/things/lamp/shadow/name/{name}/update");
        watcher.publish(&topic, br#"{"state":{}}"#, None).await;
    }
    // Nothing of the third shadow waits for the store.
    expect(&mut watcher, "name/c/update/rejected", "429").await;
    other.publish("$aws/things/lamp/shadow/name/d/update", br#"{"state":{}}"#, None).await;
    other.ping().await;
    records.release();
    let mut accepted = Vec::new();
    for _ in 0..6 {
        let (what, _) = told(&mut watcher).await;
        accepted.extend(what.ends_with("accepted").then_some(what));
    }
    accepted.sort();
    assert_eq!(accepted, ["a", "b", "d"].map(|name| format!("name/{name}/update/accepted")));
    watcher.publish("$aws/things/lamp/shadow/name/c/update", br#"{"state":{}}"#, None).await;
    expect(&mut watcher, "name/c/update/accepted", "").await;
}

#[tokio::test]
async fn all_shadows_together_have_so_much_room_and_the_deleted_make_some() {
    let bounds = Bounds { shadow_bytes: 1_200, ..Bounds::default() };
    let node = node_with(Quotas::default().without_rates(), bounds);
    let mut watcher = subscriber(&node, "watcher").await;
    let large = format!(r#"{{"state":{{"reported":{{"a":"{}"}}}}}}"#, "x".repeat(500));
    let topic = |name: &str, what: &str| format!("$aws/things/lamp/shadow/name/{name}/{what}");
    watcher.publish(&topic("a", "update"), large.as_bytes(), None).await;
    expect(&mut watcher, "name/a/update/accepted", "").await;
    expect(&mut watcher, "name/a/update/documents", "").await;
    watcher.publish(&topic("b", "update"), large.as_bytes(), None).await;
    expect(&mut watcher, "name/b/update/rejected", "429").await;
    watcher.publish(&topic("a", "delete"), b"", None).await;
    expect(&mut watcher, "name/a/delete/accepted", "").await;
    watcher.publish(&topic("b", "update"), large.as_bytes(), None).await;
    expect(&mut watcher, "name/b/update/accepted", "").await;
    expect(&mut watcher, "name/b/update/documents", "").await;
    watcher.publish(&topic("b", "delete"), b"", None).await;
    expect(&mut watcher, "name/b/delete/accepted", "").await;
    // The version of the first was forgotten for it.
    watcher.publish(&topic("a", "update"), br#"{"state":{}}"#, None).await;
    expect(&mut watcher, "name/a/update/accepted", r#""version":1,"#).await;
}

/// 48 hours after its deletion nothing is left of a shadow, in memory and in the store.
#[tokio::test]
async fn what_was_deleted_long_ago_is_forgotten() {
    let records = Arc::new(Memory::new());
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = now.expect("after 1970").as_millis() as u64;
    let mut changes = store::Changes::new();
    for (name, hours) in [("recent", 47), ("old", 49)] {
        let key = store::record::shadow::Key { thing: "lamp", name: Some(name) };
        let content =
            store::record::shadow::Content::Deleted { at_millis: now - hours * 3_600_000 };
        let deleted = store::record::shadow::Shadow { version: 7, content };
        store::record::shadow::put(&mut changes, key, &deleted);
    }
    records.commit(&changes, store::Sync::Disk).expect("no fault");
    let kept = |records: &Memory| {
        let mut keys = Vec::new();
        records.scan(Table::Shadows, &mut |key, _| keys.push(key.to_vec())).expect("no fault");
        keys
    };
    assert_eq!(kept(&records).len(), 2);
    let node = storing_node(&records);
    eventually(|| kept(&records) == [b"lamp\0recent"]).await;
    let mut watcher = subscriber(&node, "watcher").await;
    for (name, version) in [("recent", r#""version":8,"#), ("old", r#""version":1,"#)] {
        let topic = format!("$aws/things/lamp/shadow/name/{name}/update");
        watcher.publish(&topic, br#"{"state":{}}"#, None).await;
        expect(&mut watcher, &format!("name/{name}/update/accepted"), version).await;
        expect(&mut watcher, &format!("name/{name}/update/documents"), "").await;
    }
}

#[tokio::test]
async fn a_record_that_is_no_document_is_told_and_not_overwritten() {
    let records = Memory::new();
    let mut changes = store::Changes::new();
    let key = store::record::shadow::Key { thing: "lamp", name: None };
    let content = store::record::shadow::Content::Document { state: "{", times: "{}" };
    store::record::shadow::put(
        &mut changes,
        key,
        &store::record::shadow::Shadow { version: 1, content },
    );
    records.commit(&changes, store::Sync::Disk).expect("no fault");
    let sentence = unreadable_node(records);
    assert!(sentence.contains("`shadows`"), "{sentence}");
}

/// The places of what was only asked for are given up.
#[tokio::test]
async fn asking_for_what_does_not_exist_leaves_nothing_behind() {
    let node = node();
    let mut watcher = subscriber(&node, "watcher").await;
    for at in 0..50 {
        let topic = format!("$aws/things/lamp/shadow/name/n{at}/get");
        watcher.publish(&topic, b"", None).await;
        expect(&mut watcher, &format!("name/n{at}/get/rejected"), "404").await;
    }
    let shadows = |name: &str| {
        let gauges = node.gauges();
        gauges.iter().find(|gauge| gauge.name == name).expect("there").value
    };
    eventually(|| shadows("tenfour_shadows") == 0).await;
    assert_eq!(shadows("tenfour_shadow_bytes"), 0);
}

/// What a Will says is told to subscribers and asks for nothing, as AWS documents it.
#[tokio::test]
async fn a_will_is_no_request() {
    let node = node();
    let mut watcher = Device::connect(&node, "watcher").await;
    watcher.subscribe(&["$aws/things/lamp/shadow/#"]).await;
    let will = mqtt::Will {
        topic: mqtt::TopicName::parse(UPDATE).expect("valid"),
        qos: QoS::AtLeastOnce,
        retain: false,
        properties: mqtt::Properties::EMPTY,
        payload: br#"{"state":{}}"#,
    };
    let wish = Wish { version: Version::V311, will: Some(will), ..Wish::default() };
    let (device, _) = Device::connect_with(&node, "lamp", wish).await;
    drop(device);
    let got = watcher.next().await;
    assert!(matches!(&got, Got::Publish { topic, .. } if topic == UPDATE), "{got:?}");
    watcher.publish(GET, b"", None).await;
    let got = watcher.next().await;
    assert!(matches!(&got, Got::Publish { topic, .. } if topic == GET), "{got:?}");
    expect(&mut watcher, "get/rejected", "404").await;
}

#[tokio::test]
async fn a_drain_waits_for_the_answers() {
    let records = Arc::new(Memory::new());
    let node = storing_node(&records);
    let lasting = Wish { clean: false, expiry: Some(3_600), ..Wish::default() };
    let (mut device, _) = Device::connect_with(&node, "lamp", lasting).await;
    device.subscribe(&ANSWERS[1..2]).await;
    records.delay(Duration::from_millis(200));
    device.publish(UPDATE, br#"{"state":{}}"#, None).await;
    device.ping().await;
    node.drain(Duration::from_millis(1)).await;
    drop(device);
    node.close_store();
    records.heal();
    let records = Arc::new(records.after_kill());
    let node = storing_node(&records);
    let (mut device, present) = Device::connect_with(&node, "lamp", lasting).await;
    assert!(present);
    expect(&mut device, "update/accepted", "").await;
}
