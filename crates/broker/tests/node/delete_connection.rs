//! Connections and sessions that somebody else ends.

use std::sync::Arc;
use std::time::Duration;

use broker::{ClientRefused, Deletion, Durable, Node, Standing};
use engine::close::CloseReason;
use engine::outcome::DirectOutcome;
use mqtt::{ClientId, PropertiesBuf, Property, QoS, ReasonCode, TopicName, Version, Will};
use store::{Memory, StoreError, Trouble};
use tokio::sync::oneshot;

use crate::device::{Device, Got, Wish};
use crate::fixture::{dispatch, eventually, look, node, sender, storing_node};

const LONG: Duration = Duration::from_secs(20);
const PLAIN: Deletion = Deletion { clean_session: false, prevent_will: false };
const CLEAN: Deletion = Deletion { clean_session: true, prevent_will: false };
const NO_WILL: Deletion = Deletion { clean_session: false, prevent_will: true };
const NEITHER: Deletion = Deletion { clean_session: true, prevent_will: true };

/// How often a deletion meets a client that comes back.
const MEETINGS: usize = 200;

fn delete(node: &Arc<Node>, client_id: &str, deletion: Deletion) -> Result<Durable, ClientRefused> {
    let client_id = ClientId::parse(client_id).expect("valid");
    let permit = node.access().delete_connection(&sender(), &client_id, node.now());
    node.delete_connection(permit.expect("anybody may"), &client_id, deletion)
}

/// Whether what was done is durable, once that is known.
fn durable(node: &Node, done: Durable) -> oneshot::Receiver<bool> {
    let (told, hears) = oneshot::channel();
    node.when_durable(done, move |durable| {
        let _ = told.send(durable.is_ok());
    });
    hears
}

fn lasting(version: Version) -> Wish<'static> {
    Wish { version, clean: false, expiry: Some(600), ..Wish::default() }
}

/// A Will on `gone`, with properties that hold its delay.
fn with_will<'a>(properties: &'a PropertiesBuf, expiry: Option<u32>) -> Wish<'a> {
    let will = Will {
        qos: QoS::AtLeastOnce,
        retain: false,
        topic: TopicName::parse("gone").expect("valid"),
        payload: b"bye",
        properties: properties.as_properties(),
    };
    Wish { will: Some(will), expiry, clean: false, ..Wish::default() }
}

fn delay(seconds: u32) -> PropertiesBuf {
    let mut properties = PropertiesBuf::new();
    properties.push(Property::WillDelayInterval(seconds)).expect("valid");
    properties
}

async fn watcher(node: &Arc<Node>) -> Device {
    let mut watcher = Device::connect(node, "watcher").await;
    watcher.subscribe(&["gone", "fence"]).await;
    watcher
}

/// The payloads of the Wills until now: what was published before `fence` comes before it.
async fn wills(node: &Arc<Node>, watcher: &mut Device) -> usize {
    // A Will is published in a task of its own, which has begun before this one goes on.
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    Device::connect(node, "fence").await.publish_for(60, "fence", b"").await;
    let mut count = 0;
    loop {
        let got = watcher.next().await;
        let Got::Publish { topic, id: Some(id), .. } = got else { panic!("{got:?}") };
        watcher.acknowledge(id, ReasonCode::Success).await;
        if topic == "fence" {
            return count;
        }
        count += 1;
    }
}

