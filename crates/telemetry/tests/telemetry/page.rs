//! The metrics page, read as Prometheus reads it.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use engine::close::CloseReason;
use engine::outcome::{DirectOutcome, Invalid};
use mqtt::{ReasonCode, Version};
use telemetry::event::{
    AuthenticationType, AuthnError, Connect, DirectMessage, DirectMessageDryRun, Disconnect,
    HttpPublish, Protocol, PublishIn, PublishOut, Refusal, Sender, SpanDrop,
};
use telemetry::{FailureClass, LogTarget, Metered, Quota, Telemetry, Verdict};

use crate::capture::{direct, page, sample, settings, source, trace_id};

fn silent() -> Telemetry {
    Telemetry::start(settings(LogTarget::Discard)).expect("no log")
}

fn connect(outcome: Verdict<'_>) -> Connect<'_> {
    Connect {
        trace_id: trace_id(),
        client_id: "myDevice",
        principal_id: "abc",
        source: source(),
        version: Version::V5,
        outcome,
        thing_name: None,
        keep_alive: 60,
        session_expiry: 0,
        clean_session: true,
        epoch: None,
    }
}

fn disconnect(reason: CloseReason) -> Disconnect<'static> {
    Disconnect {
        trace_id: trace_id(),
        client_id: "myDevice",
        principal_id: "abc",
        source: source(),
        reason,
        details: None,
        epoch: 1,
    }
}

/// Splits `name{label="value"} number`; the label is optional.
fn parse_sample(line: &str) -> (String, Option<(String, String)>, f64) {
    let (left, value) = line.rsplit_once(' ').expect(line);
    let value = value.parse().expect(line);
    let Some((name, label)) = left.split_once('{') else { return (left.into(), None, value) };
    let (label, word) = label.strip_suffix("\"}").expect(line).split_once("=\"").expect(line);
    (name.into(), Some((label.into(), word.into())), value)
}

#[test]
fn every_sample_belongs_to_a_family_with_help_and_type() {
    let telemetry = silent();
    telemetry.metrics().http_request(200);
    let page = page(&telemetry);
    let mut kinds = HashMap::new();
    let mut helped = HashSet::new();
    let mut seen = HashSet::new();
    for line in page.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').unwrap();
            assert!(!help.is_empty() && helped.insert(name), "{line}");
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
            assert!(helped.contains(name) && kinds.insert(name, kind).is_none(), "{line}");
        } else {
            let (name, label, value) = parse_sample(line);
            let family = ["_bucket", "_sum", "_count"]
                .iter()
                .find_map(|suffix| name.strip_suffix(suffix))
                .filter(|family| kinds.get(family) == Some(&"histogram"))
                .unwrap_or(&name);
            let kind = kinds.get(family).unwrap_or_else(|| panic!("no type of {line}"));
            assert_eq!(*kind == "counter", name.ends_with("_total"), "{line}");
            assert!(value >= 0.0 && seen.insert((name.clone(), label)), "{line}");
        }
    }
    assert!(page.ends_with('\n'));
    for name in [
        "tenfour_direct_messages_total",
        "tenfour_direct_ack_seconds",
        "tenfour_connections",
        "tenfour_connects_total",
        "tenfour_disconnects_total",
        "tenfour_mqtt_received_bytes_total",
        "tenfour_mqtt_sent_bytes_total",
        "tenfour_publish_in_total",
        "tenfour_publish_out_total",
        "tenfour_throttled_total",
        "tenfour_authn_errors_total",
        "tenfour_http_requests_total",
        "tenfour_trace_spans_exported_total",
        "tenfour_log_entries_dropped_total",
        "tenfour_log_write_errors_total",
        "tenfour_build_info",
        "tenfour_start_time_seconds",
        "process_resident_memory_bytes",
    ] {
        assert!(kinds.contains_key(name), "{name} is missing");
    }
}

