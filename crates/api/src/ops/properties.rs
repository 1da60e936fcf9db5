//! The MQTT 5 properties of a message over HTTP: two query parameters and three headers (spec 1.2
//! and 2.4).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use engine::limits::{CONTENT_TYPE_BYTES, CORRELATION_DATA_BYTES};
use engine::message::Message;
use identity::sigv4::{Fields, Headers};
use mqtt::{PropertiesBuf, Property};
use serde_json::{Map, Value};

use super::topic;
use super::user_properties::{UserProperties, shape};
use crate::query::Query;

pub(crate) const USER_PROPERTIES: &str = "x-amz-mqtt5-user-properties";
const PAYLOAD_FORMAT: &str = "x-amz-mqtt5-payload-format-indicator";
const CORRELATION_DATA: &str = "x-amz-mqtt5-correlation-data";

/// Reads all five.
///
/// # Errors
/// The sentence for the sender.
pub(crate) fn parse(query: &Query<'_>, headers: Fields<'_>) -> Result<PropertiesBuf, String> {
    let mut properties = PropertiesBuf::new();
    if let Some(text) = text(query, "contentType")? {
        content_type(&mut properties, &text)?;
    }
    if let Some(text) = text(query, "responseTopic")? {
        response_topic(&mut properties, &text)?;
    }
    if let Some(indicator) = header(&headers, PAYLOAD_FORMAT)? {
        payload_format(&mut properties, PAYLOAD_FORMAT, indicator)?;
    }
    if let Some(encoded) = header(&headers, CORRELATION_DATA)? {
        correlation_data(&mut properties, CORRELATION_DATA, encoded)?;
    }
    if let Some(encoded) = header(&headers, USER_PROPERTIES)? {
        let json = base64(USER_PROPERTIES, encoded)?;
        let form = "the base64 text of a JSON array";
        let parsed: Result<UserProperties, _> = serde_json::from_slice(&json);
        let parsed = parsed.map_err(|_| shape(USER_PROPERTIES, form))?;
        parsed.add(&mut properties, (USER_PROPERTIES, form))?;
    }
    Ok(properties)
}

/// The user properties of a message in the form in which a sender gives them, the base64 text of a
/// JSON array; none if it has none.
pub(crate) fn encode_user_properties(message: &Message) -> Option<String> {
    let pairs: Vec<Value> = message
        .properties
        .as_properties()
        .user_properties()
        .map(|(name, value)| Value::Object(Map::from_iter([(name.to_owned(), value.into())])))
        .collect();
    (!pairs.is_empty()).then(|| STANDARD.encode(Value::Array(pairs).to_string()))
}

/// Adds a content type.
///
/// # Errors
/// The sentence for the sender, here and below; `name` is what the sender calls the property.
pub(crate) fn content_type(properties: &mut PropertiesBuf, text: &str) -> Result<(), String> {
    if text.len() > CONTENT_TYPE_BYTES {
        return Err(format!("contentType is longer than {CONTENT_TYPE_BYTES} bytes."));
    }
    push(properties, "contentType", Property::ContentType(text))
}

/// Adds a response topic.
pub(crate) fn response_topic(properties: &mut PropertiesBuf, text: &str) -> Result<(), String> {
    topic::addressed(text).map_err(|what| format!("responseTopic {what}."))?;
    push(properties, "responseTopic", Property::ResponseTopic(text))
}

/// Adds what the payload is, in AWS's words.
pub(crate) fn payload_format(
    properties: &mut PropertiesBuf,
    name: &str,
    indicator: &str,
) -> Result<(), String> {
    let indicator = match indicator {
        "UNSPECIFIED_BYTES" => 0,
        "UTF8_DATA" => 1,
        _ => return Err(format!("{name} must be UNSPECIFIED_BYTES or UTF8_DATA.")),
    };
    push(properties, name, Property::PayloadFormatIndicator(indicator))
}

