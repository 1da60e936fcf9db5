//! `tenfour-load queue` as it is run, against a broker of a few lines.

use std::process::Output;

use serde_json::Value;

use crate::fake_broker::{self, Habit};
use crate::run;

const USUAL: [&str; 6] = ["--sessions", "20", "--messages", "5", "--publishers", "3"];

fn queue(habit: Habit, more: &[&str]) -> Output {
    let address = fake_broker::start(habit).to_string();
    let pid = std::process::id().to_string();
    let fixed = ["queue", "--json"];
    run(&[&fixed[..], &["--device-address", &address, "--pid", &pid], more].concat())
}

fn report(output: &Output) -> Value {
    let error = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{error}"))
}

#[test]
fn every_session_comes_back_for_its_messages() {
    for more in [&[][..], &["--window", "1"], &["--concurrency", "1", "--payload", "12"]] {
        let output = queue(Habit::Good, &[&USUAL[..], more].concat());
        let report = report(&output);
        assert_eq!(output.status.code(), Some(0), "{report}");
        let total = &report["total"];
        assert_eq!((&total["published"], &total["delivered"]), (&100.into(), &100.into()));
        assert_eq!(report["session_drained_us"]["count"], 20);
        for phase in ["queueing", "draining"] {
            assert!(report[phase]["messages_per_second"].as_f64().unwrap() > 0.0, "{report}");
        }
    }
}

#[test]
fn a_message_that_comes_again_is_counted_and_fails_the_run() {
    let output = queue(Habit::Doubles, &USUAL);
    let report = report(&output);
    assert_eq!(output.status.code(), Some(1), "{report}");
    assert_eq!((&report["total"]["duplicated"], &report["total"]["lost"]), (&10.into(), &0.into()));
}

#[test]
fn a_message_that_a_later_one_overtakes_is_lost_and_fails_the_run() {
    // The tenth of nineteen: with the last one, only patience would show it.
    let output = queue(Habit::Loses, &["--sessions", "1", "--messages", "19", "--publishers", "1"]);
    let report = report(&output);
    assert_eq!(output.status.code(), Some(1), "{report}");
    assert_eq!((&report["total"]["delivered"], &report["total"]["lost"]), (&18.into(), &1.into()));
    assert!(report["faults"].to_string().contains("1 messages were lost"), "{report}");
}

#[test]
fn a_broker_that_forgets_sessions_is_named() {
    let output = queue(Habit::Forgets, &USUAL);
    let error = String::from_utf8_lossy(&output.stderr);
    // Its messages are gone with the sessions, and the first one that comes back says so.
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(error.contains("load-q") && error.contains("has no session of it"), "{error}");
}
