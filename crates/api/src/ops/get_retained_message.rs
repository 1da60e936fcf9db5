//! `GET /retainedMessage/{topic}` (spec 2.5).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use broker::Node;
use engine::question::Question;
use engine::retained::Retained;
use mqtt::TopicName;
use serde_json::{Value, json};
use telemetry::event;

use super::{Call, logged, properties, topic};
use crate::exchange::counted;
use crate::explanation::of_denial;
use crate::fault::Fault;
use crate::refused::Refused;
use crate::reply::Reply;

/// Answers a call and writes its log entry. `label` is the topic, still percent-encoded.
pub(crate) fn answer(node: &Node, label: &str, call: &Call<'_>) -> Reply {
    let decoded = topic::decode(label);
    let named = decoded.as_deref().unwrap_or_default().to_owned();
    let found = decoded.and_then(|topic| find(node, &topic, call));
    let (retained, refused) = match &found {
        Ok(retained) => (Some(retained), None),
        Err(refused) => (None, Some(refused)),
    };
    let sentence = refused.map(Refused::sentence).unwrap_or_default();
    node.telemetry().record(&event::GetRetainedMessage {
        sender: logged(&call.sender, call.trace_id),
        topic: &named,
        found: retained.map(|retained| (retained.message.qos, retained.modified_millis)),
        refused: refused.map(|refused| refused.logged(&sentence)),
    });
    let reply = match found {
        Ok(retained) => Reply::document(call.trace_id, &document(&retained)),
        Err(refused) => {
            let explanation = explanation(node, &refused, &named, call);
            Reply::failure(call.trace_id, Fault::of_refused(&refused).explained(explanation))
        }
    };
    counted(node, reply)
}

/// Why policies refused the call, if they did and the sender may know.
fn explanation(node: &Node, refused: &Refused, topic: &str, call: &Call<'_>) -> Option<Value> {
    let topic = TopicName::parse(topic).ok().filter(|_| refused.is_of_policies())?;
    let asked = Question::get_retained(&call.sender, topic);
    of_denial(node, &asked, &asked)
}

/// Whether there is a message is told only to who may read it.
fn find(node: &Node, text: &str, call: &Call<'_>) -> Result<Retained, Refused> {
    let topic = topic::published(text, node.rules().profile)?;
    node.access()
        .get_retained(&call.sender, topic, node.now())
        .map_err(|_| Refused::Unauthorized("iot:GetRetainedMessage on this topic"))?;
    node.retained(topic.as_str()).ok_or(Refused::NothingRetained)
}

fn document(retained: &Retained) -> Value {
    let message = &retained.message;
    json!({
        "topic": message.topic.as_str(),
        "payload": STANDARD.encode(&message.payload),
        "qos": message.qos as u8,
        "lastModifiedTime": retained.modified_millis,
        "userProperties": properties::encode_user_properties(message),
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use engine::message::Message;
    use mqtt::{PropertiesBuf, Property, QoS, TopicName};

    use super::*;

    fn retained(properties: PropertiesBuf) -> Retained {
        let message = Message {
            topic: TopicName::parse("a/b").expect("a topic").into(),
            qos: QoS::AtLeastOnce,
            retain: true,
            properties,
            payload: [0, 255].into(),
            expires: None,
        };
        Retained { message: Arc::new(message), modified_millis: 1_700_000_000_123, publisher: None }
    }

    #[test]
    fn the_answer_has_the_members_of_the_model() {
        let expected = json!({
            "topic": "a/b", "payload": "AP8=", "qos": 1, "lastModifiedTime": 1_700_000_000_123_u64,
            "userProperties": null,
        });
        assert_eq!(document(&retained(PropertiesBuf::new())), expected);
    }

    #[test]
    fn user_properties_keep_their_order_and_repetitions() {
        let mut properties = PropertiesBuf::new();
        for (name, value) in [("b", "1"), ("a", "2"), ("b", "ü\"")] {
            properties.push(Property::UserProperty(name, value)).expect("valid");
        }
        let document = document(&retained(properties));
        let encoded = document["userProperties"].as_str().expect("a text");
        let json = STANDARD.decode(encoded).expect("base64");
        assert_eq!(String::from_utf8(json).expect("JSON"), r#"[{"b":"1"},{"a":"2"},{"b":"ü\""}]"#);
    }
}
