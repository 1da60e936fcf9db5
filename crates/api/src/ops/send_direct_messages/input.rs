//! The body of the call: one JSON object.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use engine::limits::{
    CLIENT_ID_BYTES, CONFIRMATION_SECONDS, CONFIRMATION_SECONDS_DEFAULT, DEADLINE_MILLIS,
    TARGET_PATTERNS, TARGET_WILDCARDS, TARGETS, TARGETS_AT_ONCE, TARGETS_AT_ONCE_DEFAULT,
    WAIT_ONLINE_MILLIS,
};
use engine::outcome::Invalid;
use identity::sigv4::Headers;
use mqtt::{ClientId, PropertiesBuf};
use serde::Deserialize;
use serde_json::Value;

use super::pattern::Pattern;
use crate::deliveries::Key;
use crate::head::Head;
use crate::ops::client_id;
use crate::ops::properties;
use crate::ops::send_direct_message::{Alike, check_topic};
use crate::ops::user_properties::UserProperties;
use crate::query::Query;

/// Headers of ours are for a message to one, with this exception.
const OURS: &str = "x-tenfour-";
const IDEMPOTENCY_KEY: &str = "x-tenfour-idempotency-key";
/// AWS's, likewise.
const MQTT5: &str = "x-amz-mqtt5-";

/// What stands in the body; what is in the query of a message to one is among it.
const MEMBERS: [&str; 14] = [
    "clientIds",
    "topic",
    "payload",
    "payloadBase64",
    "confirmation",
    "timeout",
    "contentType",
    "responseTopic",
    "payloadFormatIndicator",
    "correlationData",
    "userProperties",
    "deadlineMs",
    "waitOnlineMs",
    "concurrency",
];

/// How much of what the parser says of a malformed body is passed on: it repeats what it found.
const COMPLAINT_CHARACTERS: usize = 300;

/// Bytes of a body beside its client IDs and its payload.
const OTHER_BYTES: usize = 64 * 1024;

/// The largest body that is looked at, in bytes: each client ID and the payload may take twice their
/// bytes, for their quotation marks, escapes or base64.
pub(crate) fn body_bytes(payload_bytes: usize) -> usize {
    TARGETS * (2 * CLIENT_ID_BYTES + 4) + 2 * payload_bytes + OTHER_BYTES
}

/// The checked call.
pub(super) struct Input {
    pub(super) asked: Asked,
    pub(super) alike: Alike,
    /// How many may be under way at once.
    pub(super) at_once: usize,
    /// The idempotency key of the whole.
    pub(super) key: Option<Box<str>>,
}

/// Whom the sender names.
#[derive(Debug, Default)]
pub(super) struct Asked {
    pub(super) client_ids: Vec<ClientId>,
    pub(super) patterns: Vec<Pattern>,
}

/// The members of the body, each still of any type.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", expecting = "a JSON object")]
struct Members {
    client_ids: Option<Value>,
    topic: Option<Value>,
    payload: Option<Value>,
    payload_base64: Option<Value>,
    confirmation: Option<Value>,
    timeout: Option<Value>,
    content_type: Option<Value>,
    response_topic: Option<Value>,
    payload_format_indicator: Option<Value>,
    correlation_data: Option<Value>,
    user_properties: Option<UserProperties>,
    deadline_ms: Option<Value>,
    wait_online_ms: Option<Value>,
    concurrency: Option<Value>,
}

impl Input {
    /// Checks everything but the size of the payload; `topic` gets what could be read of it,
    /// whatever the end.
    pub(super) fn parse(
        body: &[u8],
        head: &Head<'_>,
        topic: &mut Option<Arc<str>>,
    ) -> Result<Input, Invalid> {
        let members = Members::parse(body).map_err(Invalid::Request)?;
        *topic = members.topic.as_ref().and_then(Value::as_str).map(Arc::from);
        refuse_headers(head).and_then(|()| refuse_query(head)).map_err(Invalid::Request)?;
        let asked = members.asked()?;
        let addressed = members.topic()?;
        let confirmation = members.confirmation()?;
        let properties = members.properties().map_err(Invalid::Mqtt5Property)?;
        let alike = Alike {
            topic: addressed,
            confirmation,
            properties,
            payload: members.payload().map_err(Invalid::Request)?.into(),
            deadline: members.millis("deadlineMs", &members.deadline_ms, DEADLINE_MILLIS)?,
            wait_online: members.millis(
                "waitOnlineMs",
                &members.wait_online_ms,
                WAIT_ONLINE_MILLIS,
            )?,
        };
        let at_once = whole("concurrency", &members.concurrency, TARGETS_AT_ONCE, "")
            .map_err(Invalid::Request)?
            .unwrap_or(TARGETS_AT_ONCE_DEFAULT);
        let at_once = usize::try_from(at_once).unwrap_or(usize::MAX);
        let key = Key::text_of(head).map_err(Invalid::Request)?.map(Box::from);
        Ok(Input { asked, alike, at_once, key })
    }
}

