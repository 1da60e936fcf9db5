//! A message whose sender waits for the device to connect.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use broker::{Awaited, HandOver, Node, Settle, Settled, Waiter};
use bytes::Bytes;
use engine::Moment;
use engine::access::Peer;
use engine::direct::DirectMessage;
use engine::outcome::DirectOutcome;
use mqtt::PropertiesBuf;

use super::input::Input;
use super::{Dispatch, answered_at_once, check_response, listener};
use crate::deliveries::{Deliveries, Record};
use crate::ops::send_direct_message::Sent;
use crate::trace::CallTrace;

/// What a message that waits takes beside its texts, in bytes.
const ROOM_BYTES: usize = 1024;

/// Everything that is needed to send the message later.
pub(super) struct Patient {
    node: Arc<Node>,
    record: Arc<Record>,
    sender: Peer,
    input: Input,
    payload: Bytes,
    /// What it takes to keep all that.
    bytes: usize,
    deliveries: Arc<Deliveries>,
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
            payload: self.payload.kept(),
            bytes: ROOM_BYTES + self.input.bytes() + self.payload.kept_bytes(),
            deliveries: Arc::clone(&self.deliveries),
            trace: self.trace.clone(),
            begun: node.now(),
        })
    }
}

impl Patient {
    /// Sends the message when the device comes; if it does not, tells the sender so, and nothing is
    /// sent afterwards. None if there is no room for another message that waits.
    pub(super) fn wait(self) -> Option<Waits> {
        let room = self.deliveries.waiting_room(self.bytes)?;
        let within = self.input.wishes.wait_online.unwrap_or_default();
        let (node, client_id) = (Arc::clone(&self.node), self.input.client_id.clone());
        let record = Arc::clone(&self.record);
        let awaited = node.when_connected(&client_id, within, move |came| {
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
            drop(room);
        });
        Some(Waits { awaited: Arc::new(awaited), record })
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

/// A message that waits for its device, from its sender's side.
#[derive(Clone)]
pub(crate) struct Waits {
    awaited: Arc<Awaited>,
    record: Arc<Record>,
}

impl Waits {
    /// Its sender went away. Unless a repetition waits for it as well it is not sent any more; says
    /// whether that is sure. May be called under the lock of the sender's line.
    pub(super) fn give_up(&self, node: &Node) -> bool {
        let given_up = !self.record.is_joined() && self.awaited.give_up();
        if given_up {
            // The record's end is told to others, who have locks of their own.
            let record = Arc::clone(&self.record);
            node.call_after(Duration::ZERO, move || {
                record.settle(Settled::refused(DirectOutcome::TargetNotFound, None));
            });
        }
        given_up
    }

    /// The connection that has it, if it was sent after all.
    pub(super) fn sent(&self) -> Option<broker::Dispatched> {
        self.record.sent()
    }
}

impl fmt::Debug for Waits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waits").field("awaited", &self.awaited).finish_non_exhaustive()
    }
}
