//! How fast the store on this disk is: `cargo bench -p store-embedded` prints one JSON object.
//! Commits go to the disk, so their number a second is mostly the disk's. `load_seconds` is a start with a
//! million queued messages: opening the folder and reading every table.
#![allow(clippy::disallowed_methods, reason = "a benchmark needs the clock")]

use std::path::Path;
use std::time::{Duration, Instant};

use store::{Changes, Records, Sync, Table};
use store_embedded::Embedded;

const PAYLOAD: [u8; 300] = [b'p'; 300];
const QUEUED: u64 = 1_000_000;
const SESSIONS: u64 = 2_000;
const GROUPS: [u64; 3] = [1, 32, 512];
const MEASURED: Duration = Duration::from_secs(3);

fn key(message: u64) -> [u8; 16] {
    let mut key = [0; 16];
    key[..8].copy_from_slice(&(message % SESSIONS).to_be_bytes());
    key[8..].copy_from_slice(&(message / SESSIONS).to_be_bytes());
    key
}

fn group(changes: &mut Changes, from: u64, size: u64) {
    changes.clear();
    for message in from..from + size {
        changes.put_new(Table::Queues, &key(message), &PAYLOAD);
    }
}

fn open(folder: &Path) -> Embedded {
    Embedded::open(folder).expect("the store opens")
}

/// Commits a second, each on the disk, of so many messages each.
fn commits_a_second(size: u64) -> f64 {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let records = open(folder.path());
    let mut changes = Changes::new();
    let mut commits = 0_u32;
    let began = Instant::now();
    while began.elapsed() < MEASURED {
        group(&mut changes, u64::from(commits) * size, size);
        records.commit(&changes, Sync::Disk).expect("a commit succeeds");
        commits += 1;
    }
    f64::from(commits) / began.elapsed().as_secs_f64()
}

/// Seconds of writing the messages and of reading them when the store is opened again.
fn write_and_load() -> (f64, f64) {
    const SIZE: u64 = 1_000;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let records = open(folder.path());
    let mut changes = Changes::new();
    let began = Instant::now();
    for from in (0..QUEUED).step_by(SIZE as usize) {
        group(&mut changes, from, SIZE);
        records.commit(&changes, Sync::System).expect("a commit succeeds");
    }
    records.close().expect("closing succeeds");
    let written = began.elapsed().as_secs_f64();
    drop(records);

    let began = Instant::now();
    let records = open(folder.path());
    let mut found = 0;
    for table in Table::ALL {
        records.scan(table, &mut |_, _| found += 1).expect("a table can be read");
    }
    assert_eq!(found, QUEUED);
    (written, began.elapsed().as_secs_f64())
}

fn main() {
    let commits: Vec<_> = GROUPS
        .iter()
        .map(|size| format!("\"commits_a_second_of_{size}\": {:.0}", commits_a_second(*size)))
        .collect();
    let (written, loaded) = write_and_load();
    println!(
        "{{\"bytes\": {}, {}, \"messages\": {QUEUED}, \"write_seconds\": {written:.2}, \
         \"load_seconds\": {loaded:.2}}}",
        PAYLOAD.len(),
        commits.join(", ")
    );
}
