//! How the log behaves when it is filtered, full, broken, rotated and ended.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{process, thread};

use engine::outcome::DirectOutcome;
use telemetry::event::{self, DirectMessage, RegistryReload, Server};
use telemetry::{
    Direction, Level, LogSettings, LogTarget, RingPlace, RingSettings, Telemetry, Thresholds, Walk,
};

use crate::capture::{Capture, PATIENCE, captured, direct, sample, settings};

const GOOD: DirectOutcome = DirectOutcome::Dispatched;
const BAD: DirectOutcome = DirectOutcome::TargetNotFound;
const DROPPED: &str = "tenfour_log_entries_dropped_total";
const ERRORS: &str = "tenfour_log_write_errors_total";

/// A folder of its own that goes away in the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("tenfour-log-{}-{name}", process::id()));
        fs::create_dir_all(&path).expect("a folder");
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn started(capture: &Capture, change: impl FnOnce(&mut LogSettings)) -> Telemetry {
    let mut settings = settings(LogTarget::Writer(Box::new(capture.clone())));
    change(&mut settings);
    Telemetry::start(settings).expect("a log")
}

/// Waits until it is so.
fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn only_what_is_important_enough_is_written_but_all_is_counted() {
    let written = |level| {
        let capture = Capture::default();
        let telemetry = started(&capture, |settings| settings.level = level);
        telemetry.record(&direct(&GOOD));
        telemetry.record(&Server::DrainFinished { cut_off: 1 });
        telemetry.record(&direct(&BAD));
        assert!(telemetry.flush(PATIENCE));
        let label = "tenfour_direct_messages_total{outcome=\"DISPATCHED\"}";
        assert_eq!(sample(&telemetry, label), 1.0);
        capture.entries().into_iter().map(|mut e| e["logLevel"].take()).collect::<Vec<_>>()
    };
    assert_eq!(written(Level::Debug), ["INFO", "WARN", "ERROR"]);
    assert_eq!(written(Level::Info), ["INFO", "WARN", "ERROR"]);
    assert_eq!(written(Level::Warn), ["WARN", "ERROR"]);
    assert_eq!(written(Level::Error), ["ERROR"]);
    assert!(written(Level::Disabled).is_empty());
}

#[test]
fn what_is_narrower_decides_which_entries_are_written() {
    let capture = Capture::default();
    let telemetry = started(&capture, |settings| settings.level = Level::Error);
    let receiver = direct(&GOOD);
    let of_client = HashMap::from([(receiver.client_id.to_owned(), Level::Info)]);
    let of_source = HashMap::from([(receiver.source.ip(), Level::Warn)]);
    let of_principal = HashMap::from([(receiver.principal_id.to_owned(), Level::Info)]);
    let of_type = HashMap::from([("SendDirectMessage".to_owned(), Level::Disabled)]);
    let written = |thresholds: &Thresholds| {
        let before = capture.entries().len();
        telemetry.set_thresholds(thresholds.clone());
        telemetry.record(&direct(&GOOD));
        telemetry.record(&direct(&BAD));
        assert!(telemetry.flush(PATIENCE));
        capture.entries().len() - before
    };
    let mut thresholds = Thresholds::default();
    assert_eq!(written(&thresholds), 1, "as it was started with");
    thresholds.default = Some(Level::Debug);
    assert_eq!(written(&thresholds), 2);
    thresholds.event_types = of_type;
    assert_eq!(written(&thresholds), 0);
    thresholds.principal_ids = of_principal;
    assert_eq!(written(&thresholds), 2);
    thresholds.source_ips = of_source;
    assert_eq!(written(&thresholds), 1);
    thresholds.client_ids = of_client;
    assert_eq!(written(&thresholds), 2);
    assert_eq!(written(&Thresholds::default()), 1, "as it was started with");
}

#[test]
fn all_types_of_events_are_listed_in_the_order_of_the_alphabet() {
    assert!(event::TYPES.is_sorted());
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/event");
    for file in fs::read_dir(folder).expect("the events") {
        let source = fs::read_to_string(file.expect("a file").path()).expect("a text");
        for line in source.lines() {
            let Some((_, rest)) = line.split_once("const TYPE: &'static str = \"") else {
                continue;
            };
            let (name, _) = rest.split_once('"').expect("a closed text");
            assert!(event::TYPES.contains(&name), "{name}");
        }
    }
}

#[test]
fn levels_are_read_by_their_upper_case_names_only() {
    assert_eq!(serde_json::from_str::<Level>("\"WARN\"").unwrap(), Level::Warn);
    assert_eq!(serde_json::from_str::<Level>("\"DISABLED\"").unwrap(), Level::Disabled);
    assert!(serde_json::from_str::<Level>("\"LOUD\"").is_err());
}