/// A header that would do something to a message to one must not be passed over in silence.
fn refuse_headers(head: &Head<'_>) -> Result<(), String> {
    for name in head.headers.names() {
        let name = name.to_ascii_lowercase();
        let for_one = name.starts_with(OURS) || name.starts_with(MQTT5);
        if for_one && name != IDEMPOTENCY_KEY {
            return Err(format!(
                "The header {name} is for a message to one client; what a message to many is to \
                 have stands in the body, for example deadlineMs or userProperties."
            ));
        }
    }
    Ok(())
}

/// Nor must such a query parameter be. Others mean nothing to any operation (spec 1.2).
fn refuse_query(head: &Head<'_>) -> Result<(), String> {
    let query = Query::split(head.query);
    for name in MEMBERS {
        if !matches!(query.parameter(name), Ok(None)) {
            return Err(format!(
                "The query parameter {name} is for a message to one client; what a message to many \
                 is to have stands in the body, as its member {name}."
            ));
        }
    }
    Ok(())
}

impl Members {
    fn parse(body: &[u8]) -> Result<Members, String> {
        let refused = |complaint: String| {
            let complaint: String = complaint.chars().take(COMPLAINT_CHARACTERS).collect();
            format!(
                "The body must be a JSON object such as {{\"clientIds\":[\"lamp-1\",\"door-*\"],\
                 \"topic\":\"cmd/on\",\"payload\":\"now\"}}: {complaint}."
            )
        };
        match body.trim_ascii_start().first() {
            Some(b'{') => serde_json::from_slice(body).map_err(|error| refused(error.to_string())),
            Some(_) => Err(refused("it begins with something else".into())),
            None => Err(refused("it is empty".into())),
        }
    }

    fn topic(&self) -> Result<Arc<str>, Invalid> {
        let topic = text("topic", &self.topic)
            .and_then(|topic| topic.ok_or_else(|| "The member topic is missing.".into()))
            .map_err(Invalid::Topic)?;
        check_topic(topic)?;
        Ok(topic.into())
    }

    fn asked(&self) -> Result<Asked, Invalid> {
        let shape = format!("clientIds must be an array of 1 to {TARGETS} client IDs and patterns");
        let named = match &self.client_ids {
            Some(Value::Array(named)) if (1..=TARGETS).contains(&named.len()) => named,
            Some(Value::Array(named)) => {
                return Err(Invalid::Request(format!("{shape}, not {}.", named.len())));
            }
            Some(_) | None => return Err(Invalid::Request(format!("{shape}."))),
        };
        let mut asked = Asked::default();
        for (at, name) in named.iter().enumerate() {
            let Value::String(text) = name else {
                return Err(Invalid::Request(format!("clientIds[{at}] must be a string.")));
            };
            match Pattern::parse(text) {
                Some(pattern) if pattern.wildcards() > TARGET_WILDCARDS => {
                    return Err(Invalid::ClientId(format!(
                        "clientIds[{at}]: the pattern has {} wildcards (*); at most \
                         {TARGET_WILDCARDS} may stand in one.",
                        pattern.wildcards()
                    )));
                }
                Some(pattern) if client_id::is_addressable(text) => asked.patterns.push(pattern),
                Some(_) | None => asked.client_ids.push(
                    client_id::check(text)
                        .map_err(|wrong| Invalid::ClientId(format!("clientIds[{at}]: {wrong}")))?,
                ),
            }
        }
        if asked.patterns.len() > TARGET_PATTERNS {
            return Err(Invalid::Request(format!(
                "clientIds has {} patterns (texts with *); at most {TARGET_PATTERNS} may stand in \
                 one request.",
                asked.patterns.len()
            )));
        }
        Ok(asked)
    }

    /// The text, or the bytes behind the base64; nothing at all is an empty payload.
    fn payload(&self) -> Result<Vec<u8>, String> {
        let plain = text("payload", &self.payload)?;
        let encoded = text("payloadBase64", &self.payload_base64)?;
        match (plain, encoded) {
            (Some(_), Some(_)) => Err("Give payload or payloadBase64, not both.".into()),
            (Some(text), None) => Ok(text.as_bytes().to_vec()),
            (None, Some(encoded)) => properties::base64("payloadBase64", encoded),
            (None, None) => Ok(Vec::new()),
        }
    }

