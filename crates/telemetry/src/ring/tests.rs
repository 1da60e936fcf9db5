use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::*;
use crate::timestamp;

const DAY: u64 = 86_400_000;
/// 2026-11-26 00:00 UTC.
const START: u64 = 20_783 * DAY;

fn line(millis: u64, text: &str) -> String {
    let date = timestamp::date(Duration::from_millis(millis));
    let date = std::str::from_utf8(&date).expect("ASCII");
    format!("{{\"timestamp\":\"{date}\",\"text\":\"{text}\"}}\n")
}

fn settings(place: RingPlace, bytes: u64) -> RingSettings {
    // The entries of these tests are of one day, whichever is today.
    RingSettings { place, bytes, age: Duration::from_secs(1 << 32) }
}

fn of_folder(folder: &Path) -> RingPlace {
    RingPlace::Folder(folder.join("logs"))
}

fn open(folder: &Path, bytes: u64) -> LogRing {
    LogRing::open(settings(of_folder(folder), bytes)).expect("a ring")
}

fn place() -> TempDir {
    tempfile::tempdir().expect("a place")
}

fn files(folder: &Path) -> Vec<String> {
    let files = fs::read_dir(folder.join("logs")).expect("a folder");
    let name = |file: io::Result<fs::DirEntry>| file.expect("a file").file_name();
    let mut names: Vec<_> = files.map(|file| name(file).into_string().expect("text")).collect();
    names.sort_unstable();
    names
}

const ALL: Walk<'static> = Walk {
    from: None,
    direction: Direction::Forward,
    of_day: &|_| true,
    window: 0..u64::MAX,
    bytes: u64::MAX,
};

fn walked(ring: &LogRing, walk: &Walk<'_>, most: usize) -> (Vec<String>, Walked) {
    let mut texts = Vec::new();
    let walked = ring.walk(walk, &mut |entry| {
        let take = texts.len() < most;
        if take {
            let text = entry.text.split("\"text\":\"").nth(1).expect("a text");
            texts.push(text.trim_end_matches("\"}").to_owned());
        }
        take
    });
    (texts, walked.expect("readable"))
}

fn texts(ring: &LogRing) -> Vec<String> {
    walked(ring, &ALL, usize::MAX).0
}

fn filled(ring: &LogRing, count: u64) -> Vec<String> {
    let name = |number| format!("entry {number:05}");
    for number in 0..count {
        ring.append(line(START + number, &name(number)).as_bytes()).expect("room");
    }
    (0..count).map(name).collect()
}

#[test]
fn what_is_appended_is_read_in_both_directions_in_pages() {
    let folder = place();
    let rings = [
        open(folder.path(), 1 << 20),
        LogRing::open(settings(RingPlace::Memory, 1 << 20)).expect("a ring"),
    ];
    for ring in &rings {
        // More than one segment.
        let expected = filled(ring, 500);
        assert!(ring.shelf.lock().segments().len() > 1);
        assert_eq!(texts(ring), expected);
        for direction in [Direction::Forward, Direction::Backward] {
            let (mut from, mut all) = (None, Vec::new());
            loop {
                let (page, walked) = walked(ring, &Walk { from, direction, ..ALL }, 7);
                assert!(page.len() == 7 || walked.ended);
                all.extend(page);
                from = walked.next;
                if walked.ended {
                    break;
                }
            }
            if direction == Direction::Backward {
                all.reverse();
            }
            assert_eq!(all, expected, "{direction:?}");
        }
    }
}

#[test]
fn the_end_stays_where_it_is_until_there_is_more() {
    let folder = place();
    let ring = open(folder.path(), 1 << 20);
    assert_eq!(walked(&ring, &ALL, 9).1, Walked { next: None, ended: true });
    filled(&ring, 3);
    let (_, end) = walked(&ring, &ALL, 9);
    let after = Walk { from: end.next, ..ALL };
    assert_eq!(walked(&ring, &after, 9), (vec![], end));
    ring.append(line(START + 5, "more").as_bytes()).expect("room");
    assert_eq!(walked(&ring, &after, 9).0, ["more"]);
}

#[test]
fn a_walk_looks_at_no_more_bytes_than_it_may_and_gets_on_all_the_same() {
    let folder = place();
    let ring = open(folder.path(), 1 << 20);
    let expected = filled(&ring, 300);
    let none = |_: &KeptEntry<'_>| true;
    let mut from = None;
    let mut steps = 0;
    loop {
        let walk = Walk { from, bytes: 1_000, window: 0..0, ..ALL };
        let walked = ring.walk(&walk, &mut { none }).expect("readable");
        from = walked.next;
        if walked.ended {
            break;
        }
        steps += 1;
        assert!(steps < 1_000);
    }
    // Segments of other times are not even looked at.
    assert_eq!(steps, 0);
    let (page, walked) = walked(&ring, &Walk { bytes: 1_000, ..ALL }, usize::MAX);
    assert!(!walked.ended && page.len() < 30, "{}", page.len());
    assert_eq!(page, expected[..page.len()]);
}

