//! How a connection ends, and what stays of the session.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use engine::close::CloseReason;
use engine::departures::Departure;
use engine::{Moment, Ticket};

use crate::connection::Connection;
use crate::device::{Device, Kept, State};
use crate::node::Node;

/// What else there is to say about the end of a connection.
#[derive(Clone, Copy)]
pub(crate) struct Ending {
    /// Whether its Will is to be published now.
    pub(crate) will: bool,
    /// Which of its device's connections it was (spec 4.7, `versionNumber`).
    pub(crate) connections: u64,
}

/// How a connection leaves its device.
#[derive(Clone, Copy)]
pub(crate) struct Leave {
    pub(crate) reason: CloseReason,
    /// Whether its session ends, however long it was to outlive it.
    pub(crate) end_session: bool,
    /// Whether its Will is published.
    pub(crate) will: bool,
}

/// What is left to do when a connection has left its device.
pub(crate) struct Left {
    pub(crate) ending: Ending,
    /// With which the end of its session is durable; [`Ticket::NONE`] if it goes on.
    pub(crate) durable: Ticket,
}

impl Node {
    /// Ends the connection of that epoch, if it is still the present one.
    pub(crate) fn close(self: &Arc<Self>, device: &Arc<Device>, epoch: u64, reason: CloseReason) {
        let now = self.now();
        let mut state = device.lock();
        let Some(mut connection) = state.take(epoch) else { return };
        let leave = Leave { reason, end_session: false, will: reason.publishes_will() };
        let left = self.leave(device, &mut state, &mut connection, leave, now);
        drop(state);
        self.finish(device, connection, reason, left.ending);
    }

    /// What a connection that was taken out of its device leaves there: a session that goes on, or
    /// none. Afterwards [`Node::finish`].
    pub(crate) fn leave(
        &self,
        device: &Arc<Device>,
        state: &mut State,
        connection: &mut Connection,
        leave: Leave,
        now: Moment,
    ) -> Left {
        device.connected.store(false, Ordering::Relaxed);
        let kept = &mut state.session;
        self.remember(device, connection, kept, leave.reason, now);
        let memory = connection.session.suspend();
        let changes = connection.session.take_changes();
        if kept.number != 0 && !changes.is_empty() {
            self.keeper.keep_changes(kept.number, &changes);
        }
        let mut ending = Ending { will: leave.will, connections: kept.connections };
        let mut durable = Ticket::NONE;
        if kept.expiry_seconds > 0 && !leave.end_session {
            let life = Duration::from_secs(u64::from(kept.expiry_seconds));
            let ends = now.after(life);
            kept.memory = memory;
            kept.ends = Some(ends);
            self.keeper.keep_session(&device.client_id, kept, Some(ends));
            if ending.will {
                self.delay_will(device, kept, connection, &mut ending, now, life);
            }
        } else {
            durable = self.forget_session(device, kept, memory.as_deref());
        }
        state.session.forgotten = Some(now.after(self.rules.profile.remembered));
        self.schedule(device, state, now);
        Left { ending, durable }
    }

    /// Takes down what is to be told of the connection when it is over.
    fn remember(
        &self,
        device: &Device,
        connection: &Connection,
        kept: &Kept,
        reason: CloseReason,
        now: Moment,
    ) {
        let (session, peer) = (&connection.session, &connection.peer);
        let departure = Departure {
            at: now,
            reason,
            clean_session: !kept.is_persistent(),
            session_expiry_seconds: kept.expiry_seconds,
            keep_alive_seconds: session.keep_alive_seconds(),
            epoch: connection.epoch,
            last_received: session.last_received(),
            thing_name: peer.thing.as_ref().map(|thing| thing.name.as_str().into()),
            source: peer.source,
            target: connection.io.local_address(),
        };
        self.departures.lock().add(&device.client_id, departure);
    }

    /// A Will with a delay waits for it to pass, or for the session to end ([MQTT-3.1.3-9]).
    fn delay_will(
        &self,
        device: &Arc<Device>,
        kept: &mut Kept,
        connection: &mut Connection,
        ending: &mut Ending,
        now: Moment,
        life: Duration,
    ) {
        let Some(will) = connection.will.take_if(|will| !will.delay.is_zero()) else { return };
        let due = now.after(will.delay.min(life));
        self.keeper.keep_will(&device.client_id, &will, due);
        kept.will = Some((will, due));
        ending.will = false;
    }

    /// What is left to do for a connection that nobody else can reach any more. Dropping it settles
    /// everybody who waits for one of its PUBACKs.
    pub(crate) fn finish(
        self: &Arc<Self>,
        device: &Arc<Device>,
        mut connection: Connection,
        reason: CloseReason,
        ending: Ending,
    ) {
        self.connected.fetch_sub(1, Ordering::Relaxed);
        connection.withdraw_all(reason);
        self.disconnected(device, &connection, reason, ending);
        let driver = connection.driver.take();
        let will = connection.will.take().filter(|_| ending.will);
        if reason == CloseReason::ConnectionLost {
            drop(connection);
        } else {
            let (session, out) = connection.session_and_output();
            session.farewell(reason, out);
            // The waiters are settled first: nothing that comes now acknowledges anything.
            let (io, bytes) = connection.into_last_bytes();
            self.part(io, bytes);
        }
        // The old driver finds its epoch over and ends.
        if let Some(driver) = driver {
            driver.wake();
        }
        if let Some(will) = will {
            self.publish_will(device, will, false);
        }
    }
}
