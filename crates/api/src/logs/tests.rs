//! The operations over a ring in memory, with real entries.

use std::net::SocketAddr;
use std::time::Duration;

use engine::outcome::DirectOutcome;
use serde_json::json;
use telemetry::event::DirectMessage;
use telemetry::{Level, LogSettings, LogTarget, RingPlace, RingSettings, Telemetry, TraceId};

use super::*;

struct Log {
    telemetry: Telemetry,
    owner: Owner,
}

/// A log with so many entries, every third of which tells a failure.
fn log(entries: usize) -> Log {
    let settings = LogSettings {
        target: LogTarget::Writer(Box::new(std::io::sink())),
        level: Level::Info,
        buffer_bytes: 64 << 20,
        ring: Some(RingSettings {
            place: RingPlace::Memory,
            bytes: 64 << 20,
            age: Duration::from_secs(7 * 86_400),
        }),
        account: "123456789012".into(),
    };
    let telemetry = Telemetry::start(settings).expect("a log");
    for number in 0..entries {
        telemetry.record(&DirectMessage {
            trace_id: TraceId::random(),
            client_id: &format!("lamp-{number}"),
            principal_id: "abc",
            source: SocketAddr::from(([192, 0, 2, 7], 1)),
            topic: "t",
            confirmation: false,
            timeout_seconds: None,
            outcome: match number % 3 {
                0 => &DirectOutcome::TargetNotFound,
                _ => &DirectOutcome::Dispatched,
            },
            batch: None,
            repeats: None,
            truth: None,
            delivery: None,
            ack: None,
            connection_epoch: None,
            payload_bytes: 0,
            metered_bytes: 0,
        });
    }
    assert!(telemetry.flush(Duration::from_secs(60)));
    let owner = Owner { region: "us-west-2".into(), account: "123456789012".into() };
    Log { telemetry, owner }
}

impl Log {
    fn ask(&self, operation: LogsOperation, body: &Value) -> Result<Value, LogsError> {
        let call = LogsCall::parse(operation, body.to_string().as_bytes(), &self.owner)?;
        call.answer(self.telemetry.ring().map(AsRef::as_ref), &self.owner, 0)
    }

    fn stream(&self) -> String {
        let body = json!({ "logGroupName": GROUP, "descending": true });
        let answer = self.ask(LogsOperation::DescribeLogStreams, &body).expect("streams");
        answer["logStreams"][0]["logStreamName"].as_str().expect("a stream").to_owned()
    }

    fn get(&self, more: Value) -> Value {
        let mut body = json!({ "logGroupName": GROUP, "logStreamName": self.stream() });
        merge(&mut body, more);
        self.ask(LogsOperation::GetLogEvents, &body).expect("events")
    }

    fn filter(&self, more: Value) -> Value {
        let mut body = json!({ "logGroupName": GROUP });
        merge(&mut body, more);
        self.ask(LogsOperation::FilterLogEvents, &body).expect("events")
    }
}

fn merge(body: &mut Value, more: Value) {
    let (Value::Object(body), Value::Object(more)) = (body, more) else { panic!("objects") };
    body.extend(more);
}

/// The numbers of the clients that the events of an answer are about.
fn clients(answer: &Value) -> Vec<usize> {
    let events = answer["events"].as_array().expect("a list");
    let client = |event: &Value| {
        let entry: Value = serde_json::from_str(event["message"].as_str()?).ok()?;
        entry["clientId"].as_str()?.strip_prefix("lamp-")?.parse().ok()
    };
    events.iter().map(|event| client(event).expect("an entry")).collect()
}

fn refused(operation: LogsOperation, body: &Value) -> LogsError {
    log(1).ask(operation, body).expect_err("refused")
}

#[test]
fn the_group_is_described_if_it_is_among_those_asked_for() {
    let log = log(1);
    let found = |body: Value| {
        let answer = log.ask(LogsOperation::DescribeLogGroups, &body).expect("an answer");
        answer["logGroups"].as_array().expect("a list").len()
    };
    let arn = "arn:aws:logs:us-west-2:123456789012:log-group:AWSIotLogsV2";
    let with = [
        json!({}),
        json!({ "logGroupNamePrefix": "AWSIot" }),
        json!({ "logGroupNamePattern": "LogsV2" }),
        json!({ "logGroupIdentifiers": ["other", arn] }),
        json!({ "logGroupIdentifiers": [format!("{arn}:*")] }),
        json!({ "logGroupClass": "STANDARD", "limit": 1, "logGroupNamePrefix": null }),
    ];
    let without = [
        json!({ "logGroupNamePrefix": "iot" }),
        json!({ "logGroupNamePattern": "logs" }),
        json!({ "logGroupIdentifiers": ["AWSIotLogs", arn.replace("west", "east")] }),
        json!({ "logGroupClass": "DELIVERY" }),
    ];
    with.into_iter().for_each(|body| assert_eq!(found(body.clone()), 1, "{body}"));
    without.into_iter().for_each(|body| assert_eq!(found(body.clone()), 0, "{body}"));
    let answer = log.ask(LogsOperation::DescribeLogGroups, &json!({})).expect("an answer");
    let group = &answer["logGroups"][0];
    assert_eq!((&group["logGroupArn"], &group["retentionInDays"]), (&json!(arn), &json!(7)));
}

