use store::{Changes, Records, Sync, Table, Trouble};

use super::*;
use crate::Embedded;

/// The journal of a store with some commits, in a folder of its own, without the room at its end.
fn journal(commits: u8) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let records = Embedded::open(folder.path()).unwrap();
    for number in 0..commits {
        let mut changes = Changes::new();
        changes.put(Table::Queues, &[number], &[number; 100]);
        changes.delete(Table::Wills, b"key");
        records.commit(&changes, Sync::System).unwrap();
    }
    records.sync().unwrap();
    let (_, path) = files(&folder.path().join("data")).unwrap().pop().unwrap();
    let mut bytes = fs::read(path).unwrap();
    let used = bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    bytes.truncate(used);
    bytes
}

fn check_files(files: &[&[u8]]) -> Result<(), StoreError> {
    let data = tempfile::tempdir().unwrap();
    for (number, bytes) in files.iter().enumerate() {
        // Numbers, not names, are in order.
        fs::write(data.path().join(format!("{}.jnl", number + 9)), bytes).unwrap();
    }
    check(Path::new("/the/store"), data.path())
}

fn expect_damage(files: &[&[u8]]) {
    let error = check_files(files).expect_err("it is damaged");
    assert_eq!(error.trouble(), Trouble::Damaged);
}

/// Where the second batch begins, and the file's bytes.
fn batches() -> (Vec<u8>, usize) {
    let bytes = journal(3);
    let end = bytes.windows(4).position(|window| window == TRAILER).unwrap() + 4;
    (bytes, end)
}

#[test]
fn what_was_written_is_whole() {
    let bytes = journal(20);
    check_files(&[&bytes]).unwrap();
    let room = [bytes.as_slice(), &[0; 100_000]].concat();
    check_files(&[&room]).unwrap();
    check_files(&[]).unwrap();
}

#[test]
fn an_older_file_has_to_be_whole_and_the_newest_may_end_anywhere() {
    let (bytes, second) = batches();
    let (older, newest) = bytes.split_at(second);
    check_files(&[older, newest]).unwrap();
    check_files(&[&[older, &[0; 100]].concat(), newest]).unwrap();
    for length in 1..older.len() {
        expect_damage(&[&older[..length], newest]);
    }
    for length in 0..newest.len() {
        check_files(&[older, &newest[..length]]).unwrap();
    }
}

#[test]
fn every_changed_byte_of_an_older_file_is_found() {
    let (bytes, second) = batches();
    let (older, newest) = bytes.split_at(second);
    // A higher number of the first batch that is still below the next one is as good.
    let numbers = 5..13;
    for at in (0..older.len()).filter(|at| !numbers.contains(at)) {
        let mut changed = older.to_vec();
        changed[at] ^= 0x55;
        expect_damage(&[&changed, newest]);
    }
}

#[test]
fn sequence_numbers_have_to_rise() {
    let (bytes, second) = batches();
    let (older, newest) = bytes.split_at(second);
    expect_damage(&[newest, older]);
    expect_damage(&[&[older, older].concat()]);
    let mut lower = bytes.clone();
    lower[second + 5..second + 13].fill(0);
    expect_damage(&[&lower]);
}