    fn confirmation(&self) -> Result<Option<Duration>, Invalid> {
        let confirmed = match &self.confirmation {
            None => false,
            Some(Value::Bool(confirmed)) => *confirmed,
            Some(_) => {
                return Err(Invalid::Confirmation("confirmation must be true or false.".into()));
            }
        };
        let seconds = whole("timeout", &self.timeout, CONFIRMATION_SECONDS, " of seconds")
            .map_err(Invalid::Timeout)?
            .unwrap_or(CONFIRMATION_SECONDS_DEFAULT);
        Ok(confirmed.then(|| Duration::from_secs(seconds)))
    }

    fn properties(&self) -> Result<PropertiesBuf, String> {
        let mut made = PropertiesBuf::new();
        if let Some(text) = text("contentType", &self.content_type)? {
            properties::content_type(&mut made, text)?;
        }
        if let Some(topic) = text("responseTopic", &self.response_topic)? {
            properties::response_topic(&mut made, topic)?;
        }
        let name = "payloadFormatIndicator";
        if let Some(indicator) = text(name, &self.payload_format_indicator)? {
            properties::payload_format(&mut made, name, indicator)?;
        }
        let name = "correlationData";
        if let Some(encoded) = text(name, &self.correlation_data)? {
            properties::correlation_data(&mut made, name, encoded)?;
        }
        if let Some(pairs) = &self.user_properties {
            pairs.add(&mut made, ("userProperties", "an array"))?;
        }
        Ok(made)
    }

    fn millis(
        &self,
        name: &str,
        member: &Option<Value>,
        range: RangeInclusive<u64>,
    ) -> Result<Option<Duration>, Invalid> {
        let millis = whole(name, member, range, " of milliseconds").map_err(Invalid::Request)?;
        Ok(millis.map(Duration::from_millis))
    }
}

fn text<'a>(name: &str, member: &'a Option<Value>) -> Result<Option<&'a str>, String> {
    match member {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(format!("{name} must be a string.")),
    }
}

fn whole(
    name: &str,
    member: &Option<Value>,
    range: RangeInclusive<u64>,
    of: &str,
) -> Result<Option<u64>, String> {
    let Some(value) = member else { return Ok(None) };
    match value.as_u64().filter(|number| range.contains(number)) {
        Some(number) => Ok(Some(number)),
        None => Err(format!(
            "{name} must be a whole number{of} from {} to {}.",
            range.start(),
            range.end()
        )),
    }
}

#[cfg(test)]
mod tests {
    use identity::sigv4::{Field, Fields};
    use proptest::prelude::*;

    use super::*;

