//! Lines of arbitrary events against serde_json's: the same bytes.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::time::Duration;

use engine::outcome::{DirectOutcome, Invalid};
use mqtt::{ReasonCode, Version};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde::Serialize;
use serde_json::ser::Formatter;
use serde_json::{Serializer, Value, json};
use telemetry::event::{DirectMessage, Filters, PublishIn, PublishOut, Subscribe, Unsubscribe};
use telemetry::{Event, FailureClass, LogSettings, LogTarget, Telemetry, TraceId, Verdict};

use crate::capture::{ACCOUNT, Capture, PATIENCE, captured, settings, trace_id};

/// Most bytes of a text in one member.
const TEXT_BYTES: usize = 2_048;

/// Compact JSON that escapes, beyond what JSON demands, what ends a line or steers a terminal.
struct OneLine;

impl Formatter for OneLine {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        for c in fragment.chars() {
            match c {
                '\u{7F}'..='\u{9F}'
                | '\u{200E}'
                | '\u{200F}'
                | '\u{2028}'..='\u{202E}'
                | '\u{2066}'..='\u{2069}'
                | '\u{FEFF}' => write!(writer, "\\u{:04x}", u32::from(c))?,
                c => write!(writer, "{c}")?,
            }
        }
        Ok(())
    }
}

fn json_text(value: &Value) -> String {
    let mut out = Vec::new();
    value.serialize(&mut Serializer::with_formatter(&mut out, OneLine)).expect("a value");
    String::from_utf8(out).expect("UTF-8")
}

/// The members in this order, as they follow the timestamp; those that are null are left out.
fn rest_of_line(members: &[(&str, Value)]) -> String {
    let members = members.iter().filter(|(_, value)| !value.is_null());
    let members = members.map(|(name, value)| format!(",\"{name}\":{}", json_text(value)));
    format!("{}}}", members.collect::<String>())
}

fn bounded(text: &str) -> Value {
    if text.len() <= TEXT_BYTES {
        return json!(text);
    }
    json!(format!("{}…", &text[..text.floor_char_boundary(TEXT_BYTES)]))
}

fn millis(duration: Option<Duration>) -> Value {
    duration.map_or(Value::Null, |duration| json!(duration.as_micros() as f64 / 1_000.0))
}

/// What every entry has, up to the source.
fn head<E: Event>(event: &E, client_id: &str, principal_id: &str) -> Vec<(&'static str, Value)> {
    let failed = event.status().word() == "Failure";
    let protocol = if E::TYPE == "SendDirectMessage" { "HTTP" } else { "MQTT" };
    vec![
        ("logLevel", json!(if failed { "ERROR" } else { "INFO" })),
        ("traceId", json!(event.trace_id().to_string())),
        ("accountId", json!(ACCOUNT)),
        ("status", json!(event.status().word())),
        ("eventType", json!(E::TYPE)),
        ("protocol", json!(protocol)),
        ("clientId", bounded(client_id)),
        ("principalId", bounded(principal_id)),
    ]
}

fn source_members(source: SocketAddr) -> [(&'static str, Value); 2] {
    [("sourceIp", json!(source.ip().to_canonical())), ("sourcePort", json!(source.port()))]
}

fn verdict_members(verdict: Verdict<'_>) -> [(&'static str, Value); 3] {
    let (reason, details, code) = match verdict {
        Verdict::Success => (Value::Null, Value::Null, Value::Null),
        Verdict::Failure { class, code, details } => {
            (json!(class.reason()), bounded(details), json!(code.map(|code| code as u8)))
        }
    };
    [("reason", reason), ("details", details), ("mqttReasonCode", code)]
}