#[test]
fn pages_of_a_stream_follow_each_other_in_both_directions() {
    let log = log(100);
    let newest = log.get(json!({ "limit": 10 }));
    assert_eq!(clients(&newest), (90..100).collect::<Vec<_>>(), "oldest first");
    let oldest = log.get(json!({ "limit": 10, "startFromHead": true }));
    assert_eq!(clients(&oldest), (0..10).collect::<Vec<_>>());

    let mut all = clients(&newest);
    let mut token = newest["nextBackwardToken"].clone();
    loop {
        let page = log.get(json!({ "limit": 7, "nextToken": token }));
        all.splice(0..0, clients(&page));
        if page["nextBackwardToken"] == token {
            break;
        }
        token = page["nextBackwardToken"].clone();
    }
    assert_eq!(all, (0..100).collect::<Vec<_>>());

    let after = log.get(json!({ "nextToken": newest["nextForwardToken"], "startFromHead": true }));
    assert!(clients(&after).is_empty());
    assert_eq!(after["nextForwardToken"], newest["nextForwardToken"], "the end");
    let back = log.get(json!({ "nextToken": oldest["nextBackwardToken"] }));
    assert!(clients(&back).is_empty());
    assert_eq!(back["nextBackwardToken"], oldest["nextBackwardToken"], "the beginning");
}

#[test]
fn a_filter_finds_what_it_is_for_in_pages_and_from_either_end() {
    let log = log(100);
    let expected: Vec<_> = (0..100).step_by(3).collect();
    let pattern = "{ $.reason = \"TARGET_CLIENT_ID_NOT_FOUND\" }";
    for from_head in [true, false] {
        let (mut all, mut token) = (Vec::new(), Value::Null);
        loop {
            let page = log.filter(json!({
                "filterPattern": pattern, "limit": 4, "nextToken": token, "startFromHead": from_head,
            }));
            all.extend(clients(&page));
            token = page["nextToken"].clone();
            if token.is_null() {
                break;
            }
        }
        if !from_head {
            all.reverse();
        }
        assert_eq!(all, expected);
    }
    let page = log.filter(json!({ "filterPattern": "\"lamp-42\"" }));
    assert_eq!(clients(&page), [42]);
    let event = &page["events"][0];
    assert_eq!(event["logStreamName"], json!(log.stream()));
    assert_eq!(event["eventId"].as_str().expect("an ID").len(), 56);
}

#[test]
fn times_have_the_ends_that_aws_gives_them() {
    let log = log(3);
    let all = log.filter(json!({}));
    let last = all["events"][2]["timestamp"].as_u64().expect("a time");
    let until = |end| json!({ "endTime": end });
    assert_eq!(clients(&log.filter(until(last))).len(), 3, "inclusive");
    let before = clients(&log.get(until(last))).len();
    assert!(before < 3, "exclusive");
    assert_eq!(clients(&log.get(until(last + 1))).len(), 3);
    let from = |start| json!({ "startTime": start });
    assert_eq!(clients(&log.get(from(last))).len(), 3 - before);
    assert!(clients(&log.get(from(last + 1))).is_empty());
    assert!(clients(&log.filter(from(last + 1))).is_empty());
}

#[test]
fn a_page_has_a_megabyte_at_most_and_a_call_looks_at_so_much() {
    let log = log(60_000);
    let page = log.filter(json!({}));
    let events = page["events"].as_array().expect("a list");
    let bytes: usize = events.iter().map(|e| e["message"].as_str().map_or(0, str::len) + 26).sum();
    assert!((1_000_000..=1_048_576).contains(&bytes), "{bytes}");
    assert!(page["nextToken"].is_string());
    let nothing = log.filter(json!({ "filterPattern": "nobody" }));
    assert_eq!(nothing["events"], json!([]));
    assert!(nothing["nextToken"].is_string(), "it gives up, and goes on when asked");
    let rest = log.filter(json!({ "filterPattern": "nobody", "nextToken": nothing["nextToken"] }));
    assert!(rest["nextToken"].is_null());
}