#[test]
fn a_dry_run_is_counted_apart_from_what_was_sent() {
    let telemetry = silent();
    let outcome = DirectOutcome::AccountThrottled;
    let DirectMessage { trace_id, client_id, principal_id, source, topic, .. } = direct(&outcome);
    telemetry.record(&DirectMessageDryRun {
        trace_id,
        client_id,
        principal_id,
        source,
        topic,
        confirmation: false,
        timeout_seconds: None,
        outcome: &outcome,
        connection_epoch: None,
    });
    let label = outcome.label();
    for (name, count) in [("dry_runs", 1.0), ("messages", 0.0)] {
        let name = format!("tenfour_direct_{name}_total{{outcome=\"{label}\"}}");
        assert_eq!(sample(&telemetry, &name), count, "{name}");
    }
    assert_eq!(sample(&telemetry, "tenfour_direct_payload_bytes_total"), 0.0);
    let throttled = "tenfour_throttled_total{quota=\"send_direct_message\"}";
    assert_eq!(sample(&telemetry, throttled), 0.0);
}

#[test]
fn every_outcome_is_counted_under_its_own_label() {
    let outcomes = [
        DirectOutcome::Acknowledged,
        DirectOutcome::Dispatched,
        DirectOutcome::Invalid(Invalid::ClientId("x".into())),
        DirectOutcome::Invalid(Invalid::Topic("x".into())),
        DirectOutcome::Invalid(Invalid::Confirmation("x".into())),
        DirectOutcome::Invalid(Invalid::Timeout("x".into())),
        DirectOutcome::Invalid(Invalid::Mqtt5Property("x".into())),
        DirectOutcome::Invalid(Invalid::Request("x".into())),
        DirectOutcome::PayloadTooLarge { limit: 1 },
        DirectOutcome::SenderUnauthorized,
        DirectOutcome::ReceiverUnauthorized,
        DirectOutcome::TargetNotFound,
        DirectOutcome::TargetNotConnected,
        DirectOutcome::AccountThrottled,
        DirectOutcome::ReceiverThrottled,
        DirectOutcome::ReceiverWindowFull,
        DirectOutcome::ReceiverPacketTooLarge { limit: 1 },
        DirectOutcome::ReceiverNotWritable,
        DirectOutcome::ReceiverRejected(ReasonCode::NotAuthorized),
        DirectOutcome::ConfirmationTimeout,
        DirectOutcome::ReceiverDisconnected,
        DirectOutcome::SenderDisconnected,
        DirectOutcome::Responded,
        DirectOutcome::ResponseTimeout,
        DirectOutcome::IdempotencyConflict,
        DirectOutcome::DeadlineExceeded,
        DirectOutcome::Internal,
        DirectOutcome::WaitingRoomFull,
    ];
    let telemetry = silent();
    for (times, outcome) in (1..).zip(&outcomes) {
        for _ in 0..times {
            telemetry.record(&direct(outcome));
        }
    }
    for (times, outcome) in (1..).zip(&outcomes) {
        let label = outcome.label();
        let name = format!("tenfour_direct_messages_total{{outcome=\"{label}\"}}");
        assert_eq!(sample(&telemetry, &name), f64::from(times), "{label}");
    }
    let quota = |word| sample(&telemetry, &format!("tenfour_throttled_total{{quota=\"{word}\"}}"));
    assert_eq!(quota("send_direct_message"), 14.0);
    assert_eq!(quota("publishes_per_connection"), 15.0);
    assert_eq!(quota("outbound_unacknowledged"), 16.0);
    assert_eq!(sample(&telemetry, "tenfour_direct_payload_bytes_total"), 17.0 * 406.0);
}

#[test]
fn the_acknowledgement_histogram_is_cumulative() {
    let telemetry = silent();
    let outcome = DirectOutcome::Acknowledged;
    for micros in [50, 400, 400, 3_000, 20_000_000] {
        let ack = Some(Duration::from_micros(micros));
        telemetry.record(&DirectMessage { ack, ..direct(&outcome) });
    }
    let bucket =
        |le| sample(&telemetry, &format!("tenfour_direct_ack_seconds_bucket{{le=\"{le}\"}}"));
    assert_eq!(bucket("0.0001"), 1.0);
    assert_eq!(bucket("0.00025"), 1.0);
    assert_eq!(bucket("0.0005"), 3.0);
    assert_eq!(bucket("0.005"), 4.0);
    assert_eq!(bucket("15"), 4.0);
    assert_eq!(bucket("+Inf"), 5.0);
    assert_eq!(sample(&telemetry, "tenfour_direct_ack_seconds_count"), 5.0);
    let sum = sample(&telemetry, "tenfour_direct_ack_seconds_sum");
    assert!((sum - 20.003_850).abs() < 1e-9, "{sum}");
    assert_eq!(sample(&telemetry, "tenfour_direct_delivery_seconds_count"), 0.0);
}

