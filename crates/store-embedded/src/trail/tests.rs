use std::fs;
use std::sync::mpsc;

use tempfile::TempDir;

use super::*;

/// Patience with a thread.
const PATIENCE: Duration = Duration::from_secs(60);

fn settings(most: usize) -> TrailSettings {
    TrailSettings {
        durability: Durability::Batched,
        life: Duration::from_secs(3600),
        most,
        failed: Box::new(|error| panic!("{error}")),
    }
}

fn open(place: &TempDir, settings: TrailSettings) -> (EmbeddedTrail, Vec<Vec<u8>>) {
    let mut entries = Vec::new();
    let visit = &mut |entry: &[u8]| entries.push(entry.to_vec());
    let trail = EmbeddedTrail::open(place.path().join("outcomes"), settings, visit);
    (trail.expect("a trail"), entries)
}

fn entries(place: &TempDir) -> Vec<Vec<u8>> {
    open(place, settings(1_000_000)).1
}

/// The files, the oldest first.
fn files(place: &TempDir) -> Vec<PathBuf> {
    let folder = fs::read_dir(place.path().join("outcomes")).expect("a folder");
    let mut files: Vec<_> = folder.map(|entry| entry.expect("readable").path()).collect();
    files.sort();
    files
}

/// A trail of these entries, closed.
fn written(texts: &[&str]) -> TempDir {
    let place = tempfile::tempdir().expect("a place");
    let (trail, _) = open(&place, settings(1_000_000));
    texts.iter().for_each(|text| trail.append(text.as_bytes()));
    trail.close();
    place
}

#[test]
fn what_was_appended_comes_back_in_its_order() {
    for durability in [Durability::Always, Durability::Batched] {
        let place = tempfile::tempdir().expect("a place");
        let mut expected = Vec::new();
        for process in 0..3_u32 {
            let (trail, found) = open(&place, TrailSettings { durability, ..settings(100_000) });
            assert_eq!(found, expected);
            for number in 0..1_000_u32 {
                let entry = [process.to_le_bytes(), number.to_le_bytes()].concat();
                trail.append(&entry);
                expected.push(entry);
            }
        }
        assert_eq!(entries(&place), expected);
    }
}

#[test]
fn everybody_s_entries_keep_their_order() {
    let place = tempfile::tempdir().expect("a place");
    let (trail, _) = open(&place, settings(1_000_000));
    thread::scope(|scope| {
        for writer in 0..4_u8 {
            let trail = &trail;
            scope.spawn(move || {
                for number in 0..2_000_u16 {
                    trail.append(&[&[writer][..], &number.to_be_bytes()].concat());
                }
            });
        }
    });
    trail.close();
    let all = entries(&place);
    for writer in 0..4_u8 {
        let own: Vec<_> = all.iter().filter(|entry| entry[0] == writer).collect();
        assert_eq!(own.len(), 2_000);
        assert!(own.is_sorted());
    }
}

#[test]
fn a_torn_end_costs_only_what_is_not_whole() {
    let place = written(&["one", "two", "three"]);
    let file = &files(&place)[0];
    let whole = fs::read(file).expect("readable");
    for length in 0..whole.len() {
        fs::write(file, &whole[..length]).expect("writable");
        let found = entries(&place);
        let expected: &[&[u8]] = &[b"one", b"two", b"three"];
        assert_eq!(found, expected[..found.len()], "{length} bytes");
        // What was mended is whole.
        assert_eq!(entries(&place), found);
        let entry = |text: usize| 8 + text;
        let ends = [12 + entry(3), 12 + 2 * entry(3), 12 + 2 * entry(3) + entry(5)];
        assert_eq!(found.len(), ends.iter().filter(|end| **end <= length).count());
    }
}

#[test]
fn zeros_at_the_end_are_no_entries() {
    let place = written(&["one"]);
    let file = &files(&place)[0];
    let mut bytes = fs::read(file).expect("readable");
    bytes.extend_from_slice(&[0; 4096]);
    fs::write(file, bytes).expect("writable");
    assert_eq!(entries(&place), [b"one"]);
}

#[test]
fn damage_before_the_newest_file_is_said() {
    let place = written(&["one", "two"]);
    let (trail, _) = open(&place, settings(100));
    trail.append(b"three");
    trail.close();
    let file = &files(&place)[0];
    let mut bytes = fs::read(file).expect("readable");
    bytes[20] ^= 1;
    fs::write(file, bytes).expect("writable");
    let folder = place.path().join("outcomes");
    let error = EmbeddedTrail::open(folder, settings(100), &mut |_| {}).err().expect("damage");
    assert_eq!(error.trouble(), Trouble::Damaged);
    assert!(error.to_string().contains("00000001.trail is damaged"), "{error}");
}

#[test]
fn another_format_is_another_version() {
    let place = written(&["one"]);
    let file = &files(&place)[0];
    let mut bytes = fs::read(file).expect("readable");
    bytes[8] = 9;
    fs::write(file, bytes).expect("writable");
    let folder = place.path().join("outcomes");
    let error = EmbeddedTrail::open(folder, settings(100), &mut |_| {}).err().expect("an error");
    assert_eq!(error.trouble(), Trouble::Version);
}

#[test]
fn files_of_which_nothing_is_of_use_are_removed() {
    let place = tempfile::tempdir().expect("a place");
    let (trail, _) = open(&place, settings(2));
    let large = vec![7; 9 * 1024 * 1024];
    for number in 0..6_u8 {
        // Each fills a file; the waiting is for the thread to take them one by one.
        trail.append(&[&[number][..], &large].concat());
        let begun = std::time::Instant::now();
        while !trail.shared.waiting.lock().bytes.is_empty() {
            assert!(begun.elapsed() < PATIENCE, "nothing is written");
            thread::sleep(Duration::from_millis(1));
        }
    }
    trail.close();
    let kept: Vec<_> = entries(&place).iter().map(|entry| entry[0]).collect();
    assert_eq!(kept, [4, 5]);
}

#[test]
fn what_is_too_old_is_not_read() {
    let place = written(&["one"]);
    thread::sleep(Duration::from_millis(20));
    let life = Duration::from_millis(1);
    let (_, found) = open(&place, TrailSettings { life, ..settings(100) });
    assert!(found.is_empty());
    assert!(files(&place).is_empty());
}

#[test]
fn a_failure_is_told_once_and_nothing_is_taken_after_it() {
    let place = tempfile::tempdir().expect("a place");
    let (tell, told) = mpsc::channel();
    let failed = Box::new(move |error| tell.send(error).expect("a listener"));
    let (trail, _) = open(&place, TrailSettings { failed, ..settings(100) });
    fs::remove_dir(place.path().join("outcomes")).expect("empty");
    trail.append(b"one");
    let error = told.recv_timeout(PATIENCE).expect("a failure");
    assert!(error.to_string().contains("00000001.trail failed"), "{error}");
    for _ in 0..100 {
        trail.append(b"more");
    }
    assert_eq!(trail.shared.waiting.lock().entries, 0);
    trail.close();
    assert!(told.try_recv().is_err());
}
