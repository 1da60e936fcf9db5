//! The log entry of one request.

use std::sync::Arc;

use broker::Node;
use engine::access::Peer;
use serde_json::Value;
use telemetry::{TraceId, event};

use super::fault::Fault;
use super::refused::Refused;
use crate::exchange::counted;
use crate::reply::Reply;

/// A request that has to have its log entry and its answer.
pub(crate) struct Ledger {
    node: Arc<Node>,
    sender: Peer,
    trace_id: TraceId,
    operation: &'static str,
    /// The ARN of what it is about, once that is known; `*` if it is about nothing in particular.
    resource: String,
}

impl Ledger {
    pub(super) fn open(
        node: &Arc<Node>,
        sender: Peer,
        trace_id: TraceId,
        operation: &'static str,
    ) -> Self {
        Ledger { node: Arc::clone(node), sender, trace_id, operation, resource: String::new() }
    }

    pub(super) fn node(&self) -> &Arc<Node> {
        &self.node
    }

    pub(super) fn sender(&self) -> &Peer {
        &self.sender
    }

    /// Takes down what the request is about.
    pub(super) fn note(&mut self, arn: String) {
        self.resource = arn;
    }

    /// Writes the entry and makes the answer.
    pub(super) fn settle(self, outcome: Result<Value, Refused>) -> Reply {
        let refused = outcome.as_ref().err();
        let sentence = refused.map(Refused::sentence).unwrap_or_default();
        let refusal = refused.map(|refused| event::Refusal {
            class: refused.class(),
            reason: refused.reason(),
            details: &sentence,
        });
        self.node.telemetry().record(&event::ControlRequest {
            sender: event::Sender {
                trace_id: self.trace_id,
                principal_id: &self.sender.principal.id,
                source: self.sender.source,
            },
            operation: self.operation,
            resource: &self.resource,
            refused: refusal,
        });
        let reply = match outcome {
            Ok(document) => Reply::document(self.trace_id, &document),
            Err(refused) => {
                let scope = self.node.access().scope();
                Reply::control_failure(
                    self.trace_id,
                    Fault::of_refused(self.operation, &refused, scope),
                )
            }
        };
        counted(&self.node, reply)
    }
}
