//! The parameters of the call (spec 2.4).

use std::sync::Arc;

use engine::profile::Profile;
use identity::sigv4::Fields;
use mqtt::{PropertiesBuf, QoS};

use crate::head::Head;
use crate::ops::{properties, topic};
use crate::query::Query;
use crate::refused::Refused;

/// The checked parameters.
#[derive(Debug)]
pub(super) struct Input {
    pub(super) topic: Arc<str>,
    pub(super) qos: QoS,
    pub(super) retain: bool,
    /// How long the message lives, before the profile's bounds.
    pub(super) expiry_seconds: Option<u32>,
    pub(super) properties: PropertiesBuf,
}

/// What could be read of the request, for the log entry of a call that is refused.
#[derive(Debug, Default)]
pub(super) struct Request {
    pub(super) topic: Option<Arc<str>>,
    pub(super) retain: bool,
}

impl Input {
    /// Checks everything but the payload; `request` gets what could be read, whatever the end.
    pub(super) fn parse(
        label: &str,
        head: &Head<'_>,
        profile: &Profile,
        request: &mut Request,
    ) -> Result<Input, Refused> {
        let query = &Query::split(head.query);
        let topic: Arc<str> = topic::decode(label)?.into();
        request.topic = Some(Arc::clone(&topic));
        topic::published(&topic, profile)?;
        let qos = qos(query)?;
        let retain = query.boolean("retain").map_err(Refused::Retain)?.unwrap_or(false);
        request.retain = retain;
        let expiry_seconds = expiry_seconds(query)?;
        let properties = properties(query, head.headers)?;
        Ok(Input { topic, qos, retain, expiry_seconds, properties })
    }
}

fn qos(query: &Query<'_>) -> Result<QoS, Refused> {
    let value = query.parameter("qos").map_err(|error| Refused::Qos(error.sentence("qos")))?;
    match value.as_deref() {
        None | Some("0") => Ok(QoS::AtMostOnce),
        Some("1") => Ok(QoS::AtLeastOnce),
        Some(_) => Err(Refused::Qos("The query parameter qos must be 0 or 1.".into())),
    }
}

/// More seconds than a number has room for are as many as it has.
fn expiry_seconds(query: &Query<'_>) -> Result<Option<u32>, Refused> {
    const NAME: &str = "messageExpiry";
    let value =
        query.parameter(NAME).map_err(|error| Refused::MessageExpiry(error.sentence(NAME)))?;
    match value.as_deref() {
        None => Ok(None),
        Some(digits) if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            Ok(Some(digits.parse().unwrap_or(u32::MAX)))
        }
        Some(_) => Err(Refused::MessageExpiry(
            "The query parameter messageExpiry must be a whole number of seconds, 0 or more."
                .into(),
        )),
    }
}

fn properties(query: &Query<'_>, headers: Fields<'_>) -> Result<PropertiesBuf, Refused> {
    properties::parse(query, headers).map_err(Refused::Mqtt5Property)
}

#[cfg(test)]
mod tests {
    use engine::profile::{AWS, STANDARD};

    use super::*;

    fn parse_under(profile: &Profile, uri: &str, request: &mut Request) -> Result<Input, Refused> {
        let (parts, ()) = http::Request::post(uri).body(()).expect("a request").into_parts();
        let label = parts.uri.path().strip_prefix("/topics/").expect("a label").to_owned();
        let listed = crate::head::Listed::of(&parts.headers);
        Input::parse(&label, &listed.head(&parts), profile, request)
    }

    fn parse(uri: &str) -> Result<Input, Refused> {
        parse_under(&AWS, uri, &mut Request::default())
    }

    fn reason(uri: &str) -> &'static str {
        parse(uri).expect_err(uri).reason()
    }

    #[test]
    fn slashes_of_the_topic_may_be_encoded_or_not() {
        for uri in ["/topics/a/b%20c", "/topics/a%2Fb%20c", "/topics/a%2fb%20c"] {
            assert_eq!(&*parse(uri).expect(uri).topic, "a/b c");
        }
        assert_eq!(&*parse("/topics//a//").expect("valid").topic, "/a//");
    }

    #[test]
    fn the_documented_request_is_taken_in() {
        let plain = parse("/topics/t").expect("valid");
        assert_eq!((plain.qos, plain.retain, plain.expiry_seconds), (QoS::AtMostOnce, false, None));
        let input = parse("/topics/t?qos=1&retain=TRUE&messageExpiry=60&contentType=a&other=1");
        let input = input.expect("valid");
        assert_eq!(
            (input.qos, input.retain, input.expiry_seconds),
            (QoS::AtLeastOnce, true, Some(60))
        );
        assert_eq!(input.properties.as_properties().content_type(), Some("a"));
        let forever = parse("/topics/t?messageExpiry=99999999999999999999").expect("valid");
        assert_eq!(forever.expiry_seconds, Some(u32::MAX));
    }

    #[test]
    fn every_wrong_parameter_has_its_reason() {
        let long = "x".repeat(257);
        for topic in [
            "",
            "$aws",
            "$secret/x",
            "a%2F%2B",
            "%23",
            "1/2/3/4/5/6/7/8/9",
            "%00",
            "%ff",
            "%zz",
            &long,
        ] {
            assert_eq!(reason(&format!("/topics/{topic}")), "INVALID_TOPIC", "{topic}");
        }
        for (query, expected) in [
            ("qos=2", "INVALID_QOS_PARAMETER"),
            ("qos=", "INVALID_QOS_PARAMETER"),
            ("qos=0&qos=0", "INVALID_QOS_PARAMETER"),
            ("retain=1", "INVALID_RETAIN_PARAMETER"),
            ("retain=true&retain=true", "INVALID_RETAIN_PARAMETER"),
            ("messageExpiry=-1", "INVALID_MESSAGE_EXPIRY_PARAMETER"),
            ("messageExpiry=1.5", "INVALID_MESSAGE_EXPIRY_PARAMETER"),
            ("messageExpiry=", "INVALID_MESSAGE_EXPIRY_PARAMETER"),
            ("responseTopic=%2B", "INVALID_MQTT5_PROPERTY"),
        ] {
            assert_eq!(reason(&format!("/topics/t?{query}")), expected, "{query}");
        }
    }

    #[test]
    fn the_prefix_of_basic_ingest_does_not_count() {
        let rest = "x".repeat(256);
        assert!(parse(&format!("/topics/$aws/rules/lamps/{rest}")).is_ok());
        assert_eq!(reason(&format!("/topics/$aws/rules/lamps/{rest}x")), "INVALID_TOPIC");
        assert!(parse("/topics/%24aws%2Frules%2Flamps%2F1%2F2%2F3%2F4%2F5%2F6%2F7%2F8").is_ok());
    }

    #[test]
    fn the_standard_profile_has_its_own_topics() {
        let uri = format!("/topics/$mine/{}", "x".repeat(300));
        assert!(parse_under(&STANDARD, &uri, &mut Request::default()).is_ok());
        assert!(parse(&uri).is_err());
    }

    #[test]
    fn what_could_be_read_is_there_for_the_log() {
        let mut request = Request::default();
        assert!(parse_under(&AWS, "/topics/a%2F%23?retain=true", &mut request).is_err());
        assert_eq!((request.topic.as_deref(), request.retain), (Some("a/#"), false));
        assert!(parse_under(&AWS, "/topics/a?retain=true&messageExpiry=x", &mut request).is_err());
        assert_eq!((request.topic.as_deref(), request.retain), (Some("a"), true));
    }
}