#[test]
fn connections_are_those_accepted_and_not_ended() {
    let telemetry = silent();
    for _ in 0..3 {
        telemetry.record(&connect(Verdict::Success));
    }
    let refused = FailureClass::Throttle(Quota::ConnectsPerClient);
    telemetry.record(&connect(Verdict::Failure { class: refused, code: None, details: "x" }));
    telemetry.record(&disconnect(CloseReason::WriteStalled));
    std::thread::scope(|scope| {
        scope.spawn(|| telemetry.record(&disconnect(CloseReason::ServerShutdown)));
    });
    assert_eq!(telemetry.metrics().connections(), 1);
    assert_eq!(sample(&telemetry, "tenfour_connections"), 1.0);
    assert_eq!(sample(&telemetry, "tenfour_connects_total{result=\"Throttle\"}"), 1.0);
    assert_eq!(sample(&telemetry, "tenfour_throttled_total{quota=\"connects_per_client\"}"), 1.0);
    let ended = "tenfour_disconnects_total{reason=\"SERVER_INITIATED_DISCONNECT\"}";
    assert_eq!(sample(&telemetry, ended), 2.0);
}

#[test]
fn nothing_is_lost_however_many_threads_count_and_come_and_go() {
    let telemetry = silent();
    for _ in 0..3 {
        std::thread::scope(|scope| {
            for _ in 0..100 {
                scope.spawn(|| (0..1_000).for_each(|_| telemetry.metrics().mqtt_sent(2)));
            }
        });
    }
    assert_eq!(sample(&telemetry, "tenfour_mqtt_sent_bytes_total"), 600_000.0);
}

#[test]
fn an_unknown_authentication_reason_is_counted_as_other() {
    let telemetry = silent();
    for reason in ["SNI_MISUSED", "something \"new\"\n"] {
        telemetry.record(&AuthnError {
            trace_id: trace_id(),
            authentication_type: AuthenticationType::SigV4,
            protocol: Protocol::Http,
            client_id: None,
            principal_id: None,
            source: source(),
            target: source(),
            server_name: None,
            reason,
            details: "x",
        });
    }
    let count =
        |word| sample(&telemetry, &format!("tenfour_authn_errors_total{{reason=\"{word}\"}}"));
    assert_eq!(count("SNI_MISUSED"), 1.0);
    assert_eq!(count("OTHER"), 1.0);
}

#[test]
fn bytes_requests_and_publishes_are_counted() {
    let telemetry = silent();
    let metrics = telemetry.metrics();
    metrics.mqtt_received(100);
    metrics.mqtt_received(11);
    metrics.mqtt_sent(7);
    for status in [200, 200, 404, 0, 999] {
        metrics.http_request(status);
    }
    metrics.throttled(Quota::ThroughputPerConnection);
    telemetry.record(&PublishIn {
        trace_id: trace_id(),
        client_id: "myDevice",
        principal_id: "abc",
        source: source(),
        topic: "t",
        retain: false,
        bytes: 9,
        outcome: Verdict::Success,
    });
    assert_eq!(sample(&telemetry, "tenfour_mqtt_received_bytes_total"), 111.0);
    assert_eq!(sample(&telemetry, "tenfour_mqtt_sent_bytes_total"), 7.0);
    assert_eq!(sample(&telemetry, "tenfour_http_requests_total{status=\"200\"}"), 2.0);
    assert_eq!(sample(&telemetry, "tenfour_http_requests_total{status=\"404\"}"), 1.0);
    assert_eq!(sample(&telemetry, "tenfour_http_requests_total{status=\"500\"}"), 2.0);
    assert!(!page(&telemetry).contains("status=\"301\""));
    let throttled = "tenfour_throttled_total{quota=\"throughput_per_connection\"}";
    assert_eq!(sample(&telemetry, throttled), 1.0);
    assert_eq!(sample(&telemetry, "tenfour_publish_in_total{result=\"Success\"}"), 1.0);
    assert_eq!(sample(&telemetry, "tenfour_publish_in_total{result=\"AuthError\"}"), 0.0);
}