#[test]
fn discarding_counts_all_the_same() {
    let telemetry = Telemetry::start(settings(LogTarget::Discard)).unwrap();
    telemetry.record(&direct(&BAD));
    assert!(telemetry.flush(Duration::ZERO));
    telemetry.reopen();
    let label = "tenfour_direct_messages_total{outcome=\"TARGET_CLIENT_ID_NOT_FOUND\"}";
    assert_eq!(sample(&telemetry, label), 1.0);
}

#[test]
fn an_entry_is_written_soon_without_a_flush() {
    let (telemetry, capture) = captured();
    for round in 1..=3 {
        thread::sleep(Duration::from_millis(10));
        telemetry.record(&direct(&GOOD));
        eventually("an entry is written", || capture.entries().len() == round);
    }
}

#[test]
fn a_full_buffer_drops_whole_entries_and_counts_them() {
    let capture = Capture::default();
    let telemetry = started(&capture, |settings| settings.buffer_bytes = 4_000);
    let blocked = capture.block();
    for _ in 0..100 {
        telemetry.record(&direct(&GOOD));
    }
    assert!(!telemetry.flush(Duration::from_millis(20)));
    drop(blocked);
    assert!(telemetry.flush(PATIENCE));
    let written = capture.entries().len();
    let dropped = sample(&telemetry, DROPPED) as usize;
    assert!(written > 0 && capture.text().len() <= 4_000, "{written} written");
    assert_eq!(written + dropped, 100);

    telemetry.record(&direct(&GOOD));
    assert!(telemetry.flush(PATIENCE));
    assert_eq!(capture.entries().len(), written + 1, "there is room again");
}

#[test]
fn an_entry_larger_than_the_buffer_is_dropped() {
    let capture = Capture::default();
    let telemetry = started(&capture, |settings| settings.buffer_bytes = 100);
    telemetry.record(&direct(&GOOD));
    assert!(telemetry.flush(PATIENCE));
    assert_eq!(capture.text(), "");
    assert_eq!(sample(&telemetry, DROPPED), 1.0);
}

#[test]
fn after_a_failed_write_everything_is_written_once_and_whole() {
    let (telemetry, capture) = captured();
    capture.leave_room(150);
    for _ in 0..3 {
        telemetry.record(&direct(&GOOD));
    }
    eventually("the error is counted", || sample(&telemetry, ERRORS) >= 1.0);
    assert_eq!(capture.text().len(), 150, "half an entry: the disk is full");
    capture.mend();
    assert!(telemetry.flush(PATIENCE));
    assert_eq!(capture.entries().len(), 3);
    assert_eq!(sample(&telemetry, DROPPED), 0.0);
}

