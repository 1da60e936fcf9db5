//! A message whose sender waits for the device to connect.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use broker::{Attempt, Awaited, HandOver, Node, Settle, Settled, Waiter};
use bytes::Bytes;
use engine::Moment;
use engine::access::Peer;
use engine::direct::DirectMessage;
use engine::outcome::DirectOutcome;
use mqtt::PropertiesBuf;

use super::input::Input;
use super::turn::Turn;
use super::{Dispatch, answered_at_once, check_response, listener};
use crate::deliveries::{Deliveries, Record, Room};
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
    turn: Arc<Turn>,
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
            turn: Arc::default(),
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
        let (record, turn) = (Arc::clone(&self.record), Arc::clone(&self.turn));
        let awaited = node.when_connected(&client_id, within, move |came| match came {
            true => self.arrive(room),
            false => self.end(Err(Settled::refused(DirectOutcome::TargetNotFound, None))),
        });
        Some(Waits { awaited: Arc::new(awaited), turn, record })
    }

    /// The device came. Others may have come with it, more than the account's rate lets be sent to:
    /// for that the message waits as well.
    fn arrive(self, room: Room) {
        let sent = self.send();
        let left = self.left();
        if !is_throttled(&sent) || left.is_zero() || !self.turn.wait() {
            return self.end(sent);
        }
        let node = Arc::clone(&self.node);
        node.when_rate_allows(left, move |in_time| {
            let _room = &room;
            match in_time {
                true => self.attempt(),
                false => self.give_in(),
            }
        });
    }

    /// Sends it if there is rate for it now.
    fn attempt(&self) -> Attempt {
        if !self.turn.begin() {
            return Attempt::Done;
        }
        let sent = self.send();
        if !is_throttled(&sent) {
            self.turn.end();
            self.end(sent);
            return Attempt::Done;
        }
        match self.turn.wait() {
            true => Attempt::NoRate,
            false => {
                self.end(sent);
                Attempt::Done
            }
        }
    }

    /// Its time is over.
    fn give_in(&self) -> Attempt {
        if self.turn.begin() {
            self.turn.end();
            let outcome = match self.deadline() {
                Some(deadline) if deadline.is_zero() => DirectOutcome::DeadlineExceeded,
                Some(_) | None => DirectOutcome::AccountThrottled,
            };
            self.end(Err(Settled::refused(outcome, None)));
        }
        Attempt::Done
    }

    /// Tells what became of it.
    fn end(&self, sent: Result<broker::Dispatched, Settled>) {
        let confirmed = self.input.confirmation.is_some();
        match sent {
            Ok(dispatched) if confirmed => self.record.dispatched(dispatched),
            sent => {
                if let Sent::Settled(_, settled) = answered_at_once(sent) {
                    self.record.settle(settled);
                }
            }
        }
    }

    /// What is left until its deadline, if it has one.
    fn deadline(&self) -> Option<Duration> {
        let waited = self.node.now().since(self.begun);
        self.input.wishes.deadline.map(|deadline| deadline.saturating_sub(waited))
    }

    /// What is left of the time that it may wait.
    fn left(&self) -> Duration {
        let waited = self.node.now().since(self.begun);
        let left = self.input.wishes.wait_online.unwrap_or_default().saturating_sub(waited);
        self.deadline().map_or(left, |deadline| deadline.min(left))
    }

    /// What may have changed meanwhile is asked again: the sender's permission, and its deadline.
    fn send(&self) -> Result<broker::Dispatched, Settled> {
        let refused = |outcome| Settled::refused(outcome, None);
        let (now, deadline) = (self.node.now(), self.deadline());
        if deadline.is_some_and(|deadline| deadline.is_zero()) {
            return Err(refused(DirectOutcome::DeadlineExceeded));
        }
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

fn is_throttled(sent: &Result<broker::Dispatched, Settled>) -> bool {
    matches!(sent, Err(Settled { outcome: DirectOutcome::AccountThrottled, .. }))
}

/// A message that waits for its device, from its sender's side.
#[derive(Clone)]
pub(crate) struct Waits {
    awaited: Arc<Awaited>,
    turn: Arc<Turn>,
    record: Arc<Record>,
}

impl Waits {
    /// Its sender went away. Unless a repetition waits for it as well it is not sent any more; says
    /// whether that is sure. May be called under the lock of the sender's line.
    pub(super) fn give_up(&self, node: &Node) -> bool {
        let given_up = !self.record.is_joined() && (self.awaited.give_up() || self.turn.give_up());
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
