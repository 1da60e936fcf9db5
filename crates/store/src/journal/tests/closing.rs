//! Closing commits what was written and nothing else.

use super::*;

#[test]
fn closing_commits_what_is_pending_and_tells_everybody() {
    let (memory, journal) = always();
    memory.delay(Duration::from_millis(1));
    let (tell, told) = mpsc::channel();
    for number in 0..200_u8 {
        let ticket = journal.write(&put(b"key", &[number]));
        let tell = tell.clone();
        journal.when_durable(ticket, move |result| tell.send(result).unwrap());
    }
    journal.close();
    assert_eq!(told.try_iter().filter(Result::is_ok).count(), 200);
    assert_eq!(value(&memory.after_power_loss(), b"key"), Some(vec![199]));
}

#[test]
fn closing_brings_to_the_disk_what_is_only_with_the_system() {
    let memory = Arc::new(Memory::new());
    let journal = start(&memory, Durability::Batched);
    journal.write(&put(b"key", b"value"));
    journal.close();
    assert!(value(&memory.after_power_loss(), b"key").is_some());
}

#[test]
fn later_writes_are_ignored_and_told_so() {
    let (memory, journal) = always();
    journal.close();
    let ticket = journal.write(&put(b"key", b"value"));
    assert!(!journal.is_durable(ticket));
    assert_eq!(settled(&journal, ticket).unwrap_err().trouble(), Trouble::Closed);
    journal.close();
    assert_eq!(memory.commits(), 0);
    assert_eq!(journal.failure(), None);
}

#[test]
fn everybody_who_closes_returns_when_it_is_done() {
    let (memory, journal) = always();
    memory.hold();
    let ticket = journal.write(&put(b"key", b"value"));
    eventually("the commit begins", || memory.waiting() == 1);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                journal.close();
                assert!(journal.is_durable(ticket));
            });
        }
        memory.release();
    });
}

#[test]
fn dropping_it_closes_it() {
    let (memory, journal) = always();
    journal.write(&put(b"key", b"value"));
    drop(journal);
    assert!(value(&memory.after_power_loss(), b"key").is_some());
}

#[test]
fn a_waiter_may_hold_the_last_handle() {
    let (memory, journal) = always();
    memory.hold();
    let ticket = journal.write(&put(b"key", b"value"));
    let (tell, told) = mpsc::channel();
    let last = Arc::clone(&journal);
    journal.when_durable(ticket, move |_| {
        drop(last);
        tell.send(()).unwrap();
    });
    drop(journal);
    memory.release();
    told.recv_timeout(PATIENCE).unwrap();
    eventually("the thread is gone", || Arc::strong_count(&memory) == 1);
}
