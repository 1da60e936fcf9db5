//! How a connection begins and ends: attach, take over, close, and what stays of the session.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use engine::access::Peer;
use engine::close::CloseReason;
use engine::session::{Granted, Memory, Session};
use engine::{Moment, Ticket};
use mqtt::{Connect, TopicFilter};

use crate::Transport;
use crate::accept::Entrance;
use crate::connection::Connection;
use crate::device::{Device, Kept, State};
use crate::driver::Driver;
use crate::events::Link;
use crate::node::Node;
use crate::subscribe::Subscriber;
use crate::will::Will;

/// A connection that was granted, before it is the present one of its client ID.
struct Arrival {
    io: Box<dyn Transport>,
    granted: Granted,
    peer: Arc<Peer>,
    will: Option<Box<Will>>,
    expires: Option<Moment>,
}

/// Makes a granted connection the present one of its client ID; an older one is ended
/// ([MQTT-3.1.4-3]).
pub(crate) fn attach(
    node: &Arc<Node>,
    io: Box<dyn Transport>,
    entrance: &Entrance,
    connect: &Connect<'_>,
    granted: Granted,
    peer: Arc<Peer>,
    inbox: Vec<u8>,
) -> Driver {
    let now = node.now();
    let version = granted.version;
    let arrival = Arrival {
        io,
        granted,
        peer: Arc::clone(&peer),
        will: connect.will.as_ref().map(|will| Will::new(will, node.rules.profile)),
        expires: entrance.life.map(|life| now.after(life)),
    };
    // Before others can find the connection, and end it.
    node.connected.fetch_add(1, Ordering::Relaxed);
    let attached = install(node, arrival, now);
    if let Some((old, ending)) = attached.old {
        node.finish(&attached.device, old, CloseReason::TakenOver, ending);
    }
    if let Some(will) = attached.will {
        node.publish_will(&attached.device, will, true);
    }
    node.write_to(&attached.device, now);
    node.announce(&attached.device);
    node.dismiss_late(&attached.device, attached.epoch);
    if node.is_draining() {
        // It came in while the drain began, which may have looked at its device already.
        node.close(&attached.device, attached.epoch, CloseReason::ServerShutdown);
    }
    Driver {
        node: Arc::clone(node),
        device: attached.device,
        peer,
        trace_id: attached.trace_id,
        epoch: attached.epoch,
        version,
        packet_size_limit: engine::session::packet_size_limit(&node.rules),
        inbox,
    }
}

struct Attached {
    device: Arc<Device>,
    epoch: u64,
    trace_id: telemetry::TraceId,
    old: Option<(Connection, Ending)>,
    /// The Will of a session that ended now, while its delay ran.
    will: Option<Box<Will>>,
}

/// What else there is to say about the end of a connection.
#[derive(Clone, Copy)]
pub(crate) struct Ending {
    /// Whether its Will is to be published now.
    will: bool,
    /// Which of its device's connections it was (spec 4.7, `versionNumber`).
    pub(crate) connections: u64,
}

fn install(node: &Arc<Node>, arrival: Arrival, now: Moment) -> Attached {
    loop {
        let device = node.devices.get_or_insert(&arrival.granted.client_id);
        let mut state = device.lock();
        if state.removed {
            continue;
        }
        let attached = replace(node, &device, &mut state, arrival, now);
        node.schedule(&device, &mut state, now);
        drop(state);
        return attached;
    }
}

/// Puts the connection in the place of the one that was there.
fn replace(
    node: &Arc<Node>,
    device: &Arc<Device>,
    state: &mut State,
    arrival: Arrival,
    now: Moment,
) -> Attached {
    let Arrival { io, granted, peer, will, expires } = arrival;
    let mut old = state.connection.take();
    let connections = state.session.connections;
    let resumed = may_resume(state, old.is_some(), &granted, now);
    let memory = match &mut old {
        Some(old) => old.session.suspend(),
        None => state.session.memory.take(),
    };
    // A Will whose delay has not passed is withdrawn by coming back, and published at once when the
    // session ends ([MQTT-3.1.3-9], [MQTT-3.1.2-10]).
    let delayed = state.session.will.take().map(|(will, _)| will);
    if delayed.is_some() && resumed {
        node.keeper.forget_will(&device.client_id);
    }
    let ending = Ending {
        will: old
            .as_ref()
            .and_then(|old| old.will.as_ref())
            .is_some_and(|will| !resumed || will.delay.is_zero()),
        connections,
    };
    let (memory, mut durable) = if resumed {
        (memory, Ticket::NONE)
    } else {
        (None, node.forget_session(device, &mut state.session, memory.as_deref()))
    };
    let kept = &mut state.session;
    kept.version = Some(granted.version);
    kept.expiry_seconds = granted.session_expiry_seconds;
    kept.ends = None;
    kept.forgotten = None;
    kept.connections += 1;
    durable = durable.max(node.begin_session(device, kept, memory.as_deref()));
    let lifetime = node.keeper.lifetime(kept.expiry_seconds);
    let session = Session::new(Arc::clone(&node.rules), &granted, lifetime, memory, now, expires);
    let mut connection = Connection::new(io, session, Arc::clone(&peer), will);
    let (session, out) = connection.session_and_output();
    session.accept(&granted, resumed, durable, out);
    let (epoch, trace_id) = (node.next_epoch(), connection.trace_id);
    connection.epoch = epoch;
    node.connect_succeeded(Link { trace_id, peer: &peer }, &granted, epoch, kept.connections);
    state.epoch = epoch;
    state.connection = Some(connection);
    device.connected.store(true, Ordering::Relaxed);
    node.send_backlog(device, state, now);
    Attached {
        device: Arc::clone(device),
        epoch,
        trace_id,
        old: old.map(|old| (old, ending)),
        will: delayed.filter(|_| !resumed),
    }
}