#[test]
fn what_there_is_not_is_not_found() {
    for operation in LogsOperation::ALL.into_iter().skip(1) {
        let body = json!({ "logGroupName": "other", "logStreamName": "x" });
        let error = refused(operation, &body);
        assert_eq!(error, LogsError::NotFound("The specified log group does not exist."));
    }
    let stream = LogsError::NotFound("The specified log stream does not exist.");
    let body = json!({ "logGroupName": GROUP, "logStreamName": "x" });
    assert_eq!(refused(LogsOperation::GetLogEvents, &body), stream);
    let body = json!({ "logGroupName": GROUP, "logStreamNames": ["x"] });
    assert_eq!(refused(LogsOperation::FilterLogEvents, &body), stream);
}

#[test]
fn every_wrong_member_is_named() {
    use LogsOperation::{DescribeLogGroups, DescribeLogStreams, FilterLogEvents, GetLogEvents};
    let cases = [
        (DescribeLogGroups, json!({ "limit": 51 }), "limit must be from 1 to 50, not 51"),
        (DescribeLogGroups, json!({ "limit": -1 }), "limit"),
        (DescribeLogGroups, json!({ "nextToken": "x" }), "nextToken"),
        (DescribeLogGroups, json!({ "logGroupClass": "x" }), "logGroupClass"),
        (DescribeLogGroups, json!({ "logGroupNamePrefix": "" }), "logGroupNamePrefix"),
        (
            DescribeLogGroups,
            json!({ "logGroupNamePrefix": "a", "logGroupNamePattern": "b" }),
            "both",
        ),
        (DescribeLogGroups, json!({ "logGroupIdentifiers": [] }), "1 to 50 elements"),
        (DescribeLogStreams, json!({}), "logGroupName"),
        (DescribeLogStreams, json!({ "logGroupIdentifier": "a" }), "not both"),
        (DescribeLogStreams, json!({ "orderBy": "x" }), "orderBy"),
        (
            DescribeLogStreams,
            json!({ "orderBy": "LastEventTime", "logStreamNamePrefix": "a" }),
            "LastEventTime",
        ),
        (DescribeLogStreams, json!({ "nextToken": "x" }), "nextToken"),
        (GetLogEvents, json!({}), "logStreamName"),
        (GetLogEvents, json!({ "logStreamName": "x".repeat(513) }), "1 to 512 characters"),
        (GetLogEvents, json!({ "logStreamName": "a", "limit": 10_001 }), "limit"),
        (GetLogEvents, json!({ "logStreamName": "a", "startTime": -1 }), "startTime"),
        (
            GetLogEvents,
            json!({ "logStreamName": "a", "startTime": 2, "endTime": 1 }),
            "later than endTime",
        ),
        (GetLogEvents, json!({ "logStreamName": "a", "nextToken": "f/1/s" }), "nextToken"),
        (FilterLogEvents, json!({ "filterPattern": "{ $.a }" }), "character 7"),
        (FilterLogEvents, json!({ "filterPattern": "x".repeat(1_025) }), "filterPattern"),
        (FilterLogEvents, json!({ "logStreamNames": ["a"], "logStreamNamePrefix": "a" }), "both"),
        (FilterLogEvents, json!({ "nextToken": "x" }), "nextToken"),
    ];
    for (operation, mut body, fragment) in cases {
        if operation != DescribeLogGroups && fragment != "logGroupName" {
            merge(&mut body, json!({ "logGroupName": GROUP }));
        }
        let error = refused(operation, &body);
        assert_eq!(error.name(), "InvalidParameterException", "{body}: {error:?}");
        assert!(error.sentence().contains(fragment), "{body}: {error:?}");
    }
}

#[test]
fn a_body_of_another_form_is_said() {
    let owner = log(0).owner;
    let bodies: [&[u8]; 8] = [
        b"",
        b"[]",
        b"{",
        b"\xff",
        br#"{"logGroupName":5,"logStreamName":"a"}"#,
        br#"{"logGroupName":"a","logStreamName":"a","limit":"5"}"#,
        br#"{"logGroupName":"a","logStreamName":"a","limit":1.5}"#,
        br#"{"logGroupName":"a","logStreamName":"a","startFromHead":"true"}"#,
    ];
    for body in bodies {
        let error = LogsCall::parse(LogsOperation::GetLogEvents, body, &owner).expect_err("none");
        assert_eq!(error.name(), "SerializationException", "{error:?}");
    }
}
