//! What is written together is never split.

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

#[test]
fn no_commit_begins_while_somebody_writes_together() {
    let (memory, journal) = always();
    let together = journal.together();
    journal.write(&put(b"a", b"1"));
    let ticket = journal.write(&put(b"b", b"2"));
    // Another thread's write wakes the journal, and it still waits.
    thread::scope(|scope| {
        scope.spawn(|| journal.write(&put(b"c", b"3")));
    });
    drop(together);
    settled(&journal, ticket).unwrap();
    assert_eq!(memory.commits(), 1);
}

#[test]
fn guards_may_be_nested_while_the_journal_waits() {
    let (memory, journal) = always();
    let outer = journal.together();
    journal.write(&put(b"a", b"1"));
    for _ in 0..3 {
        thread::sleep(Duration::from_millis(2));
        let _inner = journal.together();
        journal.write(&put(b"b", b"2"));
    }
    let ticket = journal.write(&put(b"c", b"3"));
    drop(outer);
    settled(&journal, ticket).unwrap();
    assert_eq!(memory.commits(), 1);
}

#[test]
fn two_threads_may_write_together_at_once_while_the_journal_waits() {
    let (_memory, journal) = always();
    let _here = journal.together();
    journal.write(&put(b"a", b"1"));
    // The journal wants to cut by then; a thread that comes must get in all the same, since this one
    // may need something that the other holds.
    thread::sleep(Duration::from_millis(5));
    let (tell, told) = mpsc::channel();
    thread::scope(|scope| {
        scope.spawn(|| {
            let _there = journal.together();
            tell.send(()).unwrap();
        });
        told.recv_timeout(PATIENCE).unwrap();
    });
}

#[test]
fn writers_who_never_pause_do_not_keep_commits_away() {
    let (memory, journal) = always();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for number in 0..4_u8 {
            let (journal, done) = (&journal, &done);
            scope.spawn(move || {
                while !done.load(Ordering::Relaxed) {
                    let _together = journal.together();
                    journal.write(&put(&[number], b"v"));
                    thread::sleep(Duration::from_millis(1));
                }
            });
        }
        let began = Instant::now();
        while memory.commits() < 50 && began.elapsed() < PATIENCE {
            thread::yield_now();
        }
        done.store(true, Ordering::Relaxed);
    });
    assert!(memory.commits() >= 50, "{} commits", memory.commits());
}

#[test]
fn pairs_of_many_threads_are_whole_in_every_crash() {
    const THREADS: u8 = 4;
    let (memory, journal) = always();
    let done = AtomicBool::new(false);
    let mut split = None;
    thread::scope(|scope| {
        for number in 0..THREADS {
            let (journal, done) = (&journal, &done);
            scope.spawn(move || {
                for round in 0_u64.. {
                    eventually("commits catch up", || journal.pending_bytes() < 10_000);
                    let _together = journal.together();
                    journal.write(&put(&[number, 0], &round.to_be_bytes()));
                    journal.write(&put(&[number, 1], &round.to_be_bytes()));
                    if done.load(Ordering::Relaxed) {
                        break;
                    }
                }
            });
        }
        let began = Instant::now();
        while split.is_none() && memory.commits() < 100 && began.elapsed() < PATIENCE {
            let left = memory.after_power_loss();
            let is_split = |n: &u8| value(&left, &[*n, 0]) != value(&left, &[*n, 1]);
            split = (0..THREADS).find(is_split);
        }
        done.store(true, Ordering::Relaxed);
    });
    assert_eq!(split, None, "a commit holds half of what a thread wrote together");
    assert!(memory.commits() >= 100, "{} commits", memory.commits());
}
