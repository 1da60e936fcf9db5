//! Many devices and senders at once, with connections that break and are taken over.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use broker::Node;
use engine::outcome::DirectOutcome;
use mqtt::ReasonCode;
use parking_lot::Mutex;

use crate::device::{Device, Got};
use crate::dice::Dice;
use crate::fixture::{dispatch, node};

const DEVICES: usize = 200;
const SENDERS: usize = 16;
const SENDS: usize = 250;
const TIMEOUT: Duration = Duration::from_millis(400);

/// What a device acknowledged: the messages, by the number of its connection.
#[derive(Default)]
struct Acknowledged(Mutex<HashMap<Vec<u8>, usize>>);

/// A device that acknowledges most messages and whose connections break or are taken over.
async fn live(
    node: Arc<Node>,
    name: String,
    acknowledged: Arc<Acknowledged>,
    over: Arc<AtomicBool>,
) {
    let mut dice = Dice(name.bytes().map(u64::from).sum());
    let mut taken_over: Option<Device> = None;
    for connection in 0.. {
        if over.load(Ordering::Relaxed) {
            return;
        }
        let mut device = Device::connect(&node, &name).await;
        drop(taken_over.take());
        let lives = 5 + dice.below(25);
        for _ in 0..lives {
            let reading = tokio::time::timeout(Duration::from_millis(100), device.read());
            match reading.await {
                Ok(Got::Publish { payload, id: Some(id), .. }) if dice.below(20) > 0 => {
                    // Noted before it is sent: the sender may hear of it at once.
                    let before = acknowledged.0.lock().insert(payload, connection);
                    assert_eq!(before, None, "one delivery, one message");
                    device.acknowledge(id, ReasonCode::Success).await;
                }
                Ok(Got::Publish { .. }) => {}
                Ok(other) => panic!("{name} got {other:?}"),
                Err(_) if over.load(Ordering::Relaxed) => return,
                Err(_) => {}
            }
        }
        if dice.below(2) == 0 {
            taken_over = Some(device);
        }
    }
}

/// One sender's calls: each message with how it ended.
async fn call(node: Arc<Node>, sender: usize) -> Vec<(Vec<u8>, DirectOutcome, Option<u64>)> {
    let mut dice = Dice(1_000 + sender as u64);
    let mut ends = Vec::new();
    for at in 0..SENDS {
        let name = format!("d{}", dice.below(DEVICES as u64));
        let message = format!("{sender}-{at}").into_bytes();
        let (outcome, epoch) = match dispatch(&node, &name, &message, Some(TIMEOUT)) {
            Ok(dispatched) => {
                let settled = dispatched.confirmation.expect("asked for").settled();
                let settled = tokio::time::timeout(TIMEOUT * 20, settled).await;
                (settled.expect("every call ends").0, Some(dispatched.epoch))
            }
            Err(outcome) => (outcome, None),
        };
        ends.push((message, outcome, epoch));
    }
    ends
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_call_ends_once_and_none_is_confirmed_without_the_devices_puback() {
    let node = node();
    let acknowledged = Arc::new(Acknowledged::default());
    let over = Arc::new(AtomicBool::new(false));
    let devices: Vec<_> = (0..DEVICES)
        .map(|at| {
            let (acknowledged, over) = (Arc::clone(&acknowledged), Arc::clone(&over));
            tokio::spawn(live(Arc::clone(&node), format!("d{at}"), acknowledged, over))
        })
        .collect();
    let senders: Vec<_> =
        (0..SENDERS).map(|sender| tokio::spawn(call(Arc::clone(&node), sender))).collect();
    let mut ends = Vec::new();
    for sender in senders {
        ends.extend(sender.await.expect("no panic"));
    }
    over.store(true, Ordering::Relaxed);
    for device in devices {
        device.await.expect("no panic");
    }
    assert_eq!(ends.len(), SENDERS * SENDS);
    let acknowledged = acknowledged.0.lock();
    let mut epochs: HashMap<u64, HashSet<usize>> = HashMap::new();
    let mut confirmed = 0;
    for (message, outcome, epoch) in &ends {
        if *outcome == DirectOutcome::Acknowledged {
            confirmed += 1;
            let connection = acknowledged.get(message).expect("the device sent its PUBACK");
            epochs.entry(epoch.expect("dispatched")).or_default().insert(*connection);
        } else {
            let unconfirmed = [
                DirectOutcome::ConfirmationTimeout,
                DirectOutcome::ReceiverDisconnected,
                DirectOutcome::TargetNotFound,
                DirectOutcome::ReceiverNotWritable,
            ];
            assert!(unconfirmed.contains(outcome), "{outcome:?}");
        }
    }
    assert!(confirmed > SENDERS * SENDS / 4, "{confirmed} confirmed");
    assert!(epochs.values().all(|connections| connections.len() == 1), "one connection, one epoch");
}
