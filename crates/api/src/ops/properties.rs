//! The MQTT 5 properties of a message over HTTP: two query parameters and three headers (spec 1.2
//! and 2.4).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use engine::limits::{CONTENT_TYPE_BYTES, CORRELATION_DATA_BYTES, USER_PROPERTIES_BYTES};
use engine::message::Message;
use identity::sigv4::{Fields, Headers};
use mqtt::{PropertiesBuf, Property};
use serde_json::{Map, Value};

use super::topic;
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
    if let Some(content_type) = text(query, "contentType")? {
        if content_type.len() > CONTENT_TYPE_BYTES {
            return Err(format!("contentType is longer than {CONTENT_TYPE_BYTES} bytes."));
        }
        push(&mut properties, "contentType", Property::ContentType(&content_type))?;
    }
    if let Some(topic) = text(query, "responseTopic")? {
        topic::addressed(&topic).map_err(|what| format!("responseTopic {what}."))?;
        push(&mut properties, "responseTopic", Property::ResponseTopic(&topic))?;
    }
    if let Some(indicator) = header(&headers, PAYLOAD_FORMAT)? {
        let indicator = payload_format(indicator)?;
        push(&mut properties, PAYLOAD_FORMAT, Property::PayloadFormatIndicator(indicator))?;
    }
    if let Some(encoded) = header(&headers, CORRELATION_DATA)? {
        let data = base64(CORRELATION_DATA, encoded)?;
        if data.len() > CORRELATION_DATA_BYTES {
            return Err(format!(
                "{CORRELATION_DATA} decodes to more than {CORRELATION_DATA_BYTES} bytes."
            ));
        }
        push(&mut properties, CORRELATION_DATA, Property::CorrelationData(&data))?;
    }
    if let Some(encoded) = header(&headers, USER_PROPERTIES)? {
        push_user_properties(&mut properties, encoded)?;
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

fn push_user_properties(properties: &mut PropertiesBuf, encoded: &str) -> Result<(), String> {
    let shape = || {
        format!(
            "{USER_PROPERTIES} must be the base64 text of a JSON array of objects with one string \
             member each, for example [{{\"deviceName\":\"alpha\"}},{{\"deviceCnt\":\"45\"}}]."
        )
    };
    let json = base64(USER_PROPERTIES, encoded)?;
    let Ok(Value::Array(elements)) = serde_json::from_slice(&json) else { return Err(shape()) };
    let mut total = 0;
    for element in &elements {
        let Value::Object(members) = element else { return Err(shape()) };
        let mut members = members.iter();
        let (Some((key, Value::String(value))), None) = (members.next(), members.next()) else {
            return Err(shape());
        };
        total += key.len() + value.len();
        if total > USER_PROPERTIES_BYTES {
            return Err(format!(
                "{USER_PROPERTIES} has more than {USER_PROPERTIES_BYTES} bytes of keys and values."
            ));
        }
        push(properties, USER_PROPERTIES, Property::UserProperty(key, value))?;
    }
    Ok(())
}

fn payload_format(indicator: &str) -> Result<u8, String> {
    match indicator {
        "UNSPECIFIED_BYTES" => Ok(0),
        "UTF8_DATA" => Ok(1),
        _ => Err(format!("{PAYLOAD_FORMAT} must be UNSPECIFIED_BYTES or UTF8_DATA.")),
    }
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

fn base64(name: &str, encoded: &str) -> Result<Vec<u8>, String> {
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
