//! Bytes that changed on the disk.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use store::{Changes, Records, Sync, Table, Trouble};
use store_embedded::Embedded;

use crate::child::Committer;
use crate::commits;
use crate::random::Random;

/// A store whose process was killed, so that what was committed is in the journal only.
struct Original {
    folder: tempfile::TempDir,
    /// The journal without the zeros that fjall reserves at its end.
    journal: Vec<u8>,
    /// The last commit reported.
    reported: u64,
}

impl Original {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut committer = Committer::start(folder.path(), Sync::Disk);
        committer.wait_for(150);
        let reported = committer.kill();
        let mut journal = fs::read(newest_journal(folder.path())).unwrap();
        let used = journal.iter().rposition(|byte| *byte != 0).unwrap() + 1;
        journal.truncate(used);
        fs::write(newest_journal(folder.path()), &journal).unwrap();
        Self { folder, journal, reported }
    }

    /// Opens a copy with another journal. Nothing reported may be missing if it opens. Says whether
    /// it did.
    fn opens_with(&self, journal: &[u8], what: &str) -> bool {
        let copy = tempfile::tempdir().unwrap();
        copy_folder(self.folder.path(), copy.path());
        fs::write(newest_journal(copy.path()), journal).unwrap();
        match Embedded::open(copy.path()) {
            Ok(records) => {
                let found = commits::check(&records).unwrap();
                assert!(found >= self.reported, "{what}: {found} of {} are there", self.reported);
                records.close().unwrap();
                true
            }
            Err(error) => {
                let known = [Trouble::Damaged, Trouble::Missing].contains(&error.trouble());
                assert!(known, "{what}: {error}");
                false
            }
        }
    }
}

fn newest_journal(folder: &Path) -> PathBuf {
    journals(folder).pop().unwrap()
}

/// The journal files, the oldest first.
fn journals(folder: &Path) -> Vec<PathBuf> {
    let number = |path: &PathBuf| path.file_stem().unwrap().to_str().unwrap().parse::<u64>().ok();
    let files = fs::read_dir(folder.join("data")).unwrap().map(|entry| entry.unwrap().path());
    let mut journals: Vec<_> =
        files.filter(|path| path.extension().is_some_and(|name| name == "jnl")).collect();
    journals.sort_by_key(number);
    journals
}

/// A store whose journal has gone on in another file, and still needs the one before.
fn with_an_older_journal() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let records = Embedded::open(folder.path()).unwrap();
    let began = Instant::now();
    for number in 0_u64.. {
        let mut changes = Changes::new();
        changes.put(Table::Meta, &number.to_be_bytes(), b"a table that hardly changes");
        changes.put(Table::Retained, b"large", &vec![7; 1 << 20]);
        records.commit(&changes, Sync::System).unwrap();
        if journals(folder.path()).len() > 1 {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(120), "fjall never began another file");
    }
    records.close().unwrap();
    folder
}

#[test]
fn an_older_journal_with_a_changed_byte_is_refused() {
    let folder = with_an_older_journal();
    let older = journals(folder.path()).remove(0);
    assert_ne!(older, newest_journal(folder.path()));
    let original = fs::read(&older).unwrap();
    let mut random = Random::new(7);
    for _ in 0..5 {
        let mut changed = original.clone();
        // Its last three megabytes may be room.
        changed[usize::try_from(random.below(60_000_000)).unwrap()] ^= 0x10;
        fs::write(&older, changed).unwrap();
        let error = Embedded::open(folder.path()).expect_err("it must not open");
        assert_eq!(error.trouble(), Trouble::Damaged, "{error}");
        assert!(error.to_string().contains(".jnl"), "{error}");
    }
    fs::write(&older, original).unwrap();
    Embedded::open(folder.path()).unwrap();
}

fn copy_folder(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let copy = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir(&copy).unwrap();
            copy_folder(&entry.path(), &copy);
        } else {
            fs::copy(entry.path(), copy).unwrap();
        }
    }
}

#[test]
fn a_store_with_changed_bytes_has_everything_reported_or_does_not_open() {
    let original = Original::new();
    assert!(original.opens_with(&original.journal, "the journal as it is"));
    let mut random = Random::new(4);
    let mut refused = 0;
    for _ in 0..100 {
        let at = usize::try_from(random.below(original.journal.len() as u64)).unwrap();
        let mask = u8::try_from(1 + random.below(255)).unwrap();
        let mut journal = original.journal.clone();
        journal[at] ^= mask;
        let opens = original.opens_with(&journal, &format!("byte {at} changed by {mask:#x}"));
        refused += u32::from(!opens);
    }
    assert!(refused > 50, "{refused} of 100");
}

#[test]
fn a_store_with_a_shorter_journal_has_everything_reported_or_does_not_open() {
    let original = Original::new();
    let mut random = Random::new(5);
    let mut refused = 0;
    for _ in 0..60 {
        let length = usize::try_from(random.below(original.journal.len() as u64)).unwrap();
        let opens = original.opens_with(&original.journal[..length], &format!("{length} bytes"));
        refused += u32::from(!opens);
    }
    assert!(refused > 50, "{refused} of 60");
}

/// What a power loss leaves of a commit that was being written.
#[test]
fn a_torn_end_is_no_damage() {
    let original = Original::new();
    let copy = tempfile::tempdir().unwrap();
    copy_folder(original.folder.path(), copy.path());
    let records = Embedded::open(copy.path()).unwrap();
    let found = commits::check(&records).unwrap();
    commits::commit_up_to(&records, found + 1, Sync::Disk);
    let mut journal = fs::read(newest_journal(copy.path())).unwrap();
    journal.truncate(journal.iter().rposition(|byte| *byte != 0).unwrap() + 1);
    assert!(journal.len() > original.journal.len());

    let torn = original.journal.len()..journal.len();
    for length in torn.step_by(1.max((journal.len() - original.journal.len()) / 20)) {
        let room = [&journal[..length], &[0; 5_000]].concat();
        assert!(original.opens_with(&room, &format!("{length} bytes and zeros")));
    }
}