#[test]
fn entries_outlive_the_process_and_keep_their_positions() {
    let folder = place();
    let positions = |ring: &LogRing| {
        let mut positions = Vec::new();
        let walked = ring.walk(&ALL, &mut |entry| {
            positions.push(entry.position);
            true
        });
        walked.map(|_| positions).expect("readable")
    };
    let mut before = Vec::new();
    for process in 0..3 {
        let ring = open(folder.path(), 1 << 20);
        assert_eq!(positions(&ring), before);
        let text = format!("of process {process}");
        ring.append(line(START + process, &text).as_bytes()).expect("room");
        let now = positions(&ring);
        assert_eq!(now[..before.len()], before[..]);
        assert_eq!(now.len(), before.len() + 1);
        before = now;
    }
    assert_eq!(files(folder.path()), ["00000001-2026-11-26.jsonl"], "a small one is continued");
}

#[test]
fn a_torn_end_costs_only_what_is_not_whole() {
    let whole: String = (0..3).map(|number| line(START + number, "whole")).collect();
    for length in 0..whole.len() {
        let folder = place();
        let name = folder.path().join("logs/00000007-2026-11-26.jsonl");
        fs::create_dir(folder.path().join("logs")).expect("a folder");
        fs::write(&name, &whole.as_bytes()[..length]).expect("writable");
        let ring = open(folder.path(), 1 << 20);
        let lines = whole[..length].matches('\n').count();
        assert_eq!(texts(&ring).len(), lines, "{length} bytes");
        ring.append(line(START + 9, "more").as_bytes()).expect("room");
        let expected: Vec<_> = std::iter::repeat_n("whole", lines).chain(["more"]).collect();
        assert_eq!(texts(&ring), expected);
        assert_eq!(texts(&open(folder.path(), 1 << 20)), expected);
    }
}

#[test]
fn a_long_damaged_end_costs_no_entry_before_it() {
    let whole: String = (0..3).map(|number| line(START + number, "whole")).collect();
    for damage in [512 * 1024 - whole.len(), 512 * 1024, 512 * 1024 + 1, 3_000_000] {
        let folder = place();
        let name = folder.path().join("logs/00000007-2026-11-26.jsonl");
        fs::create_dir(folder.path().join("logs")).expect("a folder");
        fs::write(&name, [whole.as_bytes(), &vec![0; damage]].concat()).expect("writable");
        let ring = open(folder.path(), 1 << 20);
        assert_eq!(texts(&ring), ["whole"; 3], "{damage} bytes");
        ring.append(line(START + 9, "more").as_bytes()).expect("room");
        assert_eq!(texts(&open(folder.path(), 1 << 20)), ["whole", "whole", "whole", "more"]);
    }
}

#[test]
fn what_is_no_segment_is_left_alone() {
    let folder = place();
    let logs = folder.path().join("logs");
    fs::create_dir_all(logs.join("00000009-2026-11-26.jsonl")).expect("a folder");
    for name in ["18446744073709551615-2026-11-26.jsonl", "00000005-----------.jsonl"] {
        fs::write(logs.join(name), line(START, "not ours")).expect("writable");
    }
    let ring = open(folder.path(), 1 << 20);
    ring.append(line(START, "ours").as_bytes()).expect("room");
    assert_eq!(texts(&ring), ["ours"]);
    assert_eq!(files(folder.path()).len(), 4);
}

#[test]
fn what_is_no_entry_is_passed_over() {
    let folder = place();
    let name = folder.path().join("logs/00000001-2026-11-26.jsonl");
    fs::create_dir(folder.path().join("logs")).expect("a folder");
    let entry = |text| line(START, text).into_bytes();
    let zeros = [&[0; 100][..], b"\n"].concat();
    let bytes = [entry("one"), zeros, b"{}\n\xff\n\n".to_vec(), entry("two"), vec![0; 50]];
    fs::write(&name, bytes.concat()).expect("writable");
    fs::write(folder.path().join("logs/notes.txt"), "not ours").expect("writable");
    let ring = open(folder.path(), 1 << 20);
    assert_eq!(texts(&ring), ["one", "two"]);
    let (backward, _) = walked(&ring, &Walk { direction: Direction::Backward, ..ALL }, 9);
    assert_eq!(backward, ["two", "one"]);
    // A position that is none of ours.
    let from = Some(Position { segment: 1, offset: 5 });
    assert_eq!(walked(&ring, &Walk { from, ..ALL }, 9).0, ["two"]);
    let from = Some(Position { segment: u64::MAX, offset: u64::MAX });
    assert!(walked(&ring, &Walk { from, ..ALL }, 9).0.is_empty());
}

