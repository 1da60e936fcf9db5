//! `kill -9`.

use std::thread;
use std::time::Duration;

use store::{Records, Sync};
use store_embedded::Embedded;

use crate::child::Committer;
use crate::commits;
use crate::random::Random;

/// Kills a process that commits again and again, and looks each time at what is there.
fn nothing_reported_is_lost(sync: Sync, seed: u64) {
    let folder = tempfile::tempdir().unwrap();
    let mut random = Random::new(seed);
    let mut before = 0;
    for round in 0..20 {
        let mut committer = Committer::start(folder.path(), sync);
        committer.wait_for(1 + random.below(60));
        let reported = committer.kill();
        assert!(reported > before, "round {round}: nothing was committed");
        let records = Embedded::open(folder.path()).unwrap();
        let found = commits::check(&records).unwrap();
        // One commit may have been between its end and its report.
        let possible = [reported, reported + 1];
        assert!(possible.contains(&found), "round {round}: {reported} reported, {found} found");
        // This process goes on with it at times, and does not always close it.
        before = found + random.below(3);
        commits::commit_up_to(&records, before, Sync::Disk);
        if random.below(2) == 0 {
            records.close().unwrap();
        }
    }
}

#[test]
fn a_killed_process_loses_no_commit_that_is_on_the_disk() {
    nothing_reported_is_lost(Sync::Disk, 1);
}

#[test]
fn a_killed_process_loses_no_commit_that_the_system_has() {
    nothing_reported_is_lost(Sync::System, 2);
}

#[test]
fn a_process_killed_while_it_makes_the_store_leaves_one_that_opens() {
    let mut random = Random::new(3);
    for round in 0..30 {
        let folder = tempfile::tempdir().unwrap();
        let committer = Committer::start(folder.path(), Sync::Disk);
        // Where it is by then differs from run to run; every place is as good.
        thread::sleep(Duration::from_micros(random.below(60_000)));
        let reported = committer.kill();
        let opened = Embedded::open(folder.path());
        let records = opened.unwrap_or_else(|error| panic!("round {round}: {error}"));
        let found = commits::check(&records).unwrap();
        assert!([reported, reported + 1].contains(&found), "{reported} reported, {found} found");
    }
}
