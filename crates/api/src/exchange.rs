//! A request on its way to its answer.

use broker::{Node, Settled};
use telemetry::TraceId;

use crate::fault::Fault;
use crate::ops::publish::Publishing;
use crate::ops::send_direct_message::{Dispatch, Ledger, Progress};
use crate::reply::Reply;

/// What became of a request at once.
#[expect(clippy::large_enum_variant, reason = "it lives on the stack of one request")]
pub enum Begun<'a> {
    /// It has its answer.
    Answered(Reply),
    /// A direct message is to be sent, and then the exchange settled.
    Direct(Exchange, Dispatch<'a>),
    /// A message was published; its sender is answered when it is durable.
    Published(Publishing),
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
        let fault =
            Fault::of_direct(&settled).map(|fault| fault.explained(self.0.explanation(&settled)));
        let reply = reply(self.0.trace_id(), fault);
        let reply = counted(self.0.node(), reply);
        self.0.settle(&settled);
        reply
    }
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
