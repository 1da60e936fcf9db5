//! Places where no store can be.

use std::fs;
use std::path::Path;
use std::process::Command;

use store::{Records, StoreError, Sync, Trouble};
use store_embedded::Embedded;

use crate::commits;

fn refusal(path: &Path) -> StoreError {
    Embedded::open(path).expect_err("it must not open")
}

fn expect(error: &StoreError, trouble: Trouble, words: &[&str]) {
    let sentence = error.to_string();
    assert_eq!(error.trouble(), trouble, "{sentence}");
    for word in words {
        assert!(sentence.contains(word), "`{word}` is not in: {sentence}");
    }
    assert_eq!(sentence.lines().count(), 1, "{sentence}");
}

fn store_with_commits() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let records = Embedded::open(folder.path()).unwrap();
    commits::commit_up_to(&records, 20, Sync::Disk);
    records.close().unwrap();
    folder
}

#[test]
fn a_folder_and_its_parents_are_made() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("a/b/c");
    let records = Embedded::open(&path).unwrap();
    commits::commit_up_to(&records, 2, Sync::Disk);
    drop(records);
    assert_eq!(commits::check(&Embedded::open(&path).unwrap()).unwrap(), 2);
}

#[test]
fn a_file_system_of_its_own_may_be_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("lost+found")).unwrap();
    Embedded::open(folder.path()).unwrap();
}

#[test]
fn a_file_is_no_folder() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("file");
    fs::write(&path, "something").unwrap();
    expect(&refusal(&path), Trouble::Foreign, &["/file is a file", "name a folder"]);
    expect(&refusal(&path.join("below")), Trouble::Foreign, &["/file/below", "name a folder"]);
}

#[test]
fn a_folder_with_other_files_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("thesis.tex"), "years of work").unwrap();
    expect(&refusal(folder.path()), Trouble::Foreign, &["thesis.tex", "name an empty folder"]);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_store_in_use_is_locked_and_names_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let records = Embedded::open(folder.path()).unwrap();
    let process = format!("process {}", std::process::id());
    expect(&refusal(folder.path()), Trouble::Locked, &["in use", &process, "choose another"]);
    commits::commit_up_to(&records, 3, Sync::Disk);
    drop(records);
    assert_eq!(commits::check(&Embedded::open(folder.path()).unwrap()).unwrap(), 3);
}

/// A file system that cannot be written to, as long as it exists. Root may mount one; to anybody
/// else a folder without the permission is one.
struct ReadOnly<'a>(&'a Path);

impl<'a> ReadOnly<'a> {
    fn new(path: &'a Path) -> Self {
        set_mode(path, "555");
        if fs::write(path.join("probe"), "").is_ok() {
            fs::remove_file(path.join("probe")).unwrap();
            let mounted = Command::new("mount")
                .args(["-t", "tmpfs", "-o", "ro", "tmpfs"])
                .arg(path)
                .status()
                .unwrap();
            assert!(mounted.success(), "run it as an ordinary user, or as root who may mount");
        }
        Self(path)
    }
}

impl Drop for ReadOnly<'_> {
    fn drop(&mut self) {
        // It is no mount point if the permission was enough.
        drop(Command::new("umount").arg(self.0).output());
        set_mode(self.0, "755");
    }
}

fn set_mode(path: &Path, mode: &str) {
    assert!(Command::new("chmod").arg(mode).arg(path).status().unwrap().success());
}

#[test]
fn a_folder_that_cannot_be_written_to_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let _read_only = ReadOnly::new(folder.path());
    let path = folder.path().to_string_lossy().into_owned();
    expect(&refusal(folder.path()), Trouble::ReadOnly, &[&path, "or choose another folder"]);
}

#[test]
fn another_version_of_the_engine_is_refused() {
    let folder = store_with_commits();
    fs::write(folder.path().join("data/version"), b"FJL\x02").unwrap();
    expect(&refusal(folder.path()), Trouble::Version, &["format", "run the version that wrote"]);
}

#[test]
fn a_store_without_its_data_is_damaged() {
    for gone in ["data", "data/version"] {
        let folder = store_with_commits();
        let path = folder.path().join(gone);
        if path.is_dir() {
            fs::remove_dir_all(path).unwrap();
        } else {
            fs::remove_file(path).unwrap();
        }
        expect(&refusal(folder.path()), Trouble::Damaged, &[gone, "restore the folder"]);
    }
}

#[test]
fn a_store_put_back_to_an_earlier_state_has_lost_commits() {
    let folder = store_with_commits();
    let file = folder.path().join("commits");
    let records = Embedded::open(folder.path()).unwrap();
    commits::commit_up_to(&records, 25, Sync::Disk);
    records.close().unwrap();
    let newer = fs::read(&file).unwrap();
    drop(records);

    let earlier = store_with_commits();
    fs::write(earlier.path().join("commits"), newer).unwrap();
    for _ in 0..2 {
        let words = ["at commit 20 and was at 25", "restore", "to accept the loss"];
        expect(&refusal(earlier.path()), Trouble::Missing, &words);
    }
    fs::remove_file(earlier.path().join("commits")).unwrap();
    assert_eq!(commits::check(&Embedded::open(earlier.path()).unwrap()).unwrap(), 20);
}
