//! A message whose sender waits for the device to connect.

use std::sync::Arc;

use broker::{HandOver, Node, Settle, Settled, Waiter};
use engine::Moment;
use engine::access::Peer;
use engine::direct::DirectMessage;
use engine::outcome::DirectOutcome;
use mqtt::PropertiesBuf;

use super::input::Input;
use super::{Dispatch, answered_at_once, check_response, listener};
use crate::deliveries::Record;
use crate::ops::send_direct_message::Sent;
use crate::trace::CallTrace;

/// Everything that is needed to send the message later.
pub(super) struct Patient {
    node: Arc<Node>,
    record: Arc<Record>,
    sender: Peer,
    input: Input,
    payload: Box<[u8]>,
    trace: Option<Arc<CallTrace>>,
    begun: Moment,
}

impl Dispatch<'_> {
    /// The message to be sent later, if its sender waits for the device.
    pub(super) fn patient(&self, node: &Arc<Node>, record: &Arc<Record>) -> Option<Patient> {
        self.input.wishes.wait_online?;
        Some(Patient {
            node: Arc::clone(node),
            record: Arc::clone(record),
            sender: self.sender.clone(),
            input: self.input.clone(),
            payload: self.payload.into(),
            trace: self.trace.clone(),
            begun: node.now(),
        })
    }
}

impl Patient {
    /// Sends the message when the device comes; if it does not, tells the sender so, and nothing is
    /// sent afterwards.
    pub(super) fn wait(self) {
        let within = self.input.wishes.wait_online.unwrap_or_default();
        let (node, client_id) = (Arc::clone(&self.node), self.input.client_id.clone());
        node.when_connected(&client_id, within, move |came| {
            let sent = if came {
                self.send()
            } else {
                Err(Settled::refused(DirectOutcome::TargetNotFound, None))
            };
            let confirmed = self.input.confirmation.is_some();
            match sent {
                Ok(dispatched) if confirmed => self.record.dispatched(dispatched),
                sent => {
                    if let Sent::Settled(_, settled) = answered_at_once(sent) {
                        self.record.settle(settled);
                    }
                }
            }
        });
    }

    /// What may have changed meanwhile is asked again: the sender's permission, and its deadline.
    fn send(&self) -> Result<broker::Dispatched, Settled> {
        let refused = |outcome| Settled::refused(outcome, None);
        let now = self.node.now();
        let waited = now.since(self.begun);
        let deadline = match self.input.wishes.deadline {
            Some(deadline) if deadline <= waited => {
                return Err(refused(DirectOutcome::DeadlineExceeded));
            }
            deadline => deadline.map(|deadline| deadline - waited),
        };
        let topic = self.input.topic().map_err(refused)?;
        check_response(&self.node, &self.input).map_err(refused)?;
        let permit = self
            .node
            .access()
            .send_direct(&self.sender, &self.input.client_id, topic, now)
            .map_err(|_| refused(DirectOutcome::SenderUnauthorized))?;
        let trace = self.trace.as_ref();
        let traced = trace.and_then(|trace| trace.with_traceparent(&self.input.properties));
        let message = DirectMessage {
            topic,
            payload: &self.payload,
            properties: self.input.properties.as_properties(),
            optional: traced.as_ref().map(PropertiesBuf::as_properties),
            confirmation: self.input.confirmation,
            deadline,
        };
        let hand_over = HandOver {
            client_id: &self.input.client_id,
            message: &message,
            routed: trace.map(|trace| trace.routed()),
        };
        let heard = listener(&self.node, &self.record, &self.input);
        self.node.send_direct(permit, hand_over, || Waiter::new(heard))
    }
}
