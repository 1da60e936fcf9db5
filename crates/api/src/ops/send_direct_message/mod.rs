//! `POST /connections/{clientId}/messages` (spec section 1).

mod input;
mod ledger;

use std::sync::Arc;

use broker::{Dispatched, Node, Settled, Waiter};
use engine::access::SendPermit;
use engine::direct::DirectMessage;
use engine::outcome::DirectOutcome;

use super::Call;
use crate::exchange::{Begun, Exchange};
use input::Input;
pub(crate) use ledger::Ledger;

/// A checked and authorised message on its way to its device.
pub struct Dispatch<'a> {
    input: Input,
    payload: &'a [u8],
    permit: SendPermit,
}

/// What became of a message that was to be handed to its device.
#[derive(Debug)]
pub enum Sent {
    /// Its confirmation has to be waited for.
    Waiting(Dispatched),
    /// It is settled.
    Settled(Settled),
}

/// Checks the call and authorises its sender, in the order of spec 1.5. `client_id` is still
/// percent-encoded.
pub(crate) fn begin<'a>(node: &Arc<Node>, client_id: &str, call: Call<'a>) -> Begun<'a> {
    let Call { head, payload, sender, trace_id } = call;
    let mut ledger = Ledger::open(node, sender, payload.len(), trace_id);
    let input = Input::parse(client_id, head, &mut ledger.request);
    let checked = input.map_err(DirectOutcome::Invalid).and_then(|input| {
        let permit = authorise(node, &ledger, &input)?;
        Ok(Dispatch { input, payload, permit })
    });
    let exchange = Exchange::new(ledger);
    match checked {
        Ok(dispatch) => Begun::Direct(exchange, dispatch),
        Err(outcome) => Begun::Answered(exchange.settle(Settled::refused(outcome, None))),
    }
}

fn authorise(node: &Node, ledger: &Ledger, input: &Input) -> Result<SendPermit, DirectOutcome> {
    let limit = node.rules().quotas.payload_bytes;
    if ledger.payload_bytes > limit {
        return Err(DirectOutcome::PayloadTooLarge { limit });
    }
    node.access()
        .send_direct(&ledger.sender, &input.client_id, input.topic()?, ledger.taken_in)
        .map_err(|_| DirectOutcome::SenderUnauthorized)
}

impl Dispatch<'_> {
    /// Hands the message to its device. With a confirmation, `waiter` gives whoever is to be told;
    /// it may be told before this returns.
    pub fn send(self, node: &Arc<Node>, waiter: impl FnOnce() -> Waiter) -> Sent {
        let Dispatch { input, payload, permit } = self;
        let sent = input.topic().map_err(|outcome| Settled::refused(outcome, None));
        let sent = sent.and_then(|topic| {
            let message = DirectMessage {
                topic,
                payload,
                properties: input.properties.as_properties(),
                confirmation: input.confirmation,
            };
            node.send_direct(permit, &input.client_id, &message, waiter)
        });
        match sent {
            Ok(dispatched) if input.confirmation.is_some() => Sent::Waiting(dispatched),
            Ok(dispatched) => Sent::Settled(Settled {
                handed_over: Some(dispatched.at),
                ..Settled::refused(DirectOutcome::Dispatched, Some(dispatched.epoch))
            }),
            Err(settled) => Sent::Settled(settled),
        }
    }
}