/// The units that were metered: direct messages without and with confirmation, publishes in and
/// out, PUBACKs.
fn metered(telemetry: &Telemetry) -> [f64; 5] {
    Metered::ALL.map(|what| {
        let kind = what.word();
        sample(telemetry, &format!("tenfour_metered_units_total{{kind=\"{kind}\"}}"))
    })
}

#[test]
fn messages_are_metered_in_units_that_are_begun() {
    let telemetry = silent();
    let party = (trace_id(), "myDevice", "abc", source());
    let (trace_id, client_id, principal_id, source) = party;
    for bytes in [1, 5_120, 5_121] {
        let (topic, outcome) = ("t", Verdict::Success);
        let refused = Verdict::Failure { class: FailureClass::AuthError, code: None, details: "" };
        for outcome in [outcome, refused] {
            let retain = false;
            telemetry.record(&PublishIn {
                trace_id,
                client_id,
                principal_id,
                source,
                topic,
                retain,
                bytes,
                outcome,
            });
            let event =
                PublishOut { trace_id, client_id, principal_id, source, topic, bytes, outcome };
            telemetry.record(&event);
        }
        telemetry.metrics().metered(Metered::PubAck, bytes);
    }
    assert_eq!(metered(&telemetry), [0.0, 0.0, 4.0, 4.0, 4.0]);
}

#[test]
fn a_direct_message_is_metered_once_if_it_got_to_the_device() {
    let telemetry = silent();
    let timed_out = DirectOutcome::ConfirmationTimeout;
    let delivery = Some(Duration::from_millis(1));
    let sent =
        DirectMessage { delivery, metered_bytes: 6_000, ..direct(&DirectOutcome::Dispatched) };
    let confirmed = DirectMessage { confirmation: true, outcome: &timed_out, ..sent };
    telemetry.record(&sent);
    telemetry.record(&confirmed);
    telemetry.record(&confirmed);
    telemetry.record(&DirectMessage { repeats: Some(trace_id()), ..confirmed });
    telemetry.record(&DirectMessage { delivery: None, ..sent });
    assert_eq!(metered(&telemetry), [2.0, 4.0, 0.0, 0.0, 0.0]);
}

#[test]
fn publishes_over_http_count_with_those_of_devices() {
    let telemetry = silent();
    let sender = Sender { trace_id: trace_id(), principal_id: "abc", source: source() };
    let event = HttpPublish { sender, topic: "t", retain: false, bytes: 9, refused: None };
    let class = FailureClass::Throttle(Quota::InboundPublishes);
    let refused = Some(Refusal { class, reason: "PUBLISH_THROTTLED", details: "Too many." });
    telemetry.record(&event);
    telemetry.record(&HttpPublish { refused, ..event });
    assert_eq!(sample(&telemetry, "tenfour_publish_in_total{result=\"Success\"}"), 1.0);
    assert_eq!(sample(&telemetry, "tenfour_publish_in_total{result=\"Throttle\"}"), 1.0);
    let throttled = "tenfour_throttled_total{quota=\"inbound_publishes\"}";
    assert_eq!(sample(&telemetry, throttled), 1.0);
}

#[test]
fn spans_are_counted_in_numbers_and_lost_ones_by_reason() {
    let telemetry = silent();
    telemetry.metrics().spans_exported(5);
    telemetry.metrics().spans_exported(2);
    telemetry.metrics().spans_dropped(SpanDrop::GivenUp, 3);
    telemetry.metrics().spans_dropped(SpanDrop::QueueFull, 0);
    let page = page(&telemetry);
    assert!(page.contains("tenfour_trace_spans_exported_total 7\n"), "{page}");
    for (reason, dropped) in [("given_up", 3), ("queue_full", 0), ("refused", 0), ("shutdown", 0)] {
        let sample =
            format!("tenfour_trace_spans_dropped_total{{reason=\"{reason}\"}} {dropped}\n");
        assert!(page.contains(&sample), "{page}");
    }
}
