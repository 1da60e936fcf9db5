//! `tenfour-load connects` as it is run, against a broker of a few lines.

use std::process::Output;

use serde_json::Value;

use crate::fake_broker::{self, Habit};
use crate::run;

fn connects(habit: Habit, more: &[&str]) -> Output {
    let address = fake_broker::start(habit).to_string();
    let fixed = ["connects", "--json", "--seconds", "1", "--warmup", "0", "--concurrency", "2"];
    run(&[&fixed[..], &["--device-address", &address], more].concat())
}

#[test]
fn clients_that_nobody_has_had_before_come_and_go() {
    let output = connects(Habit::Good, &[]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{report}");
    assert!(report["cycles"].as_u64().unwrap() > 0, "{report}");
    assert_eq!(report["options"]["sessions"], Value::Null);
}

#[test]
fn kept_sessions_are_resumed_again_and_again() {
    let output = connects(Habit::Good, &["--sessions", "5"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{report}");
    assert!(report["cycles"].as_u64().unwrap() > 5, "{report}");
}

#[test]
fn a_server_that_forgets_sessions_fails_the_run() {
    let output = connects(Habit::Forgets, &["--sessions", "5"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{report}");
    assert!(report["errors"].to_string().contains("has no session of it"), "{report}");
}
