//! `GET /receipts/{traceId}`: what became of a confirmed message, also after its answer. Ours, not
//! AWS's.

use std::sync::Arc;

use broker::Node;
use telemetry::TraceId;

use super::Call;
use crate::deliveries::Deliveries;
use crate::exchange::counted;
use crate::fault::Fault;
use crate::refused::Refused;
use crate::reply::Reply;

/// Answers a call. Whose message it is not is not told that there is one.
pub(crate) fn answer(
    node: &Node,
    deliveries: &Arc<Deliveries>,
    trace_id: &str,
    call: &Call<'_>,
) -> Reply {
    let record = TraceId::parse(trace_id).and_then(|trace_id| deliveries.get(trace_id, node.now()));
    let own = record.filter(|record| record.belongs_to(&call.sender.principal.id));
    let reply = match own {
        Some(record) => Reply::document(call.trace_id, &record.receipt(node.wall())),
        None => Reply::failure(call.trace_id, Fault::of_refused(&Refused::NoReceipt)),
    };
    counted(node, reply)
}
