//! `POST /connections/{clientId}/messages` (spec section 1).

mod input;
mod ledger;
mod properties;

use std::sync::Arc;

use broker::Node;
use bytes::Bytes;
use engine::access::Peer;
use engine::direct::DirectMessage;
use engine::outcome::DirectOutcome;
use http::request::Parts;
use telemetry::TraceId;

use input::Input;
use ledger::Ledger;

/// A call: the request and who makes it.
pub(crate) struct Call<'a> {
    pub(crate) client_id: &'a str,
    pub(crate) parts: &'a Parts,
    pub(crate) payload: Bytes,
    pub(crate) sender: Peer,
    pub(crate) trace_id: TraceId,
}

/// Sends a direct message and, if asked to, waits for its confirmation. Writes exactly one log
/// entry, whatever happens: also when the caller drops this future because the sender went away.
pub(crate) async fn run(node: &Arc<Node>, call: Call<'_>) -> DirectOutcome {
    let mut ledger = Ledger::open(node, &call);
    let outcome = match send(node, &call, &mut ledger) {
        Ok(None) => DirectOutcome::Dispatched,
        Ok(Some(confirmation)) => {
            let (outcome, at) = confirmation.settled().await;
            ledger.acknowledged(at);
            outcome
        }
        Err(outcome) => outcome,
    };
    ledger.settle(outcome)
}

/// Everything up to the wait, in the order of spec 1.5.
fn send(
    node: &Arc<Node>,
    call: &Call<'_>,
    ledger: &mut Ledger<'_>,
) -> Result<Option<broker::Confirmation>, DirectOutcome> {
    let limit = node.rules().quotas.payload_bytes;
    let input = Input::parse(call.client_id, call.parts, &mut ledger.request)
        .map_err(DirectOutcome::Invalid)?;
    if call.payload.len() > limit {
        return Err(DirectOutcome::PayloadTooLarge { limit });
    }
    let topic = input.topic()?;
    let permit = node
        .access()
        .send_direct(&call.sender, &input.client_id, topic, node.now())
        .map_err(|_| DirectOutcome::SenderUnauthorized)?;
    let message = DirectMessage {
        topic,
        payload: &call.payload,
        properties: input.properties.as_properties(),
        confirmation: input.confirmation,
    };
    match node.send_direct(permit, &input.client_id, &message) {
        Ok(dispatched) => {
            ledger.dispatched(&dispatched);
            Ok(dispatched.confirmation)
        }
        Err((outcome, epoch)) => {
            ledger.refused(epoch);
            Err(outcome)
        }
    }
}