fn direct_message_line(event: &DirectMessage<'_>) -> String {
    let topic = if event.topic.is_empty() { Value::Null } else { bounded(event.topic) };
    let mut members = head(event, event.client_id, event.principal_id);
    members.extend(source_members(event.source));
    members.extend([
        ("topicName", topic),
        ("confirmation", json!(event.confirmation)),
        ("timeout", json!(event.timeout_seconds)),
    ]);
    if let Some(reason) = event.outcome.reason() {
        members.extend([("reason", json!(reason)), ("details", bounded(&event.outcome.details()))]);
    }
    members.extend([
        ("delivery", json!(event.truth)),
        ("deliveryMs", millis(event.delivery)),
        ("ackMs", millis(event.ack)),
        ("connectionEpoch", json!(event.connection_epoch)),
    ]);
    rest_of_line(&members)
}

fn publish_in_line(event: &PublishIn<'_>) -> String {
    let mut members = head(event, event.client_id, event.principal_id);
    members.extend(source_members(event.source));
    members.push(("topicName", bounded(event.topic)));
    members.push(("retain", if event.retain { json!("True") } else { Value::Null }));
    members.extend(verdict_members(event.outcome));
    rest_of_line(&members)
}

fn publish_out_line(event: &PublishOut<'_>) -> String {
    let mut members = head(event, event.client_id, event.principal_id);
    members.extend(source_members(event.source));
    members.push(("topicName", bounded(event.topic)));
    members.extend(verdict_members(event.outcome));
    rest_of_line(&members)
}

/// Texts joined by commas, as many as fit.
fn joined(texts: &[&str]) -> Value {
    let mut joined = String::new();
    for (at, text) in texts.iter().enumerate() {
        let comma = if at > 0 { "," } else { "" };
        if joined.len() + comma.len() + text.len() > TEXT_BYTES {
            joined.push('…');
            break;
        }
        joined.extend([comma, *text]);
    }
    json!(joined)
}

/// `listed` are the filters under `subscriptions`.
fn subscribe_line(event: &Subscribe<'_>, names: &[&str], listed: &[(&str, ReasonCode)]) -> String {
    let mut members = head(event, event.client_id, event.principal_id);
    members.extend(source_members(event.source));
    members.push(("topicName", joined(names)));
    let line = rest_of_line(&members);
    if listed.is_empty() {
        return line;
    }
    let listed: Vec<String> = listed
        .iter()
        .take(64)
        .map(|(filter, code)| {
            let members = [("topicName", bounded(filter)), ("reasonCode", json!(*code as u8))];
            format!("{{{}", &rest_of_line(&members)[1..])
        })
        .collect();
    format!("{},\"subscriptions\":[{}]}}", &line[..line.len() - 1], listed.join(","))
}

fn unsubscribe_line(event: &Unsubscribe<'_>) -> String {
    let mut members = head(event, event.client_id, event.principal_id);
    members.extend(source_members(event.source));
    members.push(("topicName", joined(event.filters)));
    rest_of_line(&members)
}

/// What was written, line by line from after the timestamp.
fn written(telemetry: &Telemetry, capture: &Capture) -> Vec<String> {
    const BEFORE: usize = "{\"timestamp\":\"0000-00-00 00:00:00.000\"".len();
    assert!(telemetry.flush(PATIENCE));
    capture.text().lines().map(|line| line[BEFORE..].to_owned()).collect()
}

/// Mostly plain text, with everything that is escaped, of all lengths up to beyond the bound.
fn any_text() -> impl Strategy<Value = String> {
    let special = select("\"\\/\u{0}\u{8}\t\n\u{c}\r\u{1b}\u{1f} !#[]~\u{7f}\u{80}\u{85}\u{9f}\u{a0}\u{200d}\u{200e}\u{200f}\u{2010}\u{2027}\u{2028}\u{2029}\u{202e}\u{202f}\u{2065}\u{2066}\u{2069}\u{206a}\u{feff}é日🚀".chars().collect::<Vec<_>>());
    let plain = proptest::char::range(' ', '~');
    let mixed = prop_oneof![20 => plain.clone(), 2 => special, 1 => any::<char>()];
    prop_oneof![
        4 => vec(plain, 0..70).prop_map(String::from_iter),
        4 => vec(mixed.clone(), 0..70).prop_map(String::from_iter),
        1 => (vec(mixed, 1..9), 200..1_200_usize).prop_map(|(chars, times)| {
            chars.into_iter().collect::<String>().repeat(times / 4)
        }),
    ]
}

