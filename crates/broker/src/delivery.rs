//! Direct messages: from a permit to the device's socket, and back with its PUBACK.

use std::sync::Arc;

use engine::Moment;
use engine::access::{ReceivePermit, SendPermit};
use engine::close::CloseReason;
use engine::direct::DirectMessage;
use engine::outcome::DirectOutcome;
use engine::rate::{Bucket, Draw};
use mqtt::{ClientId, TopicName};

use crate::connection::Connection;
use crate::device::State;
use crate::mark::Mark;
use crate::node::Node;
use crate::waiter::{HandedOver, OnTheWire, Settled, Waiter};

/// A direct message that was handed to a connection.
#[derive(Clone, Copy, Debug)]
pub struct Dispatched {
    /// The epoch of the connection.
    pub epoch: u64,
    /// When it was handed over.
    pub at: Moment,
    message: HandedOver,
}

/// A direct message and where it goes.
#[derive(Clone, Copy, Debug)]
pub struct HandOver<'a> {
    /// The device.
    pub client_id: &'a ClientId,
    /// The message.
    pub message: &'a DirectMessage<'a>,
    /// Where it is taken down when the message was taken on by a connection, and only its socket is
    /// left, if somebody wants to know.
    pub routed: Option<&'a Mark>,
}

impl Node {
    /// Hands a direct message to the device's connection, on the caller's thread: checks in the
    /// order of spec 1.5 from the account's rate on, then one write to the socket. With a
    /// confirmation, `waiter` gives whoever waits; it may be told before this returns.
    ///
    /// # Errors
    /// How it ended at once; the waiter, if it was given, is told nothing.
    pub fn send_direct(
        self: &Arc<Self>,
        _permit: SendPermit,
        HandOver { client_id, message, routed }: HandOver<'_>,
        waiter: impl FnOnce() -> Waiter,
    ) -> Result<Dispatched, Settled> {
        let now = self.now();
        self.check_account_rate(Bucket::take, now)
            .map_err(|outcome| Settled::refused(outcome, None))?;
        let Some(device) = self.devices.get(client_id.as_str()) else {
            return Err(Settled::refused(DirectOutcome::TargetNotFound, None));
        };
        let mut state = device.lock();
        let epoch = state.epoch;
        let (connection, permit) = self.receiver(&mut state, message.topic, now)?;
        let start = connection.output_end();
        let (session, out) = connection.session_and_output();
        session
            .send_direct(message, permit, waiter, now, out)
            .map_err(|outcome| Settled::refused(outcome, Some(epoch)))?;
        if let Some(routed) = routed {
            routed.set(self.now());
        }
        let written = connection.write_now(now, self.rules.quotas.throughput_per_connection);
        let at = self.now();
        let until = message.confirmation.map(|timeout| now.after(timeout));
        let (wire, handed_over) = connection.hand_over(start, at, until);
        if message.is_now_or_never() && wire == OnTheWire::Never {
            connection.take_back(start);
            let outcome = DirectOutcome::ReceiverNotWritable;
            return Err(Settled::refused(outcome, Some(epoch)));
        }
        if written.is_err()
            && message.confirmation.is_some()
            && let Some(waiter) = connection.session.newest_waiter()
        {
            // The caller is told instead.
            waiter.disarm();
        }
        if connection.pending_output() > 0 {
            self.schedule(&device, &mut state, now);
        } else if let Some(timeout) = message.confirmation {
            let patience = message.deadline.map_or(timeout, |deadline| deadline.min(timeout));
            self.schedule_at(&device, &mut state, now.after(patience));
        }
        drop(state);
        match written {
            Ok(bytes) => self.telemetry.metrics().mqtt_sent(bytes),
            Err(_) => {
                self.close(&device, epoch, CloseReason::ConnectionLost);
                let outcome = DirectOutcome::ReceiverNotWritable;
                return Err(Settled { wire, ..Settled::refused(outcome, Some(epoch)) });
            }
        }
        Ok(Dispatched { epoch, at, message: handed_over })
    }

    /// How far the message has got on the connection that has it; none if that has ended. What has
    /// not begun may begin later.
    pub fn whereabouts(&self, client_id: &str, dispatched: &Dispatched) -> Option<OnTheWire> {
        let device = self.devices.get(client_id)?;
        let state = device.lock();
        let connection = state.connection.as_ref().filter(|open| open.epoch == dispatched.epoch)?;
        Some(connection.whereabouts(&dispatched.message))
    }

    /// The account's rate; `draw` takes from it, or only looks at it.
    pub(crate) fn check_account_rate(
        &self,
        draw: impl Draw,
        now: Moment,
    ) -> Result<(), DirectOutcome> {
        draw(&self.budgets.direct, self.rules.quotas.send_direct_message, now)
            .map_err(|_| DirectOutcome::AccountThrottled)
    }

    /// The connection of a device, if it has one that may receive the topic.
    pub(crate) fn receiver<'s>(
        &self,
        state: &'s mut State,
        topic: TopicName<'_>,
        now: Moment,
    ) -> Result<(&'s mut Connection, ReceivePermit), Settled> {
        let (epoch, known) = (state.epoch, state.has_session(now));
        let Some(connection) = &mut state.connection else {
            let outcome = if known {
                DirectOutcome::TargetNotConnected
            } else {
                DirectOutcome::TargetNotFound
            };
            return Err(Settled::refused(outcome, None));
        };
        match self.access.receive(&connection.peer, topic, now) {
            Ok(permit) => Ok((connection, permit)),
            Err(_) => Err(Settled::refused(DirectOutcome::ReceiverUnauthorized, Some(epoch))),
        }
    }
}
