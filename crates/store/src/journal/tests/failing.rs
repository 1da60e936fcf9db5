//! A commit that fails is the last one.

use super::*;

#[test]
fn a_failed_commit_is_told_to_everybody_who_waits() {
    let (memory, journal) = always();
    let early = journal.write(&put(b"early", b"1"));
    settled(&journal, early).unwrap();

    memory.fail_from(memory.commits(), no_space());
    memory.hold();
    let in_flight = journal.write(&put(b"in flight", b"2"));
    eventually("the commit begins", || memory.waiting() == 1);
    let pending = journal.write(&put(b"pending", b"3"));
    let (tell, told) = mpsc::channel();
    for ticket in [pending, in_flight] {
        let tell = tell.clone();
        journal.when_durable(ticket, move |result| tell.send((ticket, result)).unwrap());
    }
    memory.release();
    for ticket in [in_flight, pending] {
        let (told_ticket, result) = told.recv_timeout(PATIENCE).unwrap();
        let failure = result.unwrap_err();
        assert_eq!((told_ticket, failure.trouble()), (ticket, Trouble::NoSpace));
        assert_eq!(failure.to_string(), "the disk is full; free some space");
        assert!(!journal.is_durable(ticket));
    }

    assert!(journal.failure().is_some());
    assert!(journal.is_durable(early), "what was durable stays durable");
    settled(&journal, early).unwrap();
    assert_eq!(value(&memory.after_kill(), b"pending"), None);
}

#[test]
fn after_a_failure_writes_are_ignored_and_told_so_at_once() {
    let (memory, journal) = always();
    memory.fail_next(1, no_space());
    let ticket = journal.write(&put(b"a", b"1"));
    settled(&journal, ticket).unwrap_err();
    // The disk is fine again, but what failed is lost: going on would leave a hole.
    let ticket = journal.write(&put(b"b", b"2"));
    settled(&journal, ticket).unwrap_err();
    assert_eq!(journal.pending_bytes(), 0);
    journal.close();
    assert_eq!(value(&*memory, b"b"), None);
    assert_eq!(memory.commits(), 1);
}

#[test]
fn a_failed_sync_is_a_failure_too() {
    let memory = Arc::new(Memory::new());
    let journal = start(&memory, Durability::Batched);
    memory.fail_from(1, no_space());
    let ticket = journal.write(&put(b"a", b"1"));
    settled(&journal, ticket).unwrap();
    eventually("the sync fails", || journal.failure().is_some());
}

#[test]
fn the_observer_is_told_of_the_failure_last() {
    let memory = Arc::new(Memory::new());
    memory.fail_from(1, no_space());
    let (tell, told) = mpsc::channel();
    let observer = Box::new(move |event| tell.send(event).unwrap());
    let records = Arc::clone(&memory) as Arc<dyn Records>;
    let journal = Journal::start(records, Durability::Always, observer).unwrap();
    let ticket = journal.write(&put(b"a", b"1"));
    settled(&journal, ticket).unwrap();
    journal.write(&put(b"b", b"2"));
    let events: Vec<_> = told.iter().collect();
    assert_eq!(events.len(), 2);
    assert!(matches!(events[0], JournalEvent::Committed { .. }));
    let sentence = no_space().to_string();
    assert_eq!(events[1], JournalEvent::Failed { sentence });
}

/// A store with a bug.
struct Panicking;

impl Records for Panicking {
    fn scan(&self, _: Table, _: &mut dyn FnMut(&[u8], &[u8])) -> Result<(), StoreError> {
        Ok(())
    }

    fn get(&self, _: Table, _: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(None)
    }

    fn commit(&self, _: &Changes, _: Sync) -> Result<(), StoreError> {
        panic!("the store's mistake");
    }

    fn sync(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn close(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

#[test]
fn a_store_that_panics_has_failed() {
    let journal = Journal::start(Arc::new(Panicking), Durability::Always, quiet()).unwrap();
    let ticket = journal.write(&put(b"a", b"1"));
    let failure = settled(&journal, ticket).unwrap_err();
    assert!(failure.sentence().contains("the store's mistake"), "{failure}");
    journal.close();
}
