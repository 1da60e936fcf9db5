//! How long a node takes to start with messages that wait for its sessions, and the memory that takes.
//!
//! `cargo bench -p broker --bench restore` prints one JSON object for each number of messages, up to a
//! million; a hundred wait for each session, of 256 bytes each.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use broker::Storage;
use engine::Wall;
use engine::message::Message;
use engine::queue::Entry;
use mqtt::{ClientId, PropertiesBuf, QoS, SubscribeOptions, TopicFilter, TopicName, Version};
use store::record::{queue, session, subscription};
use store::{Changes, Durability, Journal, Records, Sync};
use store_embedded::Embedded;

mod node;

const MESSAGES: [usize; 3] = [10_000, 100_000, 1_000_000];
const EACH: usize = 100;
const PAYLOAD: usize = 256;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    let _entered = runtime.enter();
    for messages in MESSAGES {
        let folder = tempfile::tempdir().expect("a folder");
        fill(folder.path(), messages / EACH);
        report(folder.path(), messages);
    }
}

/// Keeps that many sessions, each with one subscription and its messages.
fn fill(folder: &Path, sessions: usize) {
    let records = Embedded::open(folder).expect("a new store");
    for number in 0..sessions {
        let mut changes = Changes::new();
        keep_session(&mut changes, number as u64 + 1);
        records.commit(&changes, Sync::System).expect("there is room");
    }
    records.close().expect("there is room");
}

fn keep_session(changes: &mut Changes, number: u64) {
    let client_id = ClientId::parse(&format!("device-{number}")).expect("valid");
    let topic = format!("fleet/{number}/commands");
    session::put(
        changes,
        &client_id,
        &session::Session {
            number,
            version: Version::V5,
            expiry_seconds: 3_600,
            ends_at: None,
            connections: 1,
        },
    );
    subscription::put(
        changes,
        number,
        &subscription::Subscription {
            filter: TopicFilter::parse(&topic).expect("valid"),
            options: SubscribeOptions { qos: QoS::AtLeastOnce, ..SubscribeOptions::default() },
            identifier: None,
        },
    );
    let message = Arc::new(Message {
        topic: TopicName::parse(&topic).expect("valid").into(),
        qos: QoS::AtLeastOnce,
        retain: false,
        properties: PropertiesBuf::new(),
        payload: vec![b'x'; PAYLOAD].into(),
        expires: None,
    });
    for seq in 0..EACH as u64 {
        let entry = Entry {
            message: Arc::clone(&message),
            seq,
            qos: QoS::AtLeastOnce,
            retain: false,
            identifiers: Box::default(),
        };
        queue::put(changes, number, &entry, None, Wall::new(0));
    }
}

fn report(folder: &Path, messages: usize) {
    let before = resident();
    let begun = Instant::now();
    let records: Arc<dyn Records> = Arc::new(Embedded::open(folder).expect("what was filled"));
    let opened = begun.elapsed();
    let quiet = Box::new(|_| ());
    let journal = Journal::start(Arc::clone(&records), Durability::Always, quiet);
    let journal = journal.expect("a thread");
    let node = node::start(Some(Storage { records, journal }));
    let started = begun.elapsed();
    println!(
        r#"{{"messages":{messages},"opened_ms":{},"started_ms":{},"resident_bytes_each":{}}}"#,
        opened.as_millis(),
        started.as_millis(),
        resident().saturating_sub(before) / messages,
    );
    node.close_store();
}

/// The process's memory, in bytes.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux");
    let pages = statm.split_whitespace().nth(1).and_then(|pages| pages.parse::<usize>().ok());
    pages.expect("a number") * 4_096
}
