//! The lines of all events, byte for byte.

use std::net::SocketAddr;
use std::time::Duration;

use engine::close::CloseReason;
use engine::outcome::{DirectOutcome, Invalid};
use mqtt::{ReasonCode, Version};
use telemetry::event::{
    AuthenticationType, AuthnError, Connect, DirectMessage, Disconnect, Filters, Protocol,
    PublishIn, PublishOut, RegistryReload, Server, Subscribe, Unsubscribe,
};
use telemetry::{FailureClass, Quota, Telemetry, Verdict};

use crate::capture::{PATIENCE, captured, direct, source, trace_id};

/// The expected lines, with each digit of a timestamp and of a random trace ID as `0`.
const LINES: &str = include_str!("lines.jsonl");

/// Holds a character of every kind that is escaped, next to some that are not.
const HOSTILE: &str = "\"\\/\u{8}\t\n\u{c}\r\0\u{1b}\u{1f} ~\u{7f}\u{80}\u{9f}\u{a0}\u{200e}\u{200f}\u{2028}\u{202e}\u{2066}\u{2069}\u{feff}Grüße 🚀 日本";

const DENIED: Verdict<'static> = Verdict::Failure {
    class: FailureClass::AuthError,
    code: Some(ReasonCode::NotAuthorized),
    details: "No statement allows it.",
};

const THROTTLED: Verdict<'static> = Verdict::Failure {
    class: FailureClass::Throttle(Quota::PublishesPerConnection),
    code: None,
    details: HOSTILE,
};

fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

fn direct_messages(telemetry: &Telemetry) {
    let acknowledged = DirectOutcome::Acknowledged;
    telemetry.record(&DirectMessage {
        confirmation: true,
        timeout_seconds: Some(15),
        repeats: None,
        truth: None,
        delivery: Some(Duration::from_micros(100)),
        ack: Some(Duration::from_micros(12_345)),
        connection_epoch: Some(u64::MAX),
        ..direct(&acknowledged)
    });
    telemetry.record(&DirectMessage {
        repeats: None,
        truth: None,
        delivery: Some(Duration::from_millis(5)),
        ack: Some(Duration::ZERO),
        connection_epoch: Some(0),
        source: address("[2001:db8::7]:1"),
        ..direct(&DirectOutcome::Dispatched)
    });
    telemetry.record(&DirectMessage {
        repeats: None,
        truth: None,
        delivery: Some(Duration::MAX),
        source: address("[::ffff:198.51.100.255]:65535"),
        ..direct(&DirectOutcome::ConfirmationTimeout)
    });
    let rejected = DirectOutcome::ReceiverRejected(ReasonCode::QuotaExceeded);
    telemetry.record(&direct(&rejected));
    let invalid = DirectOutcome::Invalid(Invalid::Topic(HOSTILE.into()));
    telemetry.record(&DirectMessage { topic: "", ..direct(&invalid) });
    telemetry.record(&DirectMessage {
        client_id: HOSTILE,
        principal_id: HOSTILE,
        topic: HOSTILE,
        ..direct(&invalid)
    });
    let long = "é".repeat(1_025);
    telemetry.record(&DirectMessage { client_id: &long, ..direct(&acknowledged) });
}

fn connections(telemetry: &Telemetry) {
    let connect = Connect {
        trace_id: trace_id(),
        client_id: "myDevice",
        principal_id: "abc",
        source: source(),
        version: Version::V5,
        outcome: Verdict::Success,
        thing_name: Some("myThing"),
        keep_alive: u16::MAX,
        session_expiry: u32::MAX,
        clean_session: false,
        epoch: Some(4),
    };
    telemetry.record(&connect);
    telemetry.record(&Connect {
        version: Version::V311,
        outcome: DENIED,
        thing_name: None,
        keep_alive: 0,
        clean_session: true,
        epoch: None,
        ..connect
    });
    let disconnect = Disconnect {
        trace_id: trace_id(),
        client_id: "myDevice",
        principal_id: "abc",
        source: source(),
        reason: CloseReason::TakenOver,
        details: Some("The client ID connected anew."),
        epoch: 4,
    };
    telemetry.record(&disconnect);
    let reason = CloseReason::ClientError(ReasonCode::ProtocolError);
    telemetry.record(&Disconnect { reason, ..disconnect });
    let reason = CloseReason::Forbidden;
    telemetry.record(&Disconnect { reason, details: None, ..disconnect });
    let unknown = AuthnError {
        trace_id: trace_id(),
        authentication_type: AuthenticationType::X509,
        protocol: Protocol::Mqtt,
        client_id: Some("myDevice"),
        principal_id: Some("abc"),
        source: source(),
        target: address("[::ffff:127.0.0.1]:8883"),
        server_name: Some("iot.example"),
        reason: "DEVICE_CERTIFICATE_REVOKED",
        details: "The certificate is revoked.",
    };
    telemetry.record(&unknown);
    telemetry.record(&AuthnError {
        authentication_type: AuthenticationType::SigV4,
        protocol: Protocol::Http,
        client_id: None,
        principal_id: None,
        server_name: None,
        reason: HOSTILE,
        details: HOSTILE,
        ..unknown
    });
}

