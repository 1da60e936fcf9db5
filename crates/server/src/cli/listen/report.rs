//! What `tenfour listen` prints.

use std::fmt::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use client::{Connected, DeviceOptions, Ending, Message};
use mqtt::{PacketId, Property, Version};
use serde_json::{Map, Value, json};

use super::super::paint::{Paint, printable};

/// At most this much of a payload that is no text is shown to people.
const SHOWN_BYTES: usize = 64;

/// Prints what happens, for people or as JSON lines.
#[derive(Clone, Copy)]
pub(super) struct Report {
    json: bool,
    paint: Paint,
}

impl Report {
    pub(super) fn new(json: bool) -> Self {
        Self { json, paint: Paint::for_stdout() }
    }

    pub(super) fn connected(self, options: &DeviceOptions, connected: &Connected) {
        let version = match options.version {
            Version::V311 => "3.1.1",
            Version::V5 => "5.0",
        };
        let millis = connected.elapsed.as_secs_f64() * 1_000.0;
        if self.json {
            println!(
                "{}",
                json!({
                    "event": "connected",
                    "clientId": options.client_id,
                    "endpoint": options.endpoint.to_string(),
                    "mqtt": version,
                    "sessionPresent": connected.session_present,
                    "elapsedMs": (millis * 1_000.0).round() / 1_000.0,
                })
            );
        } else {
            let head = self.paint.good("connected");
            let id = printable(&options.client_id);
            let endpoint = &options.endpoint;
            println!("{head}  {id} to {endpoint}, MQTT {version}, in {millis:.1} ms");
            println!("{}", self.paint.dim("waiting for messages; Ctrl-C ends"));
        }
    }

    pub(super) fn message(self, message: &Message) {
        if self.json {
            println!("{}", json_message(message));
        } else {
            print!("{}", self.text_message(message, &time_of_day(SystemTime::now())));
        }
    }

    /// Scripts see what arrives; people see what becomes of it as well.
    pub(super) fn acknowledged(self, packet_id: PacketId) {
        if !self.json {
            let time = time_of_day(SystemTime::now());
            println!("{}  {} packet {packet_id}", self.paint.dim(time), self.paint.good("PUBACK"));
        }
    }

    pub(super) fn ended(self, ending: &Ending) {
        if !self.json {
            return;
        }
        let (reason, text) = match ending {
            Ending::Told { reason, text } => (Some(reason.code()), text.as_deref()),
            Ending::Closed => (None, None),
        };
        println!("{}", json!({ "event": "disconnected", "reasonCode": reason, "reason": text }));
    }

    fn text_message(self, message: &Message, time: &str) -> String {
        let topic = self.paint.bold(printable(&message.topic));
        let qos = message.qos as u8;
        let mut text = format!("{}  {topic}  QoS {qos}", self.paint.dim(time));
        if let Some(id) = message.packet_id {
            let _ = write!(text, ", packet {id}");
        }
        let _ = writeln!(text, ", {} bytes", message.payload.len());
        for property in message.properties.as_properties().iter() {
            let (name, value) = spelled(&property);
            let value = value.as_str().map_or_else(|| value.to_string(), printable);
            let _ = writeln!(text, "    {}", self.paint.dim(format_args!("{name}: {value}")));
        }
        for line in payload_text(&message.payload).lines() {
            let _ = writeln!(text, "    {line}");
        }
        text
    }
}

fn json_message(message: &Message) -> Value {
    let mut properties = Map::new();
    let mut user_properties = Vec::new();
    for property in message.properties.as_properties().iter() {
        if let Property::UserProperty(name, value) = property {
            user_properties.push(json!({ name: value }));
        } else {
            let (name, value) = spelled(&property);
            properties.insert(name, value);
        }
    }
    if !user_properties.is_empty() {
        properties.insert("userProperties".to_owned(), user_properties.into());
    }
    let mut object = json!({
        "event": "message",
        "topic": message.topic,
        "qos": message.qos as u8,
        "packetId": message.packet_id.map(PacketId::get),
        "retain": message.retain,
        "dup": message.dup,
        "properties": properties,
    });
    match std::str::from_utf8(&message.payload) {
        Ok(text) => object["payload"] = text.into(),
        Err(_) => object["payloadHex"] = hex(&message.payload).into(),
    }
    object
}

