//! What is sent, and its spelling in HTTP (spec 1.1 and 1.2).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::percent::push_encoded;

/// A direct message with every parameter of the service model. What is `None` or empty is not
/// sent. Nothing is checked here: the server's answer to a mistake is part of what one may want to
/// see.
#[derive(Clone, Copy, Debug, Default)]
pub struct DirectMessage<'a> {
    /// The MQTT client ID of the receiver.
    pub client_id: &'a str,
    /// The topic the receiver sees.
    pub topic: &'a str,
    /// Whether to wait for the receiver's PUBACK; the server's default is not to.
    pub confirmation: Option<bool>,
    /// How long to wait for it, in whole seconds, 1 to 15; the server's default is 5.
    pub timeout: Option<u64>,
    /// MQTT 5.0 content type.
    pub content_type: Option<&'a str>,
    /// MQTT 5.0 response topic.
    pub response_topic: Option<&'a str>,
    /// MQTT 5.0 user properties, names and values.
    pub user_properties: &'a [(&'a str, &'a str)],
    /// MQTT 5.0 payload format indicator.
    pub payload_format: Option<PayloadFormat>,
    /// MQTT 5.0 correlation data.
    pub correlation_data: Option<&'a [u8]>,
    /// The application's bytes.
    pub payload: &'a [u8],
}

/// What the payload is said to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PayloadFormat {
    /// Bytes of any kind.
    UnspecifiedBytes,
    /// Text in UTF-8.
    Utf8Data,
}

impl PayloadFormat {
    const fn as_str(self) -> &'static str {
        match self {
            PayloadFormat::UnspecifiedBytes => "UNSPECIFIED_BYTES",
            PayloadFormat::Utf8Data => "UTF8_DATA",
        }
    }
}

impl DirectMessage<'_> {
    /// The raw path and the raw query, without the `?` between them.
    pub(super) fn path_and_query(&self) -> (String, String) {
        let mut path = String::from("/connections/");
        push_encoded(&mut path, self.client_id);
        path.push_str("/messages");

        let mut query = String::from("topic=");
        push_encoded(&mut query, self.topic);
        let timeout = self.timeout.map(|seconds| seconds.to_string());
        let optional = [
            ("confirmation", self.confirmation.map(|yes| if yes { "true" } else { "false" })),
            ("timeout", timeout.as_deref()),
            ("contentType", self.content_type),
            ("responseTopic", self.response_topic),
        ];
        for (name, value) in optional {
            let Some(value) = value else { continue };
            query.push('&');
            query.push_str(name);
            query.push('=');
            push_encoded(&mut query, value);
        }
        (path, query)
    }

    /// The headers that carry MQTT 5.0 properties.
    pub(super) fn headers(&self) -> impl Iterator<Item = (&'static str, String)> {
        let user_properties = (!self.user_properties.is_empty()).then(|| self.user_properties());
        [
            ("x-amz-mqtt5-user-properties", user_properties),
            (
                "x-amz-mqtt5-payload-format-indicator",
                self.payload_format.map(|format| format.as_str().to_owned()),
            ),
            ("x-amz-mqtt5-correlation-data", self.correlation_data.map(|data| BASE64.encode(data))),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
    }

    /// Base64 of a JSON array of objects with one member each.
    fn user_properties(&self) -> String {
        let object = |(name, value): &(&str, &str)| serde_json::json!({ *name: value });
        let array: serde_json::Value = self.user_properties.iter().map(object).collect();
        BASE64.encode(array.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(message: &DirectMessage<'_>) -> String {
        let (path, query) = message.path_and_query();
        format!("{path}?{query}")
    }

    #[test]
    fn what_is_not_given_is_not_sent() {
        let message = DirectMessage { client_id: "a", topic: "b", ..DirectMessage::default() };
        assert_eq!(parts(&message), "/connections/a/messages?topic=b");
        assert_eq!(message.headers().count(), 0);
    }

    #[test]
    fn parameters_are_encoded_as_boto3_does_it() {
        let message = DirectMessage {
            client_id: "a/b c+~",
            topic: "commands/re boot",
            confirmation: Some(true),
            timeout: Some(10),
            content_type: Some("application/json; v=1"),
            response_topic: Some("responses/é"),
            ..DirectMessage::default()
        };
        assert_eq!(
            parts(&message),
            "/connections/a%2Fb%20c%2B~/messages?topic=commands%2Fre%20boot&confirmation=true\
             &timeout=10&contentType=application%2Fjson%3B%20v%3D1&responseTopic=responses%2F%C3%A9"
        );
    }

    #[test]
    fn false_is_sent_too() {
        let message = DirectMessage { confirmation: Some(false), ..DirectMessage::default() };
        assert_eq!(parts(&message), "/connections//messages?topic=&confirmation=false");
    }

    #[test]
    fn user_properties_are_single_member_objects_in_order() {
        let message = DirectMessage {
            user_properties: &[("b", "1"), ("a", "\"2\""), ("b", "")],
            ..DirectMessage::default()
        };
        let (_, value) = message.headers().next().unwrap();
        let json = BASE64.decode(value).unwrap();
        assert_eq!(json, br#"[{"b":"1"},{"a":"\"2\""},{"b":""}]"#);
    }

    #[test]
    fn the_other_headers_have_their_names_and_spellings() {
        let message = DirectMessage {
            payload_format: Some(PayloadFormat::Utf8Data),
            correlation_data: Some(&[0, 255]),
            ..DirectMessage::default()
        };
        let headers: Vec<_> = message.headers().collect();
        let expected = [
            ("x-amz-mqtt5-payload-format-indicator", "UTF8_DATA".to_owned()),
            ("x-amz-mqtt5-correlation-data", "AP8=".to_owned()),
        ];
        assert_eq!(headers, expected);
    }
}