fn messages(telemetry: &Telemetry) {
    let publish = PublishIn {
        trace_id: trace_id(),
        client_id: "myDevice",
        principal_id: "abc",
        source: source(),
        topic: "telemetry/t",
        retain: false,
        bytes: 9,
        outcome: Verdict::Success,
    };
    telemetry.record(&publish);
    telemetry.record(&PublishIn { topic: HOSTILE, retain: true, ..publish });
    telemetry.record(&PublishIn { retain: true, outcome: DENIED, ..publish });
    telemetry.record(&PublishIn { topic: "", ..publish });
    let delivery = PublishOut {
        trace_id: trace_id(),
        client_id: "listener",
        principal_id: "def",
        source: source(),
        topic: "telemetry/t",
        bytes: 9,
        outcome: Verdict::Success,
    };
    telemetry.record(&delivery);
    telemetry.record(&PublishOut { topic: HOSTILE, ..delivery });
    telemetry.record(&PublishOut { outcome: THROTTLED, ..delivery });
}

fn subscriptions(telemetry: &Telemetry) {
    let filters = [("a/#", ReasonCode::GrantedQoS1), (HOSTILE, ReasonCode::TopicFilterInvalid)];
    for version in [Version::V311, Version::V5] {
        for filters in [&filters[..], &[]] {
            telemetry.record(&Subscribe {
                trace_id: trace_id(),
                client_id: "myDevice",
                principal_id: "abc",
                source: source(),
                filters: Filters::new(version, filters),
                outcome: Verdict::Success,
            });
        }
    }
    let long = "f".repeat(1_500);
    let unsubscribe = Unsubscribe {
        trace_id: trace_id(),
        client_id: "myDevice",
        principal_id: "abc",
        source: source(),
        filters: &["a", "b/+", &long, &long],
        outcome: Verdict::Success,
    };
    telemetry.record(&unsubscribe);
    telemetry.record(&Unsubscribe { filters: &[], outcome: DENIED, ..unsubscribe });
}

fn process(telemetry: &Telemetry) {
    telemetry.record(&RegistryReload::TakenUp { details: "2 certificates" });
    telemetry.record(&RegistryReload::Broken { details: HOSTILE });
    telemetry.record(&Server::ListenerStarted { name: "mqtts", address: source() });
    telemetry.record(&Server::AcceptFailed { name: "mqtt", cause: HOSTILE });
    telemetry.record(&Server::DrainStarted { connections: 7 });
    telemetry.record(&Server::DrainFinished { cut_off: 0 });
    telemetry.record(&Server::DrainFinished { cut_off: 2 });
}

/// The line with each hex digit of its timestamp, and of its trace ID if that is random, as `0`.
fn masked(line: &str) -> String {
    let mut masked = line.to_owned();
    let mut mask = |member: &str, length: usize| {
        let start = masked.find(member).expect("a member") + member.len();
        let zeros = |c: char| if c.is_ascii_hexdigit() { '0' } else { c };
        let value = masked[start..start + length].chars().map(zeros).collect::<String>();
        masked.replace_range(start..start + length, &value);
    };
    mask("{\"timestamp\":\"", 23);
    if ["RegistryReload", "Server"].iter().any(|name| line.contains(&format!("\"{name}\""))) {
        mask("\"traceId\":\"", 36);
    }
    masked
}

#[test]
fn every_line_is_what_it_always_was() {
    let (telemetry, capture) = captured();
    direct_messages(&telemetry);
    connections(&telemetry);
    messages(&telemetry);
    subscriptions(&telemetry);
    process(&telemetry);
    assert!(telemetry.flush(PATIENCE));
    let text = capture.text();
    assert_eq!(text.lines().count(), LINES.lines().count());
    for (line, expected) in text.lines().zip(LINES.lines()) {
        assert_eq!(masked(line), expected);
    }
}
