//! What the operations on one shadow have in common: whose it is, who may, and the log entry.

use std::borrow::Cow;
use std::sync::Arc;

use broker::Node;
use engine::access::{Peer, ShadowPermit};
use engine::question::{Question, ShadowAction};
use serde_json::Value;
use shadow::{Operation, Rejected, Request, RequestTopic, ShadowId, check_thing_name};
use telemetry::{TraceId, event};

use super::Call;
use crate::exchange::{Begun, Later, counted};
use crate::explanation::of_denial;
use crate::fault::Fault;
use crate::percent;
use crate::query::Query;
use crate::refused::Refused;
use crate::reply::Reply;

/// A request to a shadow that is about to be done. Its sender is answered once what the answer tells
/// is durable.
pub struct AskingShadow {
    ledger: Ledger,
    permit: ShadowPermit,
    topic: RequestTopic,
    request: Result<Request, Rejected>,
}

/// Checks whose shadow it is and whether the sender may. `parse` reads the request out of the body.
pub(super) fn begin<'a>(
    node: &Arc<Node>,
    operation: Operation,
    label: &str,
    call: Call<'a>,
    parse: impl FnOnce(&[u8]) -> Result<Request, Rejected>,
) -> Begun<'a> {
    let Call { head, payload, sender, trace_id, trace: _ } = call;
    let mut ledger =
        Ledger { node: Arc::clone(node), sender, trace_id, operation, named: Named::default() };
    let id = match named(label, &Query::split(head.query), &mut ledger.named) {
        Ok(id) => id,
        Err(refused) => return Begun::Answered(ledger.settle(Err(refused))),
    };
    let (action, what) = ledger.action();
    match node.access().shadow(&ledger.sender, action, &id.to_string(), node.now()) {
        Err(engine::access::Denied) => {
            Begun::Answered(ledger.settle(Err(Refused::Unauthorized(what))))
        }
        Ok(permit) => {
            let topic = RequestTopic { id, operation };
            let asking = AskingShadow { ledger, permit, topic, request: parse(payload) };
            Begun::Later(Later::Shadow(Box::new(asking)))
        }
    }
}

impl AskingShadow {
    /// Asks, and calls `then` with the answer, on another thread, where it must not wait. The log
    /// entry is written whether anybody is left to be answered or not.
    pub fn when_answered(self, then: impl FnOnce(Reply) + Send + 'static) {
        let AskingShadow { ledger, permit, topic, request } = self;
        let node = Arc::clone(&ledger.node);
        node.ask_shadow(permit, &topic, request, move |answer| {
            then(ledger.settle(answer.map_err(Refused::Shadow)));
        });
    }
}

/// What could be read of whose shadow it is, for the log entry of a call that is refused.
#[derive(Default)]
struct Named {
    thing: String,
    name: Option<String>,
    id: Option<ShadowId>,
}

/// The shadow of the path label and of the parameter `name`.
fn named(label: &str, query: &Query<'_>, named: &mut Named) -> Result<ShadowId, Refused> {
    let thing = thing_name(label)?;
    named.thing = thing.clone().into_owned();
    check_thing(&thing)?;
    let name = query
        .parameter("name")
        .map_err(|error| Refused::ShadowName(error.sentence("name")))?
        .map(Cow::into_owned);
    named.name.clone_from(&name);
    // The thing's name was checked.
    let id = ShadowId::new(&thing, name.as_deref()).map_err(|bad| {
        Refused::ShadowName(format!("The name of the shadow, the query parameter name, {bad}."))
    })?;
    named.id = Some(id.clone());
    Ok(id)
}

/// The name of a thing in a path, right or wrong.
///
/// # Errors
/// [`Refused::ThingName`].
pub(super) fn thing_name(label: &str) -> Result<Cow<'_, str>, Refused> {
    percent::decode(label).map_err(bad_thing)
}

/// Whether a thing can have that name.
///
/// # Errors
/// [`Refused::ThingName`].
pub(super) fn check_thing(name: &str) -> Result<(), Refused> {
    check_thing_name(name).map_err(|bad| bad_thing(&bad.to_string()))
}

fn bad_thing(what: &str) -> Refused {
    Refused::ThingName(format!("The name of the thing in the path {what}."))
}

/// Collects what the log entry of one call says.
struct Ledger {
    node: Arc<Node>,
    sender: Peer,
    trace_id: TraceId,
    operation: Operation,
    named: Named,
}

impl Ledger {
    /// What is checked, and what it takes, for the sentence of a sender who may not.
    fn action(&self) -> (ShadowAction, &'static str) {
        match self.operation {
            Operation::Get => (ShadowAction::Get, "iot:GetThingShadow on this shadow"),
            Operation::Update => (ShadowAction::Update, "iot:UpdateThingShadow on this shadow"),
            Operation::Delete => (ShadowAction::Delete, "iot:DeleteThingShadow on this shadow"),
        }
    }

    /// Writes the entry and gives the answer.
    fn settle(self, ended: Result<String, Refused>) -> Reply {
        let refused = ended.as_ref().err();
        let sentence = refused.map(Refused::sentence).unwrap_or_default();
        let id = self.named.id.as_ref();
        let topic = id.map(|id| id.request_topic(self.operation)).unwrap_or_default();
        let request = event::ShadowRequest {
            trace_id: self.trace_id,
            protocol: event::Protocol::Http,
            client_id: None,
            principal_id: &self.sender.principal.id,
            source: self.sender.source,
            shadow_name: self.named.name.as_ref().unwrap_or(&self.named.thing),
            topic: &topic,
            refused: refused.map(|refused| refused.logged(&sentence)),
        };
        let telemetry = self.node.telemetry();
        match self.operation {
            Operation::Get => telemetry.record(&event::GetThingShadow(request)),
            Operation::Update => telemetry.record(&event::UpdateThingShadow(request)),
            Operation::Delete => telemetry.record(&event::DeleteThingShadow(request)),
        }
        let reply = match ended {
            Ok(document) => Reply::json(self.trace_id, document),
            Err(refused) => {
                let explanation = self.explanation(&refused);
                let fault = Fault::of_refused(&refused).explained(explanation);
                Reply::failure(self.trace_id, fault)
            }
        };
        counted(&self.node, reply)
    }

    /// Why policies refused the call, if they did and the sender may know.
    fn explanation(&self, refused: &Refused) -> Option<Value> {
        let id = self.named.id.as_ref().filter(|_| refused.is_of_policies())?;
        let resource = id.to_string();
        let asked = Question::shadow(&self.sender, self.action().0, &resource);
        of_denial(&self.node, &asked, &asked)
    }
}