fn any_source() -> impl Strategy<Value = SocketAddr> {
    let v4 = any::<([u8; 4], u16)>().prop_map(SocketAddr::from);
    let v6 = any::<([u16; 8], u16)>().prop_map(SocketAddr::from);
    let mapped = any::<([u8; 4], u16)>().prop_map(|([a, b, c, d], port)| {
        let [high, low] = [u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])];
        SocketAddr::from(([0, 0, 0, 0, 0, 0xFFFF, high, low], port))
    });
    prop_oneof![4 => v4, 1 => v6, 1 => mapped]
}

fn any_number() -> impl Strategy<Value = u64> {
    (any::<u64>(), 0..64_u32).prop_map(|(bits, shift)| bits >> shift)
}

fn any_duration() -> impl Strategy<Value = Duration> {
    let nanos = (0..1_000_000_000_u32).prop_map(|nanos| Duration::new(0, nanos));
    let micros = any_number().prop_map(Duration::from_micros);
    let millis = (0..20_000_u64).prop_map(Duration::from_millis);
    let any = any::<(u64, u32)>()
        .prop_map(|(seconds, nanos)| Duration::new(seconds, nanos % 1_000_000_000));
    prop_oneof![4 => nanos, 4 => micros, 2 => millis, 1 => any]
}

fn any_verdict() -> impl Strategy<Value = Verdict<'static>> {
    let failure = |code| Verdict::Failure {
        class: FailureClass::AuthError,
        code,
        details: "No \"statement\" allows\u{85} it.",
    };
    prop_oneof![
        6 => Just(Verdict::Success),
        1 => Just(failure(Some(ReasonCode::NotAuthorized))),
        1 => Just(failure(None)),
    ]
}

