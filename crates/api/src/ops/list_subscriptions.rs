//! `GET /connections/{clientId}/subscriptions` (spec 2.3).

use broker::Node;
use engine::question::Question;
use mqtt::{ClientId, QoS};
use serde_json::{Value, json};
use telemetry::event;

use super::page::Page;
use super::{Call, client_id, logged};
use crate::exchange::counted;
use crate::explanation::of_denial;
use crate::fault::Fault;
use crate::query::Query;
use crate::refused::Refused;
use crate::reply::Reply;

/// Answers a call and writes its log entry. `label` is the client ID, still percent-encoded.
pub(crate) fn answer(node: &Node, label: &str, call: &Call<'_>) -> Reply {
    let client_id = client_id::of_label(label).map_err(Refused::ClientId);
    let page = Page::parse(&Query::split(call.head.query));
    let listed = match (&client_id, &page) {
        (Ok(client_id), Ok(page)) => list(node, client_id, page, call),
        (Err(refused), _) | (_, Err(refused)) => Err(refused.clone()),
    };
    let refused = listed.as_ref().err();
    let sentence = refused.map(Refused::sentence).unwrap_or_default();
    node.telemetry().record(&event::ListSubscriptions {
        operation: event::ClientOperation {
            sender: logged(&call.sender, call.trace_id),
            client_id: &client_id::logged(label),
            refused: refused.map(|refused| refused.logged(&sentence)),
        },
        max_results: page.as_ref().ok().map(|page| page.count),
    });
    let reply = match listed {
        Ok(document) => Reply::document(call.trace_id, &document),
        Err(refused) => {
            let asked = client_id.as_ref().ok().filter(|_| refused.is_of_policies());
            let explanation = asked.and_then(|client_id| {
                let asked = Question::list_subscriptions(&call.sender, client_id);
                of_denial(node, &asked, &asked)
            });
            Reply::failure(call.trace_id, Fault::of_refused(&refused).explained(explanation))
        }
    };
    counted(node, reply)
}

/// Whether there is such a client is told only to who may list its subscriptions.
fn list(node: &Node, client_id: &ClientId, page: &Page, call: &Call<'_>) -> Result<Value, Refused> {
    let permit = node
        .access()
        .list_subscriptions(&call.sender, client_id, node.now())
        .map_err(|_| Refused::Unauthorized("iot:ListSubscriptions on this client"))?;
    // One more tells whether there is another page.
    let count = page.count + 1;
    let found = node.list_subscriptions(permit, client_id, page.after.as_deref(), count)?;
    Ok(document(&found, page))
}

fn document(found: &[(Box<str>, QoS)], page: &Page) -> Value {
    let (entries, next) = page.cut(found, |(filter, _)| filter);
    let entry = |(filter, qos): &(Box<str>, QoS)| json!({"topicFilter": filter, "qos": *qos as u8});
    let mut document = json!({ "subscriptions": entries.iter().map(entry).collect::<Vec<_>>() });
    if let Some(next) = next {
        document["nextToken"] = next.into();
    }
    document
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_has_the_members_of_the_model() {
        let found = [("$share/g/a/+".into(), QoS::AtLeastOnce), ("a".into(), QoS::AtMostOnce)];
        let shared = json!({"topicFilter": "$share/g/a/+", "qos": 1});
        let all = json!({"subscriptions": [shared, {"topicFilter": "a", "qos": 0}]});
        assert_eq!(document(&found, &Page { after: None, count: 2 }), all);
        let first = document(&found, &Page { after: None, count: 1 });
        assert_eq!(first["subscriptions"], json!([shared]));
        assert!(first["nextToken"].is_string());
        let none = document(&[], &Page { after: None, count: 1 });
        assert_eq!(none, json!({"subscriptions": []}));
    }
}