    fn parse_with(body: &[u8], fields: &[Field<'_>]) -> Result<Input, Invalid> {
        parse_head(body, fields, "")
    }

    fn parse_head(body: &[u8], fields: &[Field<'_>], query: &str) -> Result<Input, Invalid> {
        let headers = Fields::new(fields);
        let head = Head { method: "POST", path: "/direct-messages", query, headers };
        Input::parse(body, &head, &mut None)
    }

    fn parse(body: &str) -> Result<Input, Invalid> {
        parse_with(body.as_bytes(), &[])
    }

    fn refused(body: &str) -> (&'static str, String) {
        let invalid = parse(body).err().expect(body);
        (invalid.reason(), invalid.sentence().to_owned())
    }

    #[test]
    fn all_that_a_message_to_one_has_is_taken_in() {
        let input = parse(
            r#"{"clientIds": ["a/b", "lamp-*", "a/b"], "topic": "cmd/x", "payloadBase64": "AAE=",
                "confirmation": true, "timeout": 15, "contentType": "c", "responseTopic": "r",
                "payloadFormatIndicator": "UTF8_DATA", "correlationData": "AA==",
                "userProperties": [{"k": "1"}, {"k": "2"}], "deadlineMs": 500,
                "waitOnlineMs": 60000, "concurrency": 1024}"#,
        )
        .unwrap_or_else(|invalid| panic!("{}", invalid.sentence()));
        let names: Vec<_> = input.asked.client_ids.iter().map(ClientId::as_str).collect();
        assert_eq!(names, ["a/b", "a/b"]);
        assert_eq!(input.asked.patterns, [Pattern::parse("lamp-*").expect("a pattern")]);
        let Alike { topic, confirmation, properties, payload, deadline, wait_online } = input.alike;
        assert_eq!((&*topic, payload), ("cmd/x", vec![0, 1].into()));
        assert_eq!(confirmation, Some(Duration::from_secs(15)));
        assert_eq!(deadline, Some(Duration::from_millis(500)));
        assert_eq!(wait_online, Some(Duration::from_secs(60)));
        assert_eq!(input.at_once, 1024);
        let properties = properties.as_properties();
        assert_eq!(properties.content_type(), Some("c"));
        assert_eq!(properties.response_topic(), Some("r"));
        assert_eq!(properties.user_properties().count(), 2);
    }

    #[test]
    fn what_is_left_out_or_null_is_as_in_a_message_to_one() {
        let input = parse(r#"{"clientIds": ["a"], "topic": "t", "payload": null}"#).ok();
        let input = input.expect("valid");
        assert!(input.alike.payload.is_empty());
        assert_eq!((input.alike.confirmation, input.at_once, input.key), (None, 256, None));
        let input = parse(r#"{"clientIds": ["a"], "topic": "t", "confirmation": true}"#).ok();
        let seconds = input.expect("valid").alike.confirmation;
        assert_eq!(seconds, Some(Duration::from_secs(5)));
    }

    #[test]
    fn a_body_of_another_shape_is_told_what_and_where() {
        for (body, told) in [
            ("", "it is empty"),
            (r#"[["a"], "t"]"#, "it begins with something else"),
            ("{", "EOF while parsing an object at line 1 column 1"),
            (r#"{"clientIds": ["a"], "topic": "t"} x"#, "trailing characters at line 1"),
            (r#"{"clientIds": ["a"], "topic": "t", "topic": "u"}"#, "duplicate field `topic`"),
            (r#"{"clientIds": ["a"], "qos": 1}"#, "unknown field `qos`, expected one of"),
        ] {
            let (reason, sentence) = refused(body);
            assert_eq!(reason, "INVALID_REQUEST", "{body}");
            assert!(sentence.contains(told) && sentence.contains("clientIds"), "{sentence}");
        }
        let long = format!(r#"{{"{}": 1}}"#, "x".repeat(10_000));
        assert!(refused(&long).1.len() < 1_000);
    }

    #[test]
    fn every_wrong_member_has_its_reason_and_is_named() {
        let long = "x".repeat(129);
        for (members, reason, named) in [
            (r#""topic": "t""#, "INVALID_REQUEST", "clientIds must be an array"),
            (r#""clientIds": [], "topic": "t""#, "INVALID_REQUEST", "1 to 10000"),
            (r#""clientIds": "a", "topic": "t""#, "INVALID_REQUEST", "array"),
            (r#""clientIds": ["a", 1], "topic": "t""#, "INVALID_REQUEST", "clientIds[1]"),
            (r#""clientIds": ["a", "$x"], "topic": "t""#, "MALFORMED_CLIENTID", "clientIds[1]"),
            (r#""clientIds": ["$*"], "topic": "t""#, "MALFORMED_CLIENTID", "clientIds[0]"),
            (r#""clientIds": [""], "topic": "t""#, "MALFORMED_CLIENTID", "clientIds[0]"),
            (
                &format!(r#""clientIds": ["{long}"], "topic": "t""#),
                "MALFORMED_CLIENTID",
                "128 bytes",
            ),
            (r#""clientIds": ["a"]"#, "INVALID_TOPIC", "topic is missing"),
            (r#""clientIds": ["a"], "topic": "a/+""#, "INVALID_TOPIC", "wildcard"),
            (r#""clientIds": ["a"], "topic": 1"#, "INVALID_TOPIC", "topic must be a string"),
        ] {
            let (told, sentence) = refused(&format!("{{{members}}}"));
            assert_eq!(told, reason, "{members}");
            assert!(sentence.contains(named), "{sentence}");
        }
        let properties = "INVALID_MQTT5_PROPERTY";
        for (member, reason) in [
            (r#""payload": {}"#, "INVALID_REQUEST"),
            (r#""payloadBase64": "*""#, "INVALID_REQUEST"),
            (r#""confirmation": "true""#, "INVALID_CONFIRMATION_PARAMETER"),
            (r#""timeout": 16"#, "INVALID_TIMEOUT_PARAMETER"),
            (r#""timeout": 1.5"#, "INVALID_TIMEOUT_PARAMETER"),
            (r#""deadlineMs": 0"#, "INVALID_REQUEST"),
            (r#""waitOnlineMs": 60001"#, "INVALID_REQUEST"),
            (r#""concurrency": 1025"#, "INVALID_REQUEST"),
            (r#""contentType": 1"#, properties),
            (r#""responseTopic": "a/+""#, properties),
            (r#""payloadFormatIndicator": "utf8""#, properties),
            (r#""correlationData": "*""#, properties),
            (r#""userProperties": {"a": "b"}"#, properties),
        ] {
            let name = member.split('"').nth(1).expect("a name");
            let (told, sentence) =
                refused(&format!(r#"{{"clientIds": ["a"], "topic": "t", {member}}}"#));
            assert!(sentence.contains(name), "{sentence}");
            assert_eq!(told, reason, "{member}");
        }
        let both = r#"{"clientIds": ["a"], "topic": "t", "payload": "", "payloadBase64": ""}"#;
        assert_eq!(refused(both).0, "INVALID_REQUEST");
    }

    #[test]
    fn a_header_for_a_message_to_one_is_not_passed_over() {
        let body = br#"{"clientIds": ["a"], "topic": "t"}"#;
        for name in ["X-Tenfour-Deadline-Ms", "x-amz-mqtt5-correlation-data"] {
            let invalid = parse_with(body, &[Field { name, value: b"1" }]).err().expect(name);
            assert!(invalid.sentence().contains(&name.to_ascii_lowercase()));
        }
        for name in [IDEMPOTENCY_KEY, "amz-sdk-invocation-id"] {
            let input = parse_with(body, &[Field { name, value: b"k" }]).expect(name);
            assert_eq!(input.key.as_deref(), Some("k"));
        }
    }

    #[test]
    fn a_query_parameter_of_a_message_to_one_is_not_passed_over() {
        let body = br#"{"clientIds": ["a"], "topic": "t"}"#;
        for name in MEMBERS {
            let query = format!("x=y&{name}=1");
            let invalid = parse_head(body, &[], &query).err().expect(name);
            assert!(invalid.sentence().contains(&format!("query parameter {name} ")), "{name}");
            // Nor is it a member that the body does not know.
            let member = format!(r#"{{"{name}": null}}"#);
            assert!(!refused(&member).1.contains("unknown field"), "{name}");
        }
        assert!(parse_head(body, &[], "t%6Fpic=u&topic=v").is_err());
        assert!(parse_head(body, &[], "x=y&X-Amz-Date=20150830T123600Z").is_ok());
    }

    #[test]
    fn a_user_property_that_would_be_lost_is_told() {
        let body =
            r#"{"clientIds": ["a"], "topic": "t", "userProperties": [{"a": "1", "a": "2"}]}"#;
        let (reason, sentence) = refused(body);
        assert_eq!(reason, "INVALID_MQTT5_PROPERTY");
        assert!(sentence.contains(r#"userProperties[0] has the member "a" twice"#), "{sentence}");
    }

    #[test]
    fn too_many_names_or_patterns_are_refused() {
        let body = |name: &str, count: usize| {
            let names = vec![format!("{name:?}"); count].join(",");
            format!(r#"{{"clientIds": [{names}], "topic": "t"}}"#)
        };
        assert!(parse(&body("a", TARGETS)).is_ok());
        assert!(refused(&body("a", TARGETS + 1)).1.contains("10000"));
        assert!(parse(&body("a*", TARGET_PATTERNS)).is_ok());
        assert!(refused(&body("a*", TARGET_PATTERNS + 1)).1.contains("101 patterns"));
        assert!(parse(&body(&"a*".repeat(TARGET_WILDCARDS), 1)).is_ok());
        let (reason, sentence) = refused(&body(&"*".repeat(TARGET_WILDCARDS + 1), 1));
        assert_eq!(reason, "MALFORMED_CLIENTID");
        assert!(
            sentence.contains("clientIds[0]") && sentence.contains("9 wildcards"),
            "{sentence}"
        );
    }

    #[test]
    fn the_largest_call_fits_the_body() {
        let payload: usize = 128 * 1024;
        let base64 = payload.div_ceil(3) * 4;
        assert!(TARGETS * (CLIENT_ID_BYTES + 3) + base64 < body_bytes(payload));
    }

    proptest! {
        #[test]
        fn no_body_makes_it_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse_with(&body, &[]);
        }

        #[test]
        fn no_member_makes_it_panic(
            member in "(clientIds|topic|payload|payloadBase64|timeout|userProperties|concurrency)",
            value in "(null|-1|1e400|\"\\PC{0,8}\"|\\[\\]|\\[\\{\"a\":\"b\"\\}\\]|[\\[\\]{}:,\"0-9a-z*$]{0,12})",
        ) {
            let _ = parse(&format!(r#"{{"clientIds": ["a"], "{member}": {value}}}"#));
            let _ = parse(&format!(r#"{{"topic": "t", "{member}": {value}}}"#));
        }
    }
}
