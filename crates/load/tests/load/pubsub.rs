//! `tenfour-load pubsub` as it is run, against a broker of a few lines.

use std::process::Command;

use serde_json::Value;

use crate::fake_broker::{self, Habit};

fn measure(habit: Habit, more: &[&str]) -> (Option<i32>, Value) {
    let address = fake_broker::start(habit).to_string();
    let pid = std::process::id().to_string();
    let fixed = ["pubsub", "--json", "--seconds", "1", "--warmup", "0", "--devices", "5"];
    let output = Command::new(env!("CARGO_BIN_EXE_tenfour-load"))
        .args(fixed)
        .args(["--device-address", &address, "--pid", &pid])
        .args(more)
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    let json = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{error}"));
    (output.status.code(), json)
}

#[test]
fn what_is_published_arrives_once_at_every_subscriber() {
    for (more, fan) in [
        (&["--shape", "pairs"][..], 1),
        (&["--shape", "pairs", "--qos", "1", "--mqtt", "3"], 1),
        (&["--shape", "pairs", "--qos", "2", "--mqtt", "3"], 1),
        (&["--shape", "fanout", "--window", "3"], 5),
        (&["--shape", "fanout", "--qos", "2"], 5),
        (&["--shape", "fanout", "--qos", "1", "--payload", "12"], 5),
    ] {
        let (status, report) = measure(Habit::Good, more);
        assert_eq!(status, Some(0), "{report}");
        let total = &report["total"];
        let published = total["published"].as_u64().unwrap();
        assert!(published > 0 && report["deliveries"].as_u64().unwrap() > 0, "{report}");
        assert_eq!(total["delivered"].as_u64(), Some(published * fan), "{report}");
        assert!(report["deliveries_per_second"].as_f64().unwrap() > 0.0);
        let latency = &report["latency_us"];
        assert!(latency["p99"].as_f64() >= latency["p50"].as_f64(), "{report}");
        // The last of several is never earlier than each of them.
        let last = report["last_receiver_latency_us"]["p50"].as_f64();
        assert_eq!(last.is_some(), fan > 1, "{report}");
        assert!(fan == 1 || last >= latency["p50"].as_f64(), "{report}");
    }
}

#[test]
fn an_open_loop_publishes_what_is_due_and_no_more() {
    for qos in ["0", "1", "2"] {
        let (status, report) = measure(Habit::Good, &["--rate", "200", "--qos", qos]);
        assert_eq!(status, Some(0), "{report}");
        assert_eq!(report["total"]["published"], 200, "{report}");
        assert_eq!(report["latency_us"]["count"], 200, "{report}");
        assert_eq!(report["open_loop"]["kept_up"], true, "{report}");
    }
}

#[test]
fn a_handshake_that_has_no_end_is_counted_and_fails_the_run() {
    let (status, report) = measure(Habit::NeverCompletes, &["--qos", "2", "--rate", "100"]);
    assert_eq!(status, Some(1), "{report}");
    // Publishers wait for PUBCOMP; what subscribers wait for comes.
    let published = report["total"]["published"].as_u64();
    assert_eq!(report["total"]["missing_acks"].as_u64(), published, "{report}");
    assert!(report["faults"].to_string().contains("acknowledgements did not come"), "{report}");
}

#[test]
fn what_is_lost_or_comes_again_is_counted_and_fails_the_run() {
    for (habit, member) in [(Habit::Loses, "lost"), (Habit::Doubles, "duplicated")] {
        let (status, report) = measure(habit, &["--qos", "1"]);
        assert_eq!(status, Some(1), "{report}");
        assert!(report["total"][member].as_u64().unwrap() > 0, "{report}");
        assert_eq!(report["ok"], false);
    }
}