#[tokio::test]
async fn a_connection_ends_with_the_reason_and_its_waiters_settle() {
    let node = node();
    assert_eq!(delete(&node, "lamp", PLAIN).err(), Some(ClientRefused::Unknown));
    for version in [Version::V5, Version::V311] {
        let wish = Wish { version, ..Wish::default() };
        let (mut device, _) = Device::connect_with(&node, "lamp", wish).await;
        let sent = dispatch(&node, "lamp", b"{}", Some(LONG)).expect("connected");
        device.next_id().await;
        let done = delete(&node, "lamp", PLAIN).expect("connected");
        assert_eq!(durable(&node, done).await, Ok(true));
        let settled = sent.confirmation.expect("asked for").settled();
        let (outcome, _) = tokio::time::timeout(LONG / 2, settled).await.expect("at once");
        assert_eq!(outcome, DirectOutcome::ReceiverDisconnected);
        if version == Version::V5 {
            let said = Got::Disconnect(ReasonCode::AdministrativeAction);
            assert_eq!(device.next().await, said);
        }
        assert_eq!(device.next().await, Got::End);
        let standing = look(&node, "lamp").expect("remembered").standing;
        assert!(
            matches!(standing, Standing::Disconnected(_, CloseReason::Deleted)),
            "{standing:?}"
        );
        assert_eq!(delete(&node, "lamp", CLEAN).err(), Some(ClientRefused::Unknown));
    }
    assert_eq!(node.connected(), 0);
}

#[tokio::test]
async fn a_session_goes_on_unless_it_is_to_end() {
    for version in [Version::V311, Version::V5] {
        let node = node();
        let (mut device, _) = Device::connect_with(&node, "lamp", lasting(version)).await;
        device.subscribe(&["a"]).await;
        delete(&node, "lamp", PLAIN).expect("connected");
        let mut publisher = Device::connect(&node, "publisher").await;
        publisher.publish_for(60, "a", b"1").await;
        let (mut device, present) = Device::connect_with(&node, "lamp", lasting(version)).await;
        assert!(present);
        let id = device.next_id().await;
        device.acknowledge(id, ReasonCode::Success).await;

        delete(&node, "lamp", CLEAN).expect("connected");
        publisher.publish_for(60, "a", b"2").await;
        let (mut device, present) = Device::connect_with(&node, "lamp", lasting(version)).await;
        assert!(!present);
        device.ping().await;
        assert_eq!(delete(&node, "lamp", CLEAN).err(), None);
    }
}

#[tokio::test]
async fn a_session_without_a_connection_is_deleted_as_well() {
    let node = node();
    let (mut device, _) = Device::connect_with(&node, "lamp", lasting(Version::V5)).await;
    device.subscribe(&["a"]).await;
    drop(device);
    eventually(|| node.connected() == 0).await;
    delete(&node, "lamp", PLAIN).expect("a session that goes on");
    delete(&node, "lamp", CLEAN).expect("a session that ends");
    assert_eq!(delete(&node, "lamp", CLEAN).err(), Some(ClientRefused::Unknown));
    let found = look(&node, "lamp").expect("how it left is remembered");
    assert!(matches!(found.standing, Standing::Disconnected(_, CloseReason::ConnectionLost)));
    assert_eq!(found.inflight, None);
    let (_device, present) = Device::connect_with(&node, "lamp", lasting(Version::V5)).await;
    assert!(!present);
}

#[tokio::test]
async fn a_will_goes_out_unless_it_is_prevented() {
    let node = node();
    let mut watcher = watcher(&node).await;
    let at_once = PropertiesBuf::new();
    for (deletion, expected) in [(PLAIN, 1), (CLEAN, 1), (NO_WILL, 0), (NEITHER, 0)] {
        for expiry in [None, Some(600)] {
            let wish = with_will(&at_once, expiry);
            let (_device, _) = Device::connect_with(&node, "lamp", wish).await;
            delete(&node, "lamp", deletion).expect("connected");
            eventually(|| node.connected() == 1).await;
            assert_eq!(wills(&node, &mut watcher).await, expected, "{deletion:?} {expiry:?}");
        }
    }
}

