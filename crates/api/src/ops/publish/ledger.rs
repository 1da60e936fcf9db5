//! One log entry for every call.

use std::sync::Arc;

use broker::Node;
use engine::access::Peer;
use engine::question::Question;
use mqtt::TopicName;
use serde_json::Value;
use telemetry::{TraceId, event};

use super::input::Request;
use crate::exchange::{counted, reply};
use crate::explanation::of_denial;
use crate::fault::Fault;
use crate::ops::logged;
use crate::refused::Refused;
use crate::reply::Reply;

/// Collects what the log entry of one call says.
pub(super) struct Ledger {
    pub(super) node: Arc<Node>,
    pub(super) sender: Peer,
    /// What could be read of the request.
    pub(super) request: Request,
    /// What the message is measured by (spec 9), in bytes.
    pub(super) metered_bytes: usize,
    pub(super) trace_id: TraceId,
}

impl Ledger {
    pub(super) fn open(node: &Arc<Node>, sender: Peer, trace_id: TraceId) -> Self {
        Ledger {
            node: Arc::clone(node),
            sender,
            request: Request::default(),
            metered_bytes: 0,
            trace_id,
        }
    }

    /// Writes the entry and gives the answer.
    pub(super) fn settle(self, ended: Result<(), Refused>) -> Reply {
        let refused = ended.err();
        let sentence = refused.as_ref().map(Refused::sentence).unwrap_or_default();
        self.node.telemetry().record(&event::HttpPublish {
            sender: logged(&self.sender, self.trace_id),
            topic: self.request.topic.as_deref().unwrap_or_default(),
            retain: self.request.retain,
            bytes: self.metered_bytes,
            refused: refused.as_ref().map(|refused| refused.logged(&sentence)),
        });
        let fault = refused
            .as_ref()
            .map(|refused| Fault::of_refused(refused).explained(self.explanation(refused)));
        counted(&self.node, reply(self.trace_id, fault))
    }

    /// Why policies refused the call, if they did and the sender may know.
    fn explanation(&self, refused: &Refused) -> Option<Value> {
        if !refused.is_of_policies() {
            return None;
        }
        let topic = TopicName::parse(self.request.topic.as_deref()?).ok()?;
        let publish = Question::publish(&self.sender, topic);
        let retain = self.request.retain.then(|| Question::retain_publish(&self.sender, topic));
        let questions = [Some(publish), retain];
        questions.iter().flatten().find_map(|asked| of_denial(&self.node, asked, asked))
    }
}