/// Whether the session goes on (Session Present; [MQTT-3.1.2-4], [MQTT-3.1.2-5]).
fn may_resume(state: &State, connected: bool, granted: &Granted, now: Moment) -> bool {
    let alive = if connected { state.session.is_persistent() } else { state.has_session(now) };
    alive && !granted.clean_start && state.session.version == Some(granted.version)
}

impl Node {
    /// A session begins or goes on. One that outlives its connection is kept from now on; one that
    /// no longer does is not. The ticket with which that is durable.
    fn begin_session(
        &self,
        device: &Arc<Device>,
        kept: &mut Kept,
        memory: Option<&Memory>,
    ) -> Ticket {
        if kept.expiry_seconds > 0 {
            if kept.number == 0 {
                kept.number = self.keeper.next_number();
            }
            return self.keeper.keep_session(&device.client_id, kept, None);
        }
        match std::mem::take(&mut kept.number) {
            0 => Ticket::NONE,
            number => {
                let subscriptions = &kept.subscriptions;
                self.keeper.forget_session(&device.client_id, number, subscriptions, memory)
            }
        }
    }

    /// Ends the connection of that epoch, if it is still the present one.
    pub(crate) fn close(self: &Arc<Self>, device: &Arc<Device>, epoch: u64, reason: CloseReason) {
        let now = self.now();
        let mut state = device.lock();
        let Some(mut connection) = state.take(epoch) else { return };
        device.connected.store(false, Ordering::Relaxed);
        let memory = connection.session.suspend();
        let kept = &mut state.session;
        let changes = connection.session.take_changes();
        if kept.number != 0 && !changes.is_empty() {
            self.keeper.keep_changes(kept.number, &changes);
        }
        let mut ending = Ending { will: reason.publishes_will(), connections: kept.connections };
        if kept.expiry_seconds > 0 {
            let life = Duration::from_secs(u64::from(kept.expiry_seconds));
            let ends = now.after(life);
            kept.memory = memory;
            kept.ends = Some(ends);
            self.keeper.keep_session(&device.client_id, kept, Some(ends));
            if ending.will {
                self.delay_will(device, kept, &mut connection, &mut ending, now, life);
            }
        } else {
            self.forget_session(device, kept, memory.as_deref());
        }
        state.session.forgotten = Some(now.after(self.rules.profile.remembered));
        self.schedule(device, &mut state, now);
        drop(state);
        self.finish(device, connection, reason, ending);
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

    /// The Will of a device that did not come back in time is published.
    pub(crate) fn end_delay(self: &Arc<Self>, device: &Arc<Device>, now: Moment) {
        let mut state = device.lock();
        let due = state.session.will.take_if(|(_, due)| *due <= now);
        let Some((will, _)) = due.filter(|_| state.connection.is_none()) else { return };
        self.schedule(device, &mut state, now);
        drop(state);
        self.publish_will(device, will, true);
    }

    /// The session of a device that did not come back in time ends.
    pub(crate) fn end_session(self: &Arc<Self>, device: &Arc<Device>, now: Moment) {
        let mut state = device.lock();
        if state.connection.is_some() || state.has_session(now) {
            return;
        }
        let memory = state.session.memory.take();
        self.forget_session(device, &mut state.session, memory.as_deref());
        let will = state.session.will.take().map(|(will, _)| will);
        state.session.ends = None;
        self.schedule(device, &mut state, now);
        drop(state);
        if let Some(will) = will {
            self.publish_will(device, will, true);
        }
        self.forget(device, now);
    }

    /// Nothing is left of a session: its subscriptions and messages. The ticket with which that is
    /// durable.
    fn forget_session(
        &self,
        device: &Arc<Device>,
        kept: &mut Kept,
        memory: Option<&Memory>,
    ) -> Ticket {
        let subscriptions = std::mem::take(&mut kept.subscriptions);
        let subscriber = Subscriber::new(device, kept);
        kept.generation += 1;
        let durable = match std::mem::take(&mut kept.number) {
            0 => Ticket::NONE,
            number => self.keeper.forget_session(&device.client_id, number, &subscriptions, memory),
        };
        if subscriptions.is_empty() {
            return durable;
        }
        let mut topics = self.subscriptions.write();
        for text in subscriptions.keys() {
            if let Ok(filter) = TopicFilter::parse(text) {
                topics.remove(filter, &subscriber);
            }
        }
        durable
    }

    /// Drops the device from the registry once neither connection nor session is left.
    pub(crate) fn forget(&self, device: &Arc<Device>, now: Moment) {
        self.devices.remove_if(device, || {
            let mut state = device.lock();
            let session = &state.session;
            state.removed = state.connection.is_none()
                && session.ends.is_none()
                && session.forgotten.is_none_or(|forgotten| forgotten <= now);
            state.removed
        });
    }
}