/// Adds correlation data, in base64.
pub(crate) fn correlation_data(
    properties: &mut PropertiesBuf,
    name: &str,
    encoded: &str,
) -> Result<(), String> {
    let data = base64(name, encoded)?;
    if data.len() > CORRELATION_DATA_BYTES {
        return Err(format!("{name} decodes to more than {CORRELATION_DATA_BYTES} bytes."));
    }
    push(properties, name, Property::CorrelationData(&data))
}

fn text<'a>(query: &Query<'a>, name: &str) -> Result<Option<std::borrow::Cow<'a, str>>, String> {
    query.parameter(name).map_err(|error| error.sentence(name))
}

fn header<'a>(headers: &'a Fields<'_>, name: &'static str) -> Result<Option<&'a str>, String> {
    let mut values = headers.all(name);
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(format!("The header {name} stands more than once; give it once."));
    }
    match std::str::from_utf8(value) {
        Ok(value) if value.is_ascii() => Ok(Some(value.trim_ascii())),
        Ok(_) | Err(_) => Err(format!("The header {name} has characters other than ASCII.")),
    }
}

/// The bytes of a base64 text.
pub(crate) fn base64(name: &str, encoded: &str) -> Result<Vec<u8>, String> {
    STANDARD.decode(encoded).map_err(|error| format!("{name} is not base64: {error}."))
}

fn push(properties: &mut PropertiesBuf, name: &str, property: Property<'_>) -> Result<(), String> {
    properties.push(property).map_err(|error| format!("{name}: {error}."))
}

#[cfg(test)]
mod tests {
    use identity::sigv4::Field;

    use super::*;

    fn with(name: &'static str, value: &str) -> Result<PropertiesBuf, String> {
        let fields = [Field { name, value: value.as_bytes() }];
        parse(&Query::split(""), Fields::new(&fields))
    }

    #[test]
    fn user_properties_keep_their_order_and_repetitions() {
        let json = STANDARD.encode(r#"[{"a":"1"},{"a":"2"},{"b":""}]"#);
        let properties = with(USER_PROPERTIES, &json).expect("valid");
        let pairs: Vec<_> = properties.as_properties().user_properties().collect();
        assert_eq!(pairs, [("a", "1"), ("a", "2"), ("b", "")]);
    }

    #[test]
    fn other_shapes_of_user_properties_are_refused() {
        for json in [
            r#"{"a":"1"}"#,
            r#"[{"name":"a","value":"1"}]"#,
            r#"[{"a":1}]"#,
            "[{}]",
            r#"["a"]"#,
            "[",
            "",
            r#"[{"a":"\u0000"}]"#,
            r#"[{"a":"1","a":"2"}]"#,
        ] {
            assert!(with(USER_PROPERTIES, &STANDARD.encode(json)).is_err(), "{json}");
        }
        assert!(with(USER_PROPERTIES, "***").is_err());
        let large = STANDARD.encode(format!(r#"[{{"a":"{}"}}]"#, "x".repeat(8 * 1024)));
        assert!(with(USER_PROPERTIES, &large).is_err());
    }

    #[test]
    fn the_other_properties_are_checked() {
        assert!(with(PAYLOAD_FORMAT, "UTF8_DATA").is_ok());
        assert!(with(PAYLOAD_FORMAT, "utf8").is_err());
        assert!(with(CORRELATION_DATA, "AAH/").is_ok());
        assert!(with(CORRELATION_DATA, "AAH").is_err());
        let headers = Fields::new(&[]);
        assert!(parse(&Query::split("responseTopic=a%2F%2B"), headers).is_err());
        let long = format!("contentType={}", "x".repeat(257));
        assert!(parse(&Query::split(&long), headers).is_err());
        let query = Query::split("contentType=a%2Fb&responseTopic=r");
        let properties = parse(&query, headers).expect("valid");
        assert_eq!(properties.as_properties().content_type(), Some("a/b"));
        assert_eq!(properties.as_properties().response_topic(), Some("r"));
    }
}
