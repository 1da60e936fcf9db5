//! A disk that is full.

use std::path::Path;
use std::process::Command;

use store::{Changes, Records, Sync, Table, Trouble};
use store_embedded::Embedded;

use crate::child::Committer;
use crate::commits;

/// Fills most of the 64 MiB that fjall reserves for its journal, and leaves no record.
fn fill_journal(records: &dyn Records) {
    let large = vec![7; 20 << 20];
    for _ in 0..3 {
        let mut changes = Changes::new();
        changes.put(Table::Retained, b"large", &large);
        records.commit(&changes, Sync::System).unwrap();
    }
    let mut changes = Changes::new();
    changes.delete(Table::Retained, b"large");
    records.commit(&changes, Sync::Disk).unwrap();
}

#[test]
fn a_limit_on_file_sizes_refuses_a_commit_and_loses_none() {
    let folder = tempfile::tempdir().unwrap();
    let records = Embedded::open(folder.path()).unwrap();
    fill_journal(&records);
    records.close().unwrap();
    // The limit is just above 64 MiB, in units of 512 bytes. The signal that comes with it would end
    // the process before it can say anything.
    let committer =
        Committer::start_after("trap '' XFSZ && ulimit -f 131073", folder.path(), Sync::System);
    let (reported, sentence) = committer.refusal();
    assert!(reported > 100, "{reported} commits, then: {sentence}");
    assert!(sentence.contains("ulimit -f"), "{sentence}");
    let records = Embedded::open(folder.path()).unwrap();
    let found = commits::check(&records).unwrap();
    assert!([reported, reported + 1].contains(&found), "{reported} reported, {found} found");
    commits::commit_up_to(&records, found + 10, Sync::Disk);
}

/// A small file system. Only root may mount one.
struct Small<'a>(&'a Path);

impl<'a> Small<'a> {
    fn new(path: &'a Path) -> Option<Self> {
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=8m", "tmpfs"])
            .arg(path)
            .output()
            .unwrap();
        mount.status.success().then_some(Self(path))
    }

    fn enlarge(&self) {
        let mut mount = Command::new("mount");
        mount.args(["-o", "remount,size=64m"]).arg(self.0);
        assert!(mount.status().unwrap().success());
    }
}

impl Drop for Small<'_> {
    fn drop(&mut self) {
        assert!(Command::new("umount").arg(self.0).status().unwrap().success());
    }
}

/// Where nothing can be mounted, the limit on file sizes above stands in for the full disk.
#[test]
fn a_full_disk_refuses_commits_until_it_is_opened_again_with_space() {
    let folder = tempfile::tempdir().unwrap();
    let Some(small) = Small::new(folder.path()) else {
        eprintln!("nothing can be mounted here; the limit on file sizes is the full disk's check");
        return;
    };
    let records = Embedded::open(folder.path()).unwrap();
    let mut number = 0;
    let refused = loop {
        match records.commit(&commits::changes(number + 1), Sync::Disk) {
            Ok(()) => number += 1,
            Err(refused) => break refused,
        }
    };
    assert_eq!(refused.trouble(), Trouble::NoSpace, "{refused}");
    assert!(refused.to_string().contains("free space on that disk"), "{refused}");
    assert!(number > 100, "{number} commits");

    small.enlarge();
    let again = records.commit(&commits::changes(number + 1), Sync::Disk).unwrap_err();
    assert_eq!(again, refused, "what failed must not be overtaken by what comes after it");
    assert_eq!(records.sync().unwrap_err(), refused);
    drop(records);

    let records = Embedded::open(folder.path()).unwrap();
    let found = commits::check(&records).unwrap();
    assert!([number, number + 1].contains(&found), "{number} reported, {found} found");
    commits::commit_up_to(&records, found + 10, Sync::Disk);
    records.close().unwrap();
    drop(records);
    drop(small);
}
