mod closing;
mod failing;
mod model;
mod waiting;
mod writing_together;

use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::*;
use crate::{Memory, StoreError, Table, Trouble};

/// Longer than anything takes, however loaded the machine is.
const PATIENCE: Duration = Duration::from_secs(30);

fn put(key: &[u8], value: &[u8]) -> Changes {
    let mut changes = Changes::new();
    changes.put(Table::Meta, key, value);
    changes
}

fn value(records: &dyn Records, key: &[u8]) -> Option<Vec<u8>> {
    records.get(Table::Meta, key).unwrap()
}

fn quiet() -> Box<dyn Fn(JournalEvent) + Send + std::marker::Sync> {
    Box::new(|_| {})
}

fn start(memory: &Arc<Memory>, durability: Durability) -> Arc<Journal> {
    let records = Arc::clone(memory) as Arc<dyn Records>;
    Journal::start(records, durability, quiet()).unwrap()
}

fn always() -> (Arc<Memory>, Arc<Journal>) {
    let memory = Arc::new(Memory::new());
    let journal = start(&memory, Durability::Always);
    (memory, journal)
}

fn no_space() -> StoreError {
    StoreError::new(Trouble::NoSpace, "the disk is full; free some space")
}

fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !holds() {
        assert!(begin.elapsed() < PATIENCE, "{what}");
        thread::yield_now();
    }
}

/// Waits for a ticket as a caller without callbacks would.
fn settled(journal: &Journal, ticket: Ticket) -> Result<(), StoreFailed> {
    let (tell, told) = mpsc::channel();
    journal.when_durable(ticket, move |result| tell.send(result).unwrap());
    told.recv_timeout(PATIENCE).unwrap()
}

#[test]
fn a_write_wakes_the_journal_and_gets_durable() {
    let (memory, journal) = always();
    for number in 0..100_u8 {
        let ticket = journal.write(&put(b"key", &[number]));
        settled(&journal, ticket).unwrap();
        assert!(journal.is_durable(ticket));
        assert_eq!(value(&memory.after_power_loss(), b"key"), Some(vec![number]));
    }
    eventually("everything is committed", || journal.pending_bytes() == 0);
}

#[test]
fn nothing_is_durable_before_its_commit() {
    let (memory, journal) = always();
    memory.hold();
    let ticket = journal.write(&put(b"key", b"value"));
    eventually("the commit begins", || memory.waiting() == 1);
    assert!(!journal.is_durable(ticket));
    assert_eq!(journal.pending_bytes(), 8);
    memory.release();
    settled(&journal, ticket).unwrap();
}

#[test]
fn what_comes_while_a_commit_runs_makes_one_group() {
    let (memory, journal) = always();
    memory.hold();
    journal.write(&put(b"first", b""));
    eventually("the first commit begins", || memory.waiting() == 1);
    let tickets: Vec<_> = (0..50_u8).map(|key| journal.write(&put(&[key], b"v"))).collect();
    assert!(tickets.is_sorted());
    memory.release();
    settled(&journal, tickets[49]).unwrap();
    assert_eq!(memory.commits(), 2);
    assert!(tickets.iter().all(|ticket| journal.is_durable(*ticket)));
}

#[test]
fn what_was_deleted_before_its_commit_is_not_written() {
    let (memory, journal) = always();
    memory.hold();
    journal.write(&put(b"first", b""));
    eventually("the first commit begins", || memory.waiting() == 1);
    let mut message = Changes::new();
    message.put_new(Table::Queues, b"message", b"payload");
    journal.write(&message);
    let mut acknowledged = Changes::new();
    acknowledged.delete(Table::Queues, b"message");
    let ticket = journal.write(&acknowledged);
    memory.release();
    settled(&journal, ticket).unwrap();
    assert_eq!(memory.commits(), 1, "the second group was empty");
    assert_eq!(journal.pending_bytes(), 0);
}

#[test]
fn no_changes_are_durable_from_the_start() {
    let (memory, journal) = always();
    assert_eq!(journal.write(&Changes::new()), Ticket::NONE);
    assert!(journal.is_durable(Ticket::NONE));
    settled(&journal, Ticket::NONE).unwrap();
    journal.close();
    assert_eq!(memory.commits(), 0);
}

#[test]
fn always_survives_a_power_loss() {
    let (memory, journal) = always();
    let ticket = journal.write(&put(b"key", b"value"));
    settled(&journal, ticket).unwrap();
    assert!(value(&memory.after_power_loss(), b"key").is_some());
    assert_eq!(memory.syncs(), 0, "a commit to the disk needs no sync");
}

#[test]
fn batched_survives_a_kill_at_once_and_a_power_loss_soon() {
    let memory = Arc::new(Memory::new());
    let journal = start(&memory, Durability::Batched);
    let ticket = journal.write(&put(b"key", b"value"));
    settled(&journal, ticket).unwrap();
    assert!(value(&memory.after_kill(), b"key").is_some());
    eventually("it is synced", || value(&memory.after_power_loss(), b"key").is_some());
    assert_eq!(memory.syncs(), 1);
}

#[test]
fn batched_syncs_at_most_once_in_a_while() {
    let memory = Arc::new(Memory::new());
    let journal = start(&memory, Durability::Batched);
    let begin = Instant::now();
    while memory.syncs() < 3 {
        let ticket = journal.write(&put(b"key", b"value"));
        settled(&journal, ticket).unwrap();
        assert!(begin.elapsed() < PATIENCE);
    }
    assert!(begin.elapsed() >= SYNC_EVERY * 3, "three syncs in {:?}", begin.elapsed());
}

#[test]
fn a_store_is_needed() {
    let error = Journal::start(Arc::new(Memory::new()), Durability::Memory, quiet());
    assert_eq!(error.err().map(|error| error.kind()), Some(io::ErrorKind::InvalidInput));
}

#[test]
fn the_observer_is_told_of_commits_and_syncs() {
    let (tell, told) = mpsc::channel();
    let observer = Box::new(move |event| tell.send(event).unwrap());
    let journal = Journal::start(Arc::new(Memory::new()), Durability::Batched, observer).unwrap();
    journal.write(&put(b"key", b"value"));
    let committed = told.recv_timeout(PATIENCE).unwrap();
    assert!(matches!(committed, JournalEvent::Committed { changes: 1, bytes: 8, .. }));
    let synced = told.recv_timeout(PATIENCE).unwrap();
    assert!(matches!(synced, JournalEvent::Synced { .. }));
}
