//! How a connection begins and ends: attach, take over, close, and what stays of the session.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use engine::Moment;
use engine::access::Peer;
use engine::close::CloseReason;
use engine::session::{Granted, Session};
use mqtt::{Connect, PropertiesBuf, Property, TopicFilter};

use crate::Transport;
use crate::accept::Entrance;
use crate::connection::{Connection, Will};
use crate::device::{Device, State};
use crate::driver::Driver;
use crate::events::Link;
use crate::node::Node;
use crate::subscribe::Subscriber;

/// How long a device without a session stays known, so that a client ID that connects again and
/// again meets its own rate limit.
const REMEMBERED: Duration = Duration::from_secs(15);

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
    let expires = entrance.life.map(|life| now.after(life));
    let session = Session::new(Arc::clone(&node.rules), &granted, now, expires);
    let packet_size_limit = session.packet_size_limit();
    let will = connect.will.as_ref().map(owned_will);
    let connection = Connection::new(io, session, Arc::clone(&peer), will);
    let trace_id = connection.trace_id;
    // Before others can find the connection, and end it.
    node.connected.fetch_add(1, Ordering::Relaxed);
    let attached = install(node, connection, &granted, now);
    node.connect_succeeded(Link { trace_id, peer: &peer }, &granted, attached.epoch);
    if let Some(old) = attached.old {
        node.finish(&attached.device, old, CloseReason::TakenOver);
    }
    node.write_to(&attached.device, now);
    if node.is_draining() {
        // It came in while the drain began, which may have looked at its device already.
        node.close(&attached.device, attached.epoch, CloseReason::ServerShutdown);
    }
    Driver {
        node: Arc::clone(node),
        device: attached.device,
        peer,
        trace_id,
        epoch: attached.epoch,
        version: granted.version,
        packet_size_limit,
        inbox,
    }
}

struct Attached {
    device: Arc<Device>,
    epoch: u64,
    old: Option<Connection>,
}

fn install(
    node: &Arc<Node>,
    mut connection: Connection,
    granted: &Granted,
    now: Moment,
) -> Attached {
    loop {
        let device = node.devices.get_or_insert(&granted.client_id);
        let mut state = device.lock();
        if state.removed {
            continue;
        }
        let resumed = resume(node, &device, &mut state, granted, now);
        let (_, out) = connection.session_and_output();
        granted.accept(resumed, &node.rules, out);
        let epoch = node.next_epoch();
        connection.epoch = epoch;
        state.epoch = epoch;
        let old = state.connection.replace(connection);
        node.schedule(&device, &mut state, now);
        drop(state);
        return Attached { device, epoch, old };
    }
}

/// Resumes the session of the device, or begins it anew; says which (Session Present).
fn resume(
    node: &Node,
    device: &Arc<Device>,
    state: &mut State,
    granted: &Granted,
    now: Moment,
) -> bool {
    let connected = state.connection.is_some();
    let alive = if connected { state.session.expiry_seconds > 0 } else { state.has_session(now) };
    let resumed = alive && !granted.clean_start && state.session.version == Some(granted.version);
    if !resumed {
        node.drop_subscriptions(device, state);
    }
    state.session.version = Some(granted.version);
    state.session.expiry_seconds = granted.session_expiry_seconds;
    state.session.ends = None;
    state.session.forgotten = None;
    resumed
}

impl Node {
    /// Ends the connection of that epoch, if it is still the present one.
    pub(crate) fn close(self: &Arc<Self>, device: &Arc<Device>, epoch: u64, reason: CloseReason) {
        let now = self.now();
        let mut state = device.lock();
        let Some(connection) = state.take(epoch) else { return };
        let expiry_seconds = state.session.expiry_seconds;
        if expiry_seconds > 0 {
            let ends = now.after(Duration::from_secs(u64::from(expiry_seconds)));
            state.session.ends = Some(ends);
        } else {
            self.drop_subscriptions(device, &mut state);
        }
        state.session.forgotten = Some(now.after(REMEMBERED));
        self.schedule(device, &mut state, now);
        drop(state);
        self.finish(device, connection, reason);
    }

    /// What is left to do for a connection that nobody else can reach any more. Dropping it settles
    /// everybody who waits for one of its PUBACKs.
    pub(crate) fn finish(
        self: &Arc<Self>,
        device: &Arc<Device>,
        mut connection: Connection,
        reason: CloseReason,
    ) {
        self.connected.fetch_sub(1, Ordering::Relaxed);
        self.disconnected(device, &connection, reason);
        let driver = connection.driver.take();
        let will = connection.will.take().filter(|_| reason.publishes_will());
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
            // In a task of its own: a Will may end connections that have Wills.
            let node = Arc::clone(self);
            tokio::spawn(async move { node.publish_will(&will) });
        }
    }

    /// The session of a device that did not come back in time ends.
    pub(crate) fn end_session(&self, device: &Arc<Device>, now: Moment) {
        let mut state = device.lock();
        if state.connection.is_some() || state.has_session(now) {
            return;
        }
        self.drop_subscriptions(device, &mut state);
        state.session.ends = None;
        drop(state);
        self.forget(device, now);
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

    fn drop_subscriptions(&self, device: &Arc<Device>, state: &mut State) {
        let subscriptions = std::mem::take(&mut state.session.subscriptions);
        if subscriptions.is_empty() {
            return;
        }
        let subscriber = Subscriber(Arc::clone(device));
        let mut topics = self.subscriptions.write();
        for (text, _) in &subscriptions {
            if let Ok(filter) = TopicFilter::parse(text) {
                topics.remove(filter, &subscriber);
            }
        }
    }
}

fn owned_will(will: &mqtt::Will<'_>) -> Box<Will> {
    let mut properties = PropertiesBuf::new();
    for property in will.properties.iter() {
        // The delay is the Will's own; the rest belongs to the message ([MQTT-3.1.3-9]).
        if !matches!(property, Property::WillDelayInterval(_)) {
            // It was decoded from these very bytes, so it encodes.
            let _ = properties.push(property);
        }
    }
    Box::new(Will {
        topic: will.topic.as_str().into(),
        payload: will.payload.into(),
        qos: will.qos,
        properties,
    })
}