#[test]
fn a_broken_target_does_not_hold_up_the_end() {
    let (telemetry, capture) = captured();
    capture.break_off();
    telemetry.record(&direct(&GOOD));
    let start = Instant::now();
    assert!(!telemetry.flush(Duration::from_millis(50)));
    drop(telemetry);
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[test]
fn dropping_writes_what_waits() {
    let (telemetry, capture) = captured();
    for _ in 0..1_000 {
        telemetry.record(&direct(&GOOD));
    }
    drop(telemetry);
    assert_eq!(capture.entries().len(), 1_000);
}

#[test]
fn entries_of_many_threads_do_not_mix() {
    let capture = Capture::default();
    let telemetry = Arc::new(started(&capture, |settings| settings.buffer_bytes = usize::MAX));
    thread::scope(|scope| {
        for writer in 0..4 {
            let telemetry = Arc::clone(&telemetry);
            scope.spawn(move || {
                let name = format!("device-{writer}");
                for _ in 0..500 {
                    telemetry.record(&DirectMessage { client_id: &name, ..direct(&GOOD) });
                }
            });
        }
    });
    assert!(telemetry.flush(PATIENCE));
    let entries = capture.entries();
    assert_eq!(entries.len(), 2_000);
    assert_eq!(entries.iter().filter(|entry| entry["clientId"] == "device-3").count(), 500);
    let label = "tenfour_direct_messages_total{outcome=\"DISPATCHED\"}";
    assert_eq!(sample(&telemetry, label), 2_000.0);
}

#[test]
fn a_file_is_appended_to_and_reopened_after_a_rotation() {
    let folder = Folder::new("rotation");
    let (log, old) = (folder.0.join("log.jsonl"), folder.0.join("log.jsonl.1"));
    fs::write(&log, "{\"earlier\":true}\n").unwrap();
    let telemetry = Telemetry::start(settings(LogTarget::File(log.clone()))).unwrap();
    telemetry.record(&direct(&GOOD));
    assert!(telemetry.flush(PATIENCE));

    fs::rename(&log, &old).unwrap();
    telemetry.record(&direct(&GOOD));
    assert!(telemetry.flush(PATIENCE));
    assert!(!log.exists(), "before the reopen the old file is written");

    telemetry.reopen();
    eventually("the new file exists", || log.exists());
    telemetry.record(&RegistryReload::Broken { details: "x:1" });
    assert!(telemetry.flush(PATIENCE));
    let lines = |path| fs::read_to_string(path).unwrap().lines().count();
    assert_eq!(lines(&old), 3);
    assert_eq!(lines(&log), 1);
}

/// A process that was killed while the disk was full leaves a part of a line.
#[test]
fn an_entry_does_not_continue_a_line_that_was_cut_off() {
    let folder = Folder::new("torn-log");
    let log = folder.0.join("log.jsonl");
    fs::write(&log, r#"{"timestamp":"2026-11-26"#).unwrap();
    let telemetry = Telemetry::start(settings(LogTarget::File(log.clone()))).unwrap();
    telemetry.record(&direct(&GOOD));
    assert!(telemetry.flush(PATIENCE));
    telemetry.reopen();
    telemetry.record(&direct(&GOOD));
    assert!(telemetry.flush(PATIENCE));
    let text = fs::read_to_string(&log).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(lines[1..].iter().all(|line| line.starts_with('{') && line.ends_with('}')));
}

#[test]
fn a_failed_reopen_keeps_the_old_file() {
    let folder = Folder::new("no-reopen");
    let inner = folder.0.join("inner");
    let moved = folder.0.join("moved");
    fs::create_dir(&inner).unwrap();
    let log = inner.join("log.jsonl");
    let telemetry = Telemetry::start(settings(LogTarget::File(log))).unwrap();
    fs::rename(&inner, &moved).unwrap();
    telemetry.reopen();
    eventually("the error is counted", || sample(&telemetry, ERRORS) == 1.0);
    telemetry.record(&direct(&GOOD));
    assert!(telemetry.flush(PATIENCE));
    let text = fs::read_to_string(moved.join("log.jsonl")).unwrap();
    assert_eq!(text.lines().count(), 1);
}

/// What is kept to be read back.
fn kept(telemetry: &Telemetry) -> String {
    let ring = telemetry.ring().expect("a ring");
    let walk = Walk {
        from: None,
        direction: Direction::Forward,
        of_day: &|_| true,
        window: 0..u64::MAX,
        bytes: u64::MAX,
    };
    let mut text = String::new();
    let walked = ring.walk(&walk, &mut |entry| {
        text.push_str(entry.text);
        text.push('\n');
        true
    });
    walked.expect("readable");
    text
}

fn ring(place: RingPlace) -> Option<RingSettings> {
    Some(RingSettings { place, bytes: 1 << 20, age: Duration::from_secs(3_600) })
}

#[test]
fn what_is_written_is_kept_as_it_is_and_what_is_not_is_not() {
    let folder = Folder::new("ring");
    for place in [RingPlace::Memory, RingPlace::Folder(folder.0.join("logs"))] {
        let capture = Capture::default();
        let telemetry = started(&capture, |settings| {
            settings.level = Level::Error;
            settings.ring = ring(place.clone());
        });
        for outcome in [&GOOD, &BAD, &GOOD, &BAD] {
            telemetry.record(&direct(outcome));
        }
        assert!(telemetry.flush(PATIENCE));
        assert_eq!(capture.entries().len(), 2);
        assert_eq!(kept(&telemetry), capture.text());
    }
}

#[test]
fn a_broken_log_keeps_nothing_from_being_read_back_and_the_other_way_round() {
    let capture = Capture::default();
    let telemetry = started(&capture, |settings| settings.ring = ring(RingPlace::Memory));
    capture.break_off();
    telemetry.record(&direct(&GOOD));
    eventually("it is kept", || kept(&telemetry).lines().count() == 1);

    let folder = Folder::new("no-ring");
    let logs = folder.0.join("logs");
    let capture = Capture::default();
    let place = RingPlace::Folder(logs.clone());
    let telemetry = started(&capture, |settings| settings.ring = ring(place));
    fs::remove_dir(&logs).unwrap();
    telemetry.record(&direct(&GOOD));
    assert!(telemetry.flush(PATIENCE));
    assert_eq!(capture.entries().len(), 1);
    assert_eq!(sample(&telemetry, "tenfour_log_entries_not_kept_total"), 1.0);
    assert_eq!(kept(&telemetry), "");
}

#[test]
fn a_folder_that_cannot_be_had_is_named_with_the_cause() {
    let place = RingPlace::Folder("/proc/nowhere/logs".into());
    let settings =
        LogSettings { ring: ring(place), ..settings(LogTarget::Writer(Box::new(std::io::sink()))) };
    let sentence = Telemetry::start(settings).err().unwrap().to_string();
    assert!(sentence.starts_with("cannot keep log entries in /proc/nowhere/logs: "), "{sentence}");
    assert!(sentence.contains("kept_bytes = 0"), "{sentence}");
}

#[test]
fn a_file_that_cannot_be_opened_is_named_with_the_cause() {
    let path = PathBuf::from("/nonexistent/folder/log.jsonl");
    let error = Telemetry::start(settings(LogTarget::File(path))).err().unwrap();
    let sentence = error.to_string();
    assert!(sentence.starts_with("cannot open the log file /nonexistent/folder/log.jsonl: "));
    assert!(sentence.contains("No such file"), "{sentence}");
}
