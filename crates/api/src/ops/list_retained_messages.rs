//! `GET /retainedMessage` (spec 2.5).

use broker::Node;
use engine::question::Question;
use engine::retained::Retained;
use serde_json::{Value, json};
use telemetry::event;

use super::page::Page;
use super::{Call, logged};
use crate::exchange::counted;
use crate::explanation::of_denial;
use crate::fault::Fault;
use crate::query::Query;
use crate::refused::Refused;
use crate::reply::Reply;

/// Answers a call and writes its log entry.
pub(crate) fn answer(node: &Node, call: &Call<'_>) -> Reply {
    let listed = list(node, call);
    let refused = listed.as_ref().err();
    let sentence = refused.map(Refused::sentence).unwrap_or_default();
    node.telemetry().record(&event::ListRetainedMessage {
        sender: logged(&call.sender, call.trace_id),
        refused: refused.map(|refused| refused.logged(&sentence)),
    });
    let reply = match listed {
        Ok(document) => Reply::document(call.trace_id, &document),
        Err(refused) => {
            let asked = Question::list_retained(&call.sender);
            let explanation =
                if refused.is_of_policies() { of_denial(node, &asked, &asked) } else { None };
            Reply::failure(call.trace_id, Fault::of_refused(&refused).explained(explanation))
        }
    };
    counted(node, reply)
}

fn list(node: &Node, call: &Call<'_>) -> Result<Value, Refused> {
    let page = Page::parse(&Query::split(call.head.query))?;
    node.access()
        .list_retained(&call.sender, node.now())
        .map_err(|_| Refused::Unauthorized("iot:ListRetainedMessages on *"))?;
    // One more tells whether there is another page.
    Ok(document(&node.retained_after(page.after.as_deref(), page.count + 1), &page))
}

fn document(found: &[Retained], page: &Page) -> Value {
    let (entries, next) = page.cut(found, |retained| retained.message.topic.as_str());
    let mut document = json!({ "retainedTopics": entries.iter().map(entry).collect::<Vec<_>>() });
    if let Some(next) = next {
        document["nextToken"] = next.into();
    }
    document
}

fn entry(retained: &Retained) -> Value {
    let message = &retained.message;
    json!({
        "topic": message.topic.as_str(),
        "payloadSize": message.payload.len(),
        "qos": message.qos as u8,
        "lastModifiedTime": retained.modified_millis,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use engine::message::Message;
    use mqtt::{PropertiesBuf, QoS, TopicName};

    use super::*;

    #[test]
    fn the_answer_has_the_members_of_the_model() {
        let found = ["a", "b"].map(|topic| {
            let message = Message {
                topic: TopicName::parse(topic).expect("a topic").into(),
                qos: QoS::AtMostOnce,
                retain: true,
                properties: PropertiesBuf::new(),
                payload: [0; 3].into(),
                expires: None,
            };
            Retained { message: Arc::new(message), modified_millis: 5, publisher: None }
        });
        let entry = json!({"topic": "a", "payloadSize": 3, "qos": 0, "lastModifiedTime": 5});
        let first = document(&found, &Page { after: None, count: 1 });
        assert_eq!(first["retainedTopics"], json!([entry]));
        assert!(first["nextToken"].is_string());
        let all = document(&found, &Page { after: None, count: 2 });
        assert_eq!(all.get("nextToken"), None);
        let none = document(&[], &Page { after: None, count: 1 });
        assert_eq!(none, json!({ "retainedTopics": [] }));
    }
}
