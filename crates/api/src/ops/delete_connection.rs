//! `DELETE /connections/{clientId}` (spec 2.1).

use std::sync::Arc;

use broker::{Deletion, Durable, Node};
use engine::access::Peer;
use engine::question::Question;
use mqtt::ClientId;
use telemetry::{TraceId, event};

use super::{Call, client_id, logged};
use crate::exchange::{Begun, Later, counted};
use crate::explanation::of_denial;
use crate::fault::Fault;
use crate::query::Query;
use crate::refused::Refused;
use crate::reply::Reply;

/// A connection that was deleted. Its sender is answered once its session, if that is to end, is
/// sure to be gone.
pub struct Deleting {
    ledger: Ledger,
    durable: Durable,
}

/// What the log entry of one call takes.
struct Ledger {
    node: Arc<Node>,
    sender: Peer,
    trace_id: TraceId,
    /// As the sender named it, valid or not.
    named: String,
    /// None if it is not valid.
    client_id: Option<ClientId>,
}

/// Checks the call, authorises its sender and ends the connection. `label` is the client ID, still
/// percent-encoded.
pub(crate) fn begin<'a>(node: &Arc<Node>, label: &str, call: Call<'a>) -> Begun<'a> {
    let Call { head, sender, trace_id, .. } = call;
    let parsed = client_id::of_label(label).map_err(Refused::ClientId);
    let ledger = Ledger {
        node: Arc::clone(node),
        sender,
        trace_id,
        named: client_id::logged(label).into_owned(),
        client_id: parsed.as_ref().ok().cloned(),
    };
    let asked = parsed.and_then(|client_id| Ok((client_id, parse(&Query::split(head.query))?)));
    match asked.and_then(|(client_id, deletion)| delete(&ledger, &client_id, deletion)) {
        Ok(durable) => Begun::Later(Later::Deleted(Deleting { ledger, durable })),
        Err(refused) => Begun::Answered(ledger.settle(Err(refused))),
    }
}

fn parse(query: &Query<'_>) -> Result<Deletion, Refused> {
    let clean_session = query.boolean("cleanSession").map_err(Refused::CleanSession)?;
    let prevent_will = query.boolean("preventWillMessage").map_err(Refused::PreventWill)?;
    Ok(Deletion {
        clean_session: clean_session.unwrap_or(false),
        prevent_will: prevent_will.unwrap_or(false),
    })
}

/// Whether there is such a client is told only to who may end its connection.
fn delete(ledger: &Ledger, client_id: &ClientId, deletion: Deletion) -> Result<Durable, Refused> {
    let node = &ledger.node;
    let permit = node
        .access()
        .delete_connection(&ledger.sender, client_id, node.now())
        .map_err(|_| Refused::Unauthorized("iot:DeleteConnection on this client"))?;
    Ok(node.delete_connection(permit, client_id, deletion)?)
}

impl Deleting {
    /// Calls `then` with the answer as soon as there is one: at once, or on the journal's thread,
    /// where it must not wait. The log entry is written whether anybody is left to be answered or
    /// not.
    pub fn when_answered(self, then: impl FnOnce(Reply) + Send + 'static) {
        let Deleting { ledger, durable } = self;
        let node = Arc::clone(&ledger.node);
        node.when_durable(durable, move |gone| {
            then(ledger.settle(gone.map_err(|_| Refused::SessionNotRemoved)));
        });
    }
}

impl Ledger {
    /// Writes the entry and gives the answer.
    fn settle(self, ended: Result<(), Refused>) -> Reply {
        let refused = ended.err();
        let sentence = refused.as_ref().map(Refused::sentence).unwrap_or_default();
        self.node.telemetry().record(&event::DeleteConnection(event::ClientOperation {
            sender: logged(&self.sender, self.trace_id),
            client_id: &self.named,
            refused: refused.as_ref().map(|refused| refused.logged(&sentence)),
        }));
        let reply = match &refused {
            None => Reply::empty(self.trace_id),
            Some(refused) => {
                let asked = self.client_id.as_ref().filter(|_| refused.is_of_policies());
                let explanation = asked.and_then(|client_id| {
                    let asked = Question::delete_connection(&self.sender, client_id);
                    of_denial(&self.node, &asked, &asked)
                });
                Reply::failure(self.trace_id, Fault::of_refused(refused).explained(explanation))
            }
        };
        counted(&self.node, reply)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_wishes_are_false_unless_asked_for() {
        let parse = |query| parse(&Query::split(query));
        assert_eq!(parse(""), Ok(Deletion::default()));
        let both = Deletion { clean_session: true, prevent_will: true };
        assert_eq!(parse("cleanSession=TRUE&preventWillMessage=True"), Ok(both));
        let will = Deletion { clean_session: false, prevent_will: true };
        assert_eq!(parse("cleanSession=FALSE&preventWillMessage=true"), Ok(will));
    }

    #[test]
    fn every_wrong_parameter_has_its_reason() {
        for value in ["", "1", "yes", "true%20", "true&cleanSession=true"] {
            let query = format!("cleanSession={value}");
            let refused = parse(&Query::split(&query)).expect_err(value);
            assert_eq!(refused.reason(), "INVALID_CLEAN_SESSION_PARAMETER");
        }
        let refused = parse(&Query::split("preventWillMessage=no")).expect_err("no");
        assert_eq!(refused.reason(), "INVALID_PREVENT_WILL_MESSAGE_PARAMETER");
    }
}
