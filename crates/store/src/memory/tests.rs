use std::sync::Arc;

use super::*;
use crate::conformance_suite;

/// A store that is opened again is one that a new process would find.
fn reopening() -> impl Fn() -> Arc<dyn Records> {
    let last = Mutex::new(Arc::new(Memory::new()));
    move || {
        let mut last = last.lock();
        *last = Arc::new(last.after_kill());
        Arc::clone(&*last) as Arc<dyn Records>
    }
}

conformance_suite!(reopening());

fn put(key: &[u8], value: &[u8]) -> Changes {
    let mut changes = Changes::new();
    changes.put(Table::Meta, key, value);
    changes
}

fn no_space() -> StoreError {
    StoreError::new(Trouble::NoSpace, "no space")
}

fn value(memory: &Memory, key: &[u8]) -> Option<Vec<u8>> {
    memory.get(Table::Meta, key).unwrap()
}

#[test]
fn a_power_loss_takes_what_was_not_synced_and_a_kill_does_not() {
    let memory = Memory::new();
    memory.commit(&put(b"a", b"1"), Sync::Disk).unwrap();
    memory.commit(&put(b"a", b"2"), Sync::System).unwrap();
    memory.commit(&put(b"a", b"3"), Sync::System).unwrap();
    memory.commit(&put(b"b", b"4"), Sync::System).unwrap();

    let left = memory.after_power_loss();
    assert_eq!((value(&left, b"a"), value(&left, b"b")), (Some(b"1".to_vec()), None));
    let left = memory.after_kill();
    assert_eq!(value(&left, b"a"), Some(b"3".to_vec()));
    assert_eq!(value(&left, b"b"), Some(b"4".to_vec()));

    memory.sync().unwrap();
    assert_eq!(value(&memory.after_power_loss(), b"a"), Some(b"3".to_vec()));
}

#[test]
fn a_commit_to_the_disk_takes_the_earlier_ones_along() {
    let memory = Memory::new();
    memory.commit(&put(b"a", b"1"), Sync::System).unwrap();
    memory.commit(&put(b"b", b"2"), Sync::Disk).unwrap();
    assert_eq!(value(&memory.after_power_loss(), b"a"), Some(b"1".to_vec()));
}

#[test]
fn commits_fail_as_planned_and_change_nothing() {
    let memory = Memory::new();
    memory.commit(&put(b"a", b"1"), Sync::Disk).unwrap();
    memory.fail_next(2, no_space());
    for _ in 0..2 {
        let error = memory.commit(&put(b"a", b"2"), Sync::Disk).unwrap_err();
        assert_eq!(error, no_space());
    }
    assert_eq!(value(&memory, b"a"), Some(b"1".to_vec()));
    memory.commit(&put(b"a", b"3"), Sync::Disk).unwrap();
    assert_eq!(memory.commits(), 4);

    memory.fail_from(5, no_space());
    memory.commit(&put(b"a", b"4"), Sync::Disk).unwrap();
    for _ in 0..3 {
        memory.commit(&put(b"a", b"5"), Sync::Disk).unwrap_err();
        memory.sync().unwrap_err();
    }
    memory.heal();
    memory.commit(&put(b"a", b"6"), Sync::Disk).unwrap();
    assert_eq!(value(&memory, b"a"), Some(b"6".to_vec()));
}

#[test]
fn a_delayed_commit_takes_its_time() {
    let memory = Memory::new();
    memory.delay(Duration::from_millis(20));
    let begin = std::time::Instant::now();
    memory.commit(&put(b"a", b"1"), Sync::Disk).unwrap();
    assert!(begin.elapsed() >= Duration::from_millis(20));
}

#[test]
fn held_commits_wait_until_they_are_released() {
    let memory = Memory::new();
    memory.hold();
    std::thread::scope(|scope| {
        let commit = scope.spawn(|| memory.commit(&put(b"a", b"1"), Sync::Disk));
        while memory.waiting() == 0 {
            std::thread::yield_now();
        }
        assert_eq!(value(&memory, b"a"), None);
        memory.release();
        commit.join().unwrap().unwrap();
    });
    assert_eq!(value(&memory, b"a"), Some(b"1".to_vec()));
}