proptest! {
    #[test]
    fn a_direct_message_is_written_as_serde_json_would(
        texts in [any_text(), any_text(), any_text(), any_text()],
        source in any_source(),
        (confirmation, invalid) in any::<(bool, bool)>(),
        (timeout_seconds, connection_epoch) in
            (proptest::option::of(any_number()), proptest::option::of(any_number())),
        (delivery, ack) in
            (proptest::option::of(any_duration()), proptest::option::of(any_duration())),
    ) {
        let [client_id, principal_id, topic, sentence] = &texts;
        let outcome = if invalid {
            DirectOutcome::Invalid(Invalid::Request(sentence.clone()))
        } else {
            DirectOutcome::Acknowledged
        };
        let event = DirectMessage {
            trace_id: TraceId::random(),
            client_id,
            principal_id,
            source,
            topic,
            confirmation,
            timeout_seconds,
            outcome: &outcome,
            batch: None,
            repeats: None,
            truth: invalid.then_some("refused"),
            delivery,
            ack,
            connection_epoch,
            payload_bytes: 0,
            metered_bytes: 0,
        };
        let (telemetry, capture) = captured();
        telemetry.record(&event);
        prop_assert_eq!(written(&telemetry, &capture), [direct_message_line(&event)]);
        let entry = &capture.entries()[0];
        prop_assert_eq!(&entry["clientId"], &bounded(client_id));
        prop_assert_eq!(&entry["principalId"], &bounded(principal_id));
        prop_assert_eq!(&entry["connectionEpoch"], &json!(connection_epoch));
    }

    /// A few connections that have much in common, in any order: no entry may get what belongs to
    /// the one before.
    #[test]
    fn entries_of_connections_that_are_alike_do_not_mix(
        publishes in vec(
            (
                (
                    // Of the trace ID's bytes; those of most have the low bits in common.
                    select(vec![0, 16, 32, 1]),
                    select(vec!["a", "b", "a\n", "\u{85}"]),
                    select(vec!["a", "b", ""]),
                ),
                select(vec!["192.0.2.7:1", "192.0.2.7:2", "[::ffff:192.0.2.7]:1", "[::1]:1"]),
                any_text(),
                any::<(bool, bool)>(),
                any_verdict(),
            ),
            1..40,
        ),
    ) {
        let (telemetry, capture) = captured();
        let mut expected = Vec::new();
        for ((id, client_id, principal_id), source, topic, (retain, out), outcome) in &publishes {
            let trace_id = TraceId::from_bytes([*id; 16]);
            let source = source.parse().expect("an address");
            let (retain, outcome) = (*retain, *outcome);
            if *out {
                let bytes = 9;
                let event =
                    PublishOut { trace_id, client_id, principal_id, source, topic, bytes, outcome };
                telemetry.record(&event);
                expected.push(publish_out_line(&event));
            } else {
                let event =
                    PublishIn { trace_id, client_id, principal_id, source, topic, retain, bytes: 9, outcome };
                telemetry.record(&event);
                expected.push(publish_in_line(&event));
            }
        }
        prop_assert_eq!(written(&telemetry, &capture), expected);
    }

    #[test]
    fn filters_are_written_as_serde_json_would(
        texts in vec(any_text(), 0..5),
        times in prop_oneof![4 => Just(1), 1 => Just(30)],
        v5 in any::<bool>(),
    ) {
        let filters: Vec<(&str, ReasonCode)> = std::iter::repeat_n(&texts, times)
            .flatten()
            .map(|text| (text.as_str(), ReasonCode::GrantedQoS1))
            .collect();
        let names: Vec<&str> = filters.iter().map(|(filter, _)| *filter).collect();
        let (version, listed) = if v5 { (Version::V5, &filters[..]) } else { (Version::V311, &[][..]) };
        let source = SocketAddr::from(([192, 0, 2, 7], 1));
        let subscribe = Subscribe {
            trace_id: trace_id(),
            client_id: "myDevice",
            principal_id: "abc",
            source,
            filters: Filters::new(version, &filters),
            outcome: Verdict::Success,
        };
        let unsubscribe = Unsubscribe {
            trace_id: trace_id(),
            client_id: "myDevice",
            principal_id: "abc",
            source,
            filters: &names,
            outcome: Verdict::Success,
        };
        let (telemetry, capture) = captured();
        telemetry.record(&subscribe);
        telemetry.record(&unsubscribe);
        let expected =
            [subscribe_line(&subscribe, &names, listed), unsubscribe_line(&unsubscribe)];
        prop_assert_eq!(written(&telemetry, &capture), expected);
    }
}

#[test]
fn two_logs_on_one_thread_keep_their_accounts() {
    let logs = ["111111111111", "222222222222", "11111111111"].map(|account| {
        let capture = Capture::default();
        let settings = LogSettings {
            account: account.into(),
            ..settings(LogTarget::Writer(Box::new(capture.clone())))
        };
        (Telemetry::start(settings).expect("a log"), capture, account)
    });
    for _ in 0..3 {
        for (telemetry, ..) in &logs {
            telemetry.record(&PublishIn {
                trace_id: trace_id(),
                client_id: "myDevice",
                principal_id: "abc",
                source: "192.0.2.7:1".parse().expect("an address"),
                topic: "t",
                retain: false,
                bytes: 9,
                outcome: Verdict::Success,
            });
        }
    }
    for (telemetry, capture, account) in &logs {
        assert!(telemetry.flush(PATIENCE));
        let entries = capture.entries();
        assert_eq!(entries.len(), 3);
        assert!(entries.iter().all(|entry| entry["accountId"] == **account), "{entries:?}");
    }
}
