//! `GET /retainedMessage` (spec 2.5).

use broker::Node;
use engine::question::Question;
use engine::retained::Retained;
use serde_json::{Value, json};
use telemetry::event;

use super::{Call, logged, page_token};
use crate::exchange::counted;
use crate::explanation::of_denial;
use crate::fault::Fault;
use crate::query::Query;
use crate::refused::Refused;
use crate::reply::Reply;

/// Fewest and most topics of one page (spec 2.5).
const MAX_RESULTS: std::ops::RangeInclusive<usize> = 1..=200;

/// Topics of a page when the caller names no number. AWS does not say; this is what it does for
/// ListSubscriptions (spec 2.3).
const MAX_RESULTS_DEFAULT: usize = 20;

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
    let Page { after, count } = Page::parse(&Query::split(call.head.query))?;
    node.access()
        .list_retained(&call.sender, node.now())
        .map_err(|_| Refused::Unauthorized("iot:ListRetainedMessages on *"))?;
    // One more tells whether there is another page.
    Ok(document(&node.retained_after(after.as_deref(), count + 1), count))
}

/// Which part of the list is asked for.
#[derive(Debug, PartialEq, Eq)]
struct Page {
    /// The last topic of the page before: pages follow each other by topic, so that what comes and
    /// goes meanwhile moves nothing from one to the other.
    after: Option<String>,
    count: usize,
}

impl Page {
    fn parse(query: &Query<'_>) -> Result<Page, Refused> {
        let max_results = query
            .parameter("maxResults")
            .map_err(|error| Refused::MaxResults(error.sentence("maxResults")))?;
        let count = match max_results.as_deref() {
            None => Some(MAX_RESULTS_DEFAULT),
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().ok(),
            Some(_) => None,
        };
        let count = count.filter(|count| MAX_RESULTS.contains(count)).ok_or_else(|| {
            Refused::MaxResults(format!(
                "The query parameter maxResults must be a whole number from {} to {}.",
                MAX_RESULTS.start(),
                MAX_RESULTS.end()
            ))
        })?;
        let token = query
            .parameter("nextToken")
            .map_err(|error| Refused::NextToken(error.sentence("nextToken")))?;
        let after = match token {
            None => None,
            Some(token) => Some(page_token::decode(&token).ok_or_else(|| {
                Refused::NextToken(
                    "The query parameter nextToken is none that a page of this list had; give it \
                     as it came, or leave it out to begin at the beginning."
                        .into(),
                )
            })?),
        };
        Ok(Page { after, count })
    }
}

/// The first `count` of what was found; there is another page if more was.
fn document(found: &[Retained], count: usize) -> Value {
    let page = &found[..found.len().min(count)];
    let mut document = json!({ "retainedTopics": page.iter().map(entry).collect::<Vec<_>>() });
    if let (true, Some(last)) = (found.len() > count, page.last()) {
        document["nextToken"] = page_token::encode(last.message.topic.as_str()).into();
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

    fn parse(query: &str) -> Result<Page, Refused> {
        Page::parse(&Query::split(query))
    }

    #[test]
    fn a_page_begins_after_the_one_before() {
        assert_eq!(parse(""), Ok(Page { after: None, count: 20 }));
        let query = format!("maxResults=200&nextToken={}", page_token::encode("a/b"));
        assert_eq!(parse(&query), Ok(Page { after: Some("a/b".into()), count: 200 }));
    }

    #[test]
    fn every_wrong_parameter_has_its_reason() {
        for value in ["0", "201", "-1", "+1", "", "many", "99999999999999999999", "1&maxResults=1"]
        {
            let refused = parse(&format!("maxResults={value}")).expect_err(value);
            assert_eq!(refused.reason(), "INVALID_MAX_RESULTS_PARAMETER");
        }
        let token = page_token::encode("a");
        for value in ["", "a", "no%20token", &format!("{token}&nextToken={token}")] {
            let refused = parse(&format!("nextToken={value}")).expect_err(value);
            assert_eq!(refused.reason(), "INVALID_NEXT_TOKEN_PARAMETER");
        }
    }

    #[test]
    fn only_a_page_that_is_followed_by_another_has_a_token() {
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
        let expected = json!({ "retainedTopics": [entry], "nextToken": page_token::encode("a") });
        assert_eq!(document(&found, 1), expected);
        assert_eq!(document(&found, 2).get("nextToken"), None);
        assert_eq!(document(&[], 1), json!({ "retainedTopics": [] }));
    }
}
