//! A request on its way to its answer.

use broker::{Dispatched, Settled};
use telemetry::TraceId;

use crate::fault::Fault;
use crate::ops::send_direct_message::{Dispatch, Ledger};
use crate::reply::Reply;

/// What became of a request at once.
#[expect(clippy::large_enum_variant, reason = "it lives on the stack of one request")]
pub enum Begun<'a> {
    /// It has its answer.
    Answered(Reply),
    /// A direct message is to be sent, and then the exchange settled.
    Direct(Exchange, Dispatch<'a>),
}

/// A direct message whose sender has to be answered. Dropping it says that the sender went away:
/// its log entry is written all the same.
pub struct Exchange(Ledger);

impl Exchange {
    pub(crate) fn new(ledger: Ledger) -> Self {
        Exchange(ledger)
    }

    /// Takes down that the message was handed to a connection.
    pub fn dispatched(&mut self, dispatched: Dispatched) {
        self.0.dispatched(dispatched);
    }

    /// Writes the log entry and gives the answer.
    pub fn settle(self, settled: Settled) -> Reply {
        let reply = reply(self.0.trace_id(), Fault::of_direct(&settled.outcome));
        self.0.node().telemetry().metrics().http_request(reply.status().as_u16());
        self.0.settle(&settled);
        reply
    }
}

fn reply(trace_id: TraceId, fault: Option<Fault>) -> Reply {
    match fault {
        None => Reply::success(trace_id),
        Some(fault) => Reply::failure(trace_id, fault),
    }
}