#[test]
fn the_oldest_go_when_there_are_too_many_bytes() {
    let folder = place();
    let ring = open(folder.path(), 128 * 1024);
    let all = filled(&ring, 4_000);
    let kept = texts(&ring);
    assert!(kept.len() > 1_000 && kept.len() < 3_000, "{} kept", kept.len());
    assert_eq!(kept, all[all.len() - kept.len()..], "the newest");
    let on_disk: u64 = fs::read_dir(folder.path().join("logs"))
        .expect("a folder")
        .map(|file| file.expect("a file").metadata().expect("a size").len())
        .sum();
    assert!(on_disk <= 128 * 1024, "{on_disk} bytes");
    assert_eq!(ring.days().iter().map(|day| day.bytes).sum::<u64>(), on_disk);
}

#[test]
fn the_oldest_go_when_they_are_too_old() {
    let folder = place();
    let age = Duration::from_secs(7 * 86_400);
    let settings = RingSettings { age, ..settings(of_folder(folder.path()), 1 << 20) };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    let now = u64::try_from(now.as_millis()).expect("a time");
    let ring = LogRing::open(settings).expect("a ring");
    for days in [9, 8, 6, 0] {
        ring.append(line(now - days * DAY, &format!("{days} days ago")).as_bytes()).expect("room");
    }
    assert_eq!(texts(&ring), ["6 days ago", "0 days ago"]);
    assert_eq!(files(folder.path()).len(), 2);
    // Nor do they stay behind one that a clock set forward once began.
    ring.append(line(now + 30 * DAY, "in a month").as_bytes()).expect("room");
    ring.append(line(now - 8 * DAY, "8 days ago").as_bytes()).expect("room");
    ring.append(line(now, "now").as_bytes()).expect("room");
    assert_eq!(texts(&ring), ["6 days ago", "0 days ago", "in a month", "now"]);
}

#[test]
fn a_day_has_segments_of_its_own_and_so_has_a_clock_set_back() {
    let folder = place();
    let ring = open(folder.path(), 1 << 20);
    let late = START + DAY - 1;
    let batch = [line(late, "a"), line(late + 1, "b"), line(late, "overtaken"), line(START, "c")];
    ring.append(batch.concat().as_bytes()).expect("room");
    assert_eq!(texts(&ring), ["a", "b", "overtaken", "c"]);
    let days = ring.days();
    let told: Vec<_> = days.iter().map(|d| (&*d.day, d.first_millis, d.last_millis)).collect();
    assert_eq!(
        told,
        [("2026-11-26", START, late), ("2026-11-27", late + 1, late + 1)],
        "the day of an entry is its own"
    );
    let walk = Walk { of_day: &|day| day == "2026-11-27", ..ALL };
    assert_eq!(walked(&ring, &walk, 9).0, ["b"]);
    let walk = Walk { window: START..late, ..ALL };
    assert_eq!(walked(&ring, &walk, 9).0, ["c"]);
}

#[test]
fn what_cannot_be_written_is_dropped_and_later_entries_are_kept() {
    let folder = place();
    let ring = open(folder.path(), 1 << 20);
    let logs = folder.path().join("logs");
    fs::remove_dir(&logs).expect("empty");
    let two = [line(START, "lost"), line(START, "lost")].concat();
    let (entries, error) = ring.append(two.as_bytes()).expect_err("no folder");
    assert_eq!((entries, error.kind()), (2, io::ErrorKind::NotFound));
    fs::create_dir(&logs).expect("a folder");
    ring.append(line(START + 1, "kept").as_bytes()).expect("room");
    assert_eq!(texts(&ring), ["kept"]);
}

#[test]
fn a_reader_whose_segment_has_gone_goes_on_with_the_next() {
    let folder = place();
    let ring = open(folder.path(), 1 << 20);
    let all = filled(&ring, 500);
    let first = &files(folder.path())[0];
    fs::remove_file(folder.path().join("logs").join(first)).expect("there");
    let left = texts(&ring);
    assert!(!left.is_empty() && left.len() < all.len());
    assert_eq!(left, all[all.len() - left.len()..]);
}
