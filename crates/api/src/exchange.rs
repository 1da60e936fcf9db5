//! A request on its way to its answer.

use std::sync::Arc;

use broker::{Node, Settled};
use serde_json::Value;
use telemetry::TraceId;
use tokio::sync::oneshot;

use crate::control;
use crate::fault::Fault;
use crate::logs::Reading;
use crate::ops::delete_connection::Deleting;
use crate::ops::publish::Publishing;
use crate::ops::send_direct_message::{Dispatch, Ledger, Progress};
use crate::ops::send_direct_messages::Many;
use crate::ops::thing_shadow::AskingShadow;
use crate::reply::{Reply, line};

/// What became of a request at once.
#[expect(clippy::large_enum_variant, reason = "it lives on the stack of one request")]
pub enum Begun<'a> {
    /// It has its answer.
    Answered(Reply),
    /// A direct message is to be sent, and then the exchange settled.
    Direct(Exchange, Dispatch<'a>),
    /// Its answer is made by others.
    Later(Later),
}

/// A request whose sender is answered once that can be.
pub enum Later {
    /// A message was published: when it is durable.
    Published(Publishing),
    /// A connection was deleted: when its session is sure to be gone.
    Deleted(Deleting),
    /// A message goes to many: when it is known to whom.
    Many(Box<Many>),
    /// The log is read: when it is.
    Logs(Box<Reading>),
    /// What is registered was changed: when that is durable.
    Control(Box<control::Pending>),
    /// A shadow is asked: when what it says is durable.
    Shadow(Box<AskingShadow>),
}

impl Later {
    /// Has `then` called once, with the answer, maybe on another thread; it must not wait.
    pub fn when_answered(self, then: impl FnOnce(Reply) + Send + 'static) {
        match self {
            Later::Published(publishing) => publishing.when_answered(then),
            Later::Deleted(deleting) => deleting.when_answered(then),
            Later::Many(many) => {
                tokio::spawn(async move { then(many.answered().await) });
            }
            Later::Logs(reading) => reading.when_answered(then),
            Later::Control(pending) => pending.when_answered(then),
            Later::Shadow(asking) => asking.when_answered(then),
        }
    }

    /// The answer; none if it got lost. Dropped before, the sender has gone away, and what nobody
    /// wants to know any more is not found out.
    pub async fn answered(self) -> Option<Reply> {
        if let Later::Many(many) = self {
            return Some(many.answered().await);
        }
        let (sender, receiver) = oneshot::channel();
        self.when_answered(move |reply| {
            // Whoever waited may have gone away; then nobody is left to tell.
            let _ = sender.send(reply);
        });
        receiver.await.ok()
    }
}

/// A direct message whose sender has to be answered. Dropping it says that the sender went away:
/// its log entry is written all the same.
pub struct Exchange(Ledger);

impl Exchange {
    pub(crate) fn new(ledger: Ledger) -> Self {
        Exchange(ledger)
    }

    /// Takes down where the message is.
    pub fn note(&mut self, progress: Progress) {
        self.0.note(progress);
    }

    /// Writes the log entry and gives the answer.
    pub fn settle(self, settled: Settled) -> Reply {
        let trace_id = self.0.trace_id();
        let reply = match &settled.response {
            Some(response) => Reply::response(trace_id, Arc::clone(response)),
            None => {
                let fault = Fault::of_direct(&settled);
                reply(trace_id, fault.map(|fault| fault.explained(self.0.explanation(&settled))))
            }
        };
        let reply = counted(self.0.node(), reply);
        self.0.settle(&settled);
        reply
    }

    /// Writes the log entry and gives what is told of one of many.
    pub(crate) fn settle_one(self, settled: &Settled) -> Told {
        let fault = Fault::of_direct(settled);
        let fault = fault.map(|fault| fault.explained(self.0.explanation(settled)));
        let line = line(self.0.client_id(), self.0.trace_id(), fault.as_ref());
        self.0.settle(settled);
        Told { line, succeeded: fault.is_none() }
    }
}

/// What is told of one of many.
pub(crate) struct Told {
    pub(crate) line: Value,
    pub(crate) succeeded: bool,
}

/// Counts an answer by its status.
pub(crate) fn counted(node: &Node, reply: Reply) -> Reply {
    node.telemetry().metrics().http_request(reply.status().as_u16());
    reply
}

/// The answer to what gives nothing back.
pub(crate) fn reply(trace_id: TraceId, fault: Option<Fault>) -> Reply {
    match fault {
        None => Reply::success(trace_id),
        Some(fault) => Reply::failure(trace_id, fault),
    }
}
