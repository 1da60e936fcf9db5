//! The program as it is run, against a server of a few lines.
#![allow(clippy::unwrap_used, reason = "a failed test should panic")]

mod connects;
mod fake_broker;
mod fake_server;
mod floor;
mod pubsub;
mod queue;

use std::process::{Command, Output};

use fake_server::{Behaviour, FakeServer};
use serde_json::Value;

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tenfour-load")).args(arguments).output().unwrap()
}

/// Runs one measured second against `server` and returns the exit status and the JSON object.
fn measure(server: &FakeServer, more: &[&str]) -> (Option<i32>, Value) {
    let ready = server.ready_file();
    let fixed = ["--ready-file", ready.to_str().unwrap(), "--json"];
    let output = run(&[&fixed[..], more].concat());
    let text = String::from_utf8_lossy(&output.stdout);
    let error = String::from_utf8_lossy(&output.stderr);
    let json = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}{error}"));
    (output.status.code(), json)
}

const SHORT: [&str; 8] = ["--seconds", "1", "--warmup", "0", "--devices", "20", "--senders", "4"];

fn short(more: &[&'static str]) -> Vec<&'static str> {
    [&SHORT[..], more].concat()
}

#[test]
fn a_closed_loop_measures_confirmed_messages() {
    let server = FakeServer::start(Behaviour::Confirm);
    let (status, report) = measure(&server, &short(&[]));
    assert_eq!(status, Some(0), "{report}");
    let messages = report["messages"].as_u64().unwrap();
    assert!(messages > 0);
    assert_eq!(report["throughput_per_second"].as_f64().unwrap(), messages as f64);
    let latency = &report["latency_us"];
    let percentiles = ["p50", "p90", "p99", "p99.9", "max"].map(|p| latency[p].as_f64().unwrap());
    assert!(percentiles.is_sorted() && percentiles[0] > 0.0, "{latency}");
    assert_eq!(report["answers"][0]["status"], 200);
    let accepted = report["answers"][0]["count"].as_u64().unwrap();
    assert_eq!(report["devices"]["received"].as_u64(), Some(accepted));
    assert!(report["server_cpu_us_per_message"].as_f64().unwrap() > 0.0);
    assert_eq!(report["options"]["senders"], 4);
    assert_eq!(report["open_loop"], Value::Null);
}

#[test]
fn several_threads_add_up_and_mqtt_3_will_do() {
    let server = FakeServer::start(Behaviour::Confirm);
    let (status, report) = measure(&server, &short(&["--threads", "2", "--mqtt", "3"]));
    assert_eq!(status, Some(0), "{report}");
    let accepted = report["answers"][0]["count"].as_u64().unwrap();
    assert_eq!(report["devices"]["received"].as_u64(), Some(accepted));
}

#[test]
fn unconfirmed_messages_are_waited_for() {
    let server = FakeServer::start(Behaviour::Confirm);
    let (status, report) = measure(&server, &short(&["--no-confirm", "--payload", "0"]));
    assert_eq!(status, Some(0), "{report}");
    let accepted = report["answers"][0]["count"].as_u64().unwrap();
    assert_eq!(report["devices"]["received"].as_u64(), Some(accepted));
}

#[test]
fn an_open_loop_sends_what_is_due_and_no_more() {
    let server = FakeServer::start(Behaviour::Confirm);
    let (status, report) = measure(&server, &short(&["--rate", "200"]));
    assert_eq!(status, Some(0), "{report}");
    assert_eq!(report["open_loop"]["scheduled"], 200);
    assert_eq!(report["latency_us"]["count"], 200);
    assert_eq!(report["open_loop"]["kept_up"], true);
}

#[test]
fn a_stall_counts_for_every_message_it_delays() {
    // One sender and 50 ms an answer: 20 answers a second of 100 that are due.
    let server = FakeServer::start(Behaviour::Slow);
    let more = ["--rate", "100", "--senders", "1", "--devices", "1", "--seconds", "1"];
    let more = [&more[..], &["--warmup", "0", "--backlog", "30"]].concat();
    let (status, report) = measure(&server, &more);
    assert_eq!(status, Some(0), "{report}");
    let open = &report["open_loop"];
    assert_eq!(open["kept_up"], false);
    assert_eq!(open["backlog_max"], 30);
    assert!(open["dropped"].as_u64().unwrap() > 20, "{open}");
    // Counted from sending it would be 50 ms; the last ones wait for 30 others.
    assert!(report["latency_us"]["max"].as_f64().unwrap() > 1_000_000.0, "{report}");
}

#[test]
fn unexpected_answers_are_counted_by_reason_and_fail_the_run() {
    let server = FakeServer::start(Behaviour::Throttle);
    let (status, report) = measure(&server, &short(&[]));
    assert_eq!(status, Some(1), "{report}");
    assert_eq!(report["ok"], false);
    assert_eq!(report["latency_us"], Value::Null);
    let throttled = &report["answers"][1];
    assert_eq!(throttled["status"], 429);
    assert_eq!(throttled["reason"], "SEND_DIRECT_MESSAGE_THROTTLED");
    assert!(report["faults"].to_string().contains("--unlimited"), "{report}");
}

#[test]
fn devices_that_are_offline_are_expected_not_to_be_found() {
    let server = FakeServer::start(Behaviour::Confirm);
    let (status, report) = measure(&server, &short(&["--offline"]));
    assert_eq!(status, Some(0), "{report}");
    assert_eq!(report["answers"][0]["status"], 404);
    assert_eq!(report["devices"]["received"], 0);
}

#[test]
fn a_server_that_hangs_up_is_an_error_for_each_request() {
    let server = FakeServer::start(Behaviour::HangUp);
    let (status, report) = measure(&server, &short(&[]));
    assert_eq!(status, Some(1), "{report}");
    let errors = report["errors"].as_object().unwrap();
    assert!(errors.keys().any(|error| error.contains("closed before the answer")), "{report}");
}

#[test]
fn idle_devices_are_connected_in_steps() {
    let server = FakeServer::start(Behaviour::Confirm);
    let (status, report) =
        measure_idle(&server, &["--devices", "30", "--steps", "3", "--settle", "0"]);
    assert_eq!(status, Some(0), "{report}");
    let devices: Vec<_> =
        report["steps"].as_array().unwrap().iter().map(|step| step["devices"].as_u64()).collect();
    assert_eq!(devices, [0, 10, 20, 30].map(Some));
    assert!(report["steps"][3]["resident_bytes"].as_u64().unwrap() > 0);
    assert!(report["bytes_per_device"].is_number());
}

fn measure_idle(server: &FakeServer, more: &[&str]) -> (Option<i32>, Value) {
    let ready = server.ready_file();
    let fixed = ["idle", "--ready-file", ready.to_str().unwrap(), "--json"];
    let output = run(&[&fixed[..], more].concat());
    (output.status.code(), serde_json::from_slice(&output.stdout).unwrap())
}

#[test]
fn people_get_a_table() {
    let server = FakeServer::start(Behaviour::Confirm);
    let ready = server.ready_file();
    let output = run(&short(&[])
        .into_iter()
        .chain(["--ready-file", ready.to_str().unwrap()])
        .collect::<Vec<_>>());
    let text = String::from_utf8(output.stdout).unwrap();
    for word in ["throughput", "p99.9", "server CPU", "answers      200: "] {
        assert!(text.contains(word), "{text}");
    }
}

#[test]
fn what_cannot_be_run_says_why() {
    let nobody = ["--device-address", "127.0.0.1:9", "--sender-address", "127.0.0.1:9"];
    for (arguments, words) in [
        (&[][..], &["--ready-file"][..]),
        (&nobody, &["load-", "127.0.0.1:9", "is the server running there?"]),
        (&["--ready-file", "/nonexistent"], &["/nonexistent", "start the server"]),
        (&["--devices", "0"], &["--devices"]),
        (&[&nobody[..], &["--devices", "1000000"]].concat(), &["1000080", "limit is"]),
    ] {
        let output = run(arguments);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(words.iter().all(|word| error.contains(word)), "{arguments:?}: {error}");
    }
}

#[test]
fn a_device_that_is_not_let_in_says_what_would_help() {
    let server = FakeServer::start(Behaviour::RefuseDevices);
    let ready = server.ready_file();
    let output = run(&["--ready-file", ready.to_str().unwrap()]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(error.contains("NotAuthorized") && error.contains("--open"), "{error}");
}