#[tokio::test]
async fn a_will_that_waits_is_prevented_or_goes_out_with_its_session() {
    let node = node();
    let mut watcher = watcher(&node).await;
    let delay = delay(300);
    // The end of the session is the end of the delay; otherwise it goes on waiting.
    for (deletion, expected) in [(PLAIN, 0), (CLEAN, 1), (NO_WILL, 0), (NEITHER, 0)] {
        for connected in [true, false] {
            let wish = with_will(&delay, Some(600));
            let (device, _) = Device::connect_with(&node, "lamp", wish).await;
            if !connected {
                drop(device);
                eventually(|| node.connected() == 1).await;
                assert_eq!(wills(&node, &mut watcher).await, 0, "it waits");
            }
            delete(&node, "lamp", deletion).expect("a session");
            assert_eq!(wills(&node, &mut watcher).await, expected, "{deletion:?} {connected}");
            // What still waits goes out with the next beginning.
            let begin_anew = Wish { clean: true, ..Wish::default() };
            let _ = Device::connect_with(&node, "lamp", begin_anew).await;
            let waited = usize::from(deletion == PLAIN);
            assert_eq!(wills(&node, &mut watcher).await, waited, "{deletion:?} {connected}");
            eventually(|| node.connected() == 1).await;
        }
    }
}

#[tokio::test]
async fn the_end_of_a_session_is_told_when_a_crash_keeps_it_ended() {
    for connected in [true, false] {
        let records = Arc::new(Memory::new());
        let node = storing_node(&records);
        let delay = delay(300);
        let wish = with_will(&delay, Some(600));
        let (mut device, _) = Device::connect_with(&node, "lamp", wish).await;
        device.subscribe(&["a"]).await;
        if !connected {
            drop(device);
            eventually(|| node.connected() == 0).await;
            let mut publisher = Device::connect(&node, "publisher").await;
            publisher.publish_for(60, "a", b"1").await;
        }
        records.hold();
        let mut answer = durable(&node, delete(&node, "lamp", NEITHER).expect("a session"));
        eventually(|| records.waiting() > 0).await;
        assert!(answer.try_recv().is_err(), "nothing is durable yet");
        let before = Arc::new(records.after_kill());
        records.release();
        assert_eq!(answer.await, Ok(true));
        let after = Arc::new(records.after_kill());
        drop(node);

        let node = storing_node(&before);
        assert!(look(&node, "lamp").is_ok(), "it was not durable");
        drop(node);
        let node = storing_node(&after);
        assert_eq!(look(&node, "lamp").err(), Some(ClientRefused::Unknown));
        assert_eq!(node.rules().queued.bytes(), 0);
        let mut watcher = watcher(&node).await;
        let (_device, present) = Device::connect_with(&node, "lamp", lasting(Version::V5)).await;
        assert!(!present);
        assert_eq!(wills(&node, &mut watcher).await, 0, "it was prevented");
    }
}

#[tokio::test]
async fn an_end_that_cannot_be_kept_is_no_success() {
    let records = Arc::new(Memory::new());
    let node = storing_node(&records);
    let (mut device, _) = Device::connect_with(&node, "lamp", lasting(Version::V5)).await;
    records.fail_from(0, StoreError::new(Trouble::NoSpace, "no room"));
    let done = delete(&node, "lamp", CLEAN).expect("connected");
    assert_eq!(durable(&node, done).await, Ok(false));
    assert_eq!(device.next().await, Got::Disconnect(ReasonCode::AdministrativeAction));
}

/// Whatever comes first, the connection that was there is the one that is told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_comes_back_meanwhile_is_met_or_missed_as_a_whole() {
    let node = node();
    for _ in 0..MEETINGS {
        let mut first = Device::connect(&node, "lamp").await;
        let deleting = {
            let node = Arc::clone(&node);
            tokio::task::spawn_blocking(move || delete(&node, "lamp", PLAIN).map(|_| ()))
        };
        let mut second = Device::connect(&node, "lamp").await;
        deleting.await.expect("no panic").expect("there is always a connection");
        let deleted = Got::Disconnect(ReasonCode::AdministrativeAction);
        let said = first.next().await;
        if said == deleted {
            second.ping().await;
        } else {
            assert_eq!(said, Got::Disconnect(ReasonCode::SessionTakenOver));
            assert_eq!(second.next().await, deleted);
        }
        assert_eq!(first.next().await, Got::End);
    }
}
