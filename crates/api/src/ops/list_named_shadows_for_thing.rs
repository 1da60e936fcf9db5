//! `GET /api/things/shadow/ListNamedShadowsForThing/{thingName}` (spec 10.1).

use broker::Node;
use engine::question::{Question, ShadowAction};
use serde_json::{Value, json};
use shadow::ShadowId;
use telemetry::event;

use super::thing_shadow::{check_thing, thing_name};
use super::{Call, page_token};
use crate::exchange::counted;
use crate::explanation::of_denial;
use crate::fault::Fault;
use crate::query::Query;
use crate::refused::Refused;
use crate::reply::Reply;

/// Fewest and most names of one page (spec 10.1).
const PAGE_SIZE: std::ops::RangeInclusive<usize> = 1..=100;

/// Names of a page when the caller names no number; AWS does not say.
const PAGE_SIZE_DEFAULT: usize = 25;

/// Answers a call and writes its log entry. `label` is the thing, still percent-encoded.
pub(crate) fn answer(node: &Node, label: &str, call: &Call<'_>) -> Reply {
    let thing = thing_name(label);
    let named = thing.as_deref().unwrap_or_default().to_owned();
    let listed = thing.and_then(|thing| list(node, &thing, call));
    let refused = listed.as_ref().err();
    let sentence = refused.map(Refused::sentence).unwrap_or_default();
    let sender = &call.sender;
    node.telemetry().record(&event::ListNamedShadowsForThing(event::ShadowRequest {
        trace_id: call.trace_id,
        protocol: event::Protocol::Http,
        client_id: None,
        principal_id: &sender.principal.id,
        source: sender.source,
        shadow_name: &named,
        topic: "",
        refused: refused.map(|refused| refused.logged(&sentence)),
    }));
    let reply = match listed {
        Ok(document) => Reply::document(call.trace_id, &document),
        Err(refused) => {
            let asked = Question::shadow(sender, ShadowAction::List, &named);
            let explanation =
                if refused.is_of_policies() { of_denial(node, &asked, &asked) } else { None };
            Reply::failure(call.trace_id, Fault::of_refused(&refused).explained(explanation))
        }
    };
    counted(node, reply)
}

fn list(node: &Node, thing: &str, call: &Call<'_>) -> Result<Value, Refused> {
    check_thing(thing)?;
    let Page { start, count } = Page::parse(thing, &Query::split(call.head.query))?;
    let now = node.now();
    let permit = node
        .access()
        .shadow(&call.sender, ShadowAction::List, thing, now)
        .map_err(|_| Refused::Unauthorized("iot:ListNamedShadowsForThing on this thing"))?;
    // One more tells whether there is another page.
    let found = node.named_shadows_after(permit, &start, count + 1).map_err(|quota| {
        node.telemetry().metrics().throttled(quota);
        Refused::Throttled(quota)
    })?;
    Ok(document(&found, count, node.access().epoch_seconds(now)))
}

/// Which part of the list is asked for.
#[derive(Debug, PartialEq, Eq)]
struct Page {
    /// What comes before its first: the last shadow of the page before, or the classic one.
    start: ShadowId,
    count: usize,
}

impl Page {
    fn parse(thing: &str, query: &Query<'_>) -> Result<Page, Refused> {
        let page_size = query
            .parameter("pageSize")
            .map_err(|error| Refused::PageSize(error.sentence("pageSize")))?;
        let count = match page_size.as_deref() {
            None => Some(PAGE_SIZE_DEFAULT),
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().ok(),
            Some(_) => None,
        };
        let count = count.filter(|count| PAGE_SIZE.contains(count)).ok_or_else(|| {
            Refused::PageSize(format!(
                "The query parameter pageSize must be a whole number from {} to {}.",
                PAGE_SIZE.start(),
                PAGE_SIZE.end()
            ))
        })?;
        let token = query
            .parameter("nextToken")
            .map_err(|error| Refused::NextToken(error.sentence("nextToken")))?;
        let start = match token.as_deref() {
            None => ShadowId::new(thing, None).ok(),
            Some(token) => {
                page_token::decode(token).and_then(|after| ShadowId::new(thing, Some(&after)).ok())
            }
        };
        let start = start.ok_or_else(|| {
            Refused::NextToken(
                "The query parameter nextToken is none that a page of this list had; give it as it \
                 came, or leave it out to begin at the beginning."
                    .into(),
            )
        })?;
        Ok(Page { start, count })
    }
}

/// The first `count` of what was found; there is another page if more was.
fn document(found: &[String], count: usize, now: i64) -> Value {
    let page = &found[..found.len().min(count)];
    let mut document = json!({ "results": page, "timestamp": now });
    if let (true, Some(last)) = (found.len() > count, page.last()) {
        document["nextToken"] = page_token::encode(last).into();
    }
    document
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(query: &str) -> Result<Page, Refused> {
        Page::parse("lamp", &Query::split(query))
    }

    fn id(name: Option<&str>) -> ShadowId {
        ShadowId::new("lamp", name).expect("valid")
    }

    #[test]
    fn a_page_begins_after_the_one_before() {
        assert_eq!(parse(""), Ok(Page { start: id(None), count: PAGE_SIZE_DEFAULT }));
        let query = format!("pageSize=100&nextToken={}", page_token::encode("$b"));
        assert_eq!(parse(&query), Ok(Page { start: id(Some("$b")), count: 100 }));
    }

    #[test]
    fn every_wrong_parameter_has_its_reason() {
        for value in ["0", "101", "-1", "+1", "", "x", "99999999999999999999", "1&pageSize=1"] {
            let refused = parse(&format!("pageSize={value}")).expect_err(value);
            assert_eq!(refused.reason(), "INVALID_PAGE_SIZE_PARAMETER");
        }
        let other = page_token::encode("a topic/of another list");
        for value in ["", "a", "no%20token", &other] {
            let refused = parse(&format!("nextToken={value}")).expect_err(value);
            assert_eq!(refused.reason(), "INVALID_NEXT_TOKEN_PARAMETER");
        }
    }

    #[test]
    fn only_a_page_that_is_followed_by_another_has_a_token() {
        let found = ["a".to_owned(), "b".to_owned()];
        let expected =
            json!({ "results": ["a"], "timestamp": 5, "nextToken": page_token::encode("a") });
        assert_eq!(document(&found, 1, 5), expected);
        assert_eq!(document(&found, 2, 5).get("nextToken"), None);
        assert_eq!(document(&[], 1, 5), json!({ "results": [], "timestamp": 5 }));
    }
}