/// A property's name, as the API of AWS spells it where it has it, and its value.
#[allow(clippy::wildcard_enum_match_arm, reason = "the others do not come in PUBLISH")]
fn spelled(property: &Property<'_>) -> (String, Value) {
    let (name, value) = match *property {
        Property::ContentType(text) => ("contentType", text.into()),
        Property::ResponseTopic(text) => ("responseTopic", text.into()),
        Property::CorrelationData(data) => match std::str::from_utf8(data) {
            Ok(text) => ("correlationData", text.into()),
            Err(_) => ("correlationDataHex", hex(data).into()),
        },
        Property::PayloadFormatIndicator(number) => ("payloadFormatIndicator", number.into()),
        Property::MessageExpiryInterval(seconds) => ("messageExpiryInterval", seconds.into()),
        Property::SubscriptionIdentifier(number) => ("subscriptionIdentifier", number.into()),
        Property::UserProperty(name, value) => return (format!("user {name}"), value.into()),
        // No others are allowed in PUBLISH, and topic aliases this client does not take.
        ref other => return (format!("property 0x{:02x}", other.id()), Value::Null),
    };
    (name.to_owned(), value)
}

fn payload_text(payload: &[u8]) -> String {
    match std::str::from_utf8(payload) {
        Ok(text) => printable(text),
        Err(_) if payload.len() > SHOWN_BYTES => format!("0x{}…", hex(&payload[..SHOWN_BYTES])),
        Err(_) => format!("0x{}", hex(payload)),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// `HH:MM:SS.mmm`, UTC.
fn time_of_day(now: SystemTime) -> String {
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = since.as_secs() % 86_400;
    let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
    format!("{hours:02}:{minutes:02}:{:02}.{:03}", seconds % 60, since.subsec_millis())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mqtt::{PropertiesBuf, QoS};

    use super::*;

    fn message(payload: &'static [u8]) -> Message {
        let mut properties = PropertiesBuf::new();
        for property in [
            Property::ContentType("text/plain"),
            Property::CorrelationData(&[0xff, 0]),
            Property::UserProperty("a", "b"),
            Property::UserProperty("a", "\x1b"),
        ] {
            properties.push(property).unwrap();
        }
        Message {
            topic: "commands/reboot".to_owned(),
            payload: payload.into(),
            qos: QoS::AtLeastOnce,
            packet_id: PacketId::new(7),
            properties,
            retain: false,
            dup: false,
        }
    }

    #[test]
    fn a_json_line_has_everything() {
        let object = json_message(&message(b"{}"));
        assert_eq!(object["topic"], "commands/reboot");
        assert_eq!(object["payload"], "{}");
        assert_eq!((&object["qos"], &object["packetId"]), (&json!(1), &json!(7)));
        assert_eq!(object["properties"]["contentType"], "text/plain");
        assert_eq!(object["properties"]["correlationDataHex"], "ff00");
        assert_eq!(object["properties"]["userProperties"], json!([{"a": "b"}, {"a": "\x1b"}]));
        assert_eq!(json_message(&message(b"\xff\x01"))["payloadHex"], "ff01");
    }

    #[test]
    fn people_see_topic_properties_and_payload_and_no_control_characters() {
        let report = Report::new(false);
        let text = report.text_message(&message(b"line\nline\x07"), "12:00:00.000");
        for line in ["    line\n", "    line\\u{7}\n", "contentType: text/plain", "user a: b"] {
            assert!(text.contains(line), "{text}");
        }
        assert!(text.contains("QoS 1, packet 7, 10 bytes"), "{text}");
        assert!(!text.contains('\x1b'), "{text}");
    }

    #[test]
    fn a_payload_that_is_no_text_is_shown_in_hexadecimal_and_cut() {
        assert_eq!(payload_text(&[0xff, 0x0a]), "0xff0a");
        assert!(payload_text(&[0xff; 65]).ends_with("ff…"));
        assert_eq!(payload_text(b""), "");
    }

    #[test]
    fn the_time_is_that_of_the_day() {
        let time = UNIX_EPOCH + Duration::from_millis(86_400_000 + 3_723_004);
        assert_eq!(time_of_day(time), "01:02:03.004");
    }
}
