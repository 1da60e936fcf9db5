//! What one read of a connection brings about.

use std::sync::Arc;

use engine::Moment;
use engine::close::CloseReason;
use engine::topics::Topics;
use mqtt::TopicName;

use crate::connection::Connection;
use crate::device::Device;
use crate::node::Node;
use crate::subscribe::Subscriber;
use crate::target::Targets;

/// The packets of one read have their moment in common; each device that got bytes is written to
/// once at the end, however many messages it got; and a topic that comes again and again is looked
/// up once.
pub(crate) struct Batch {
    pub(crate) now: Moment,
    unwritten: Vec<Arc<Device>>,
    route: Route,
}

/// Who gets the messages of one topic that this connection publishes.
#[derive(Default)]
struct Route {
    topic: String,
    /// What [`Subscriptions::changes`](crate::subscriptions::Subscriptions::changes) said; none
    /// before the first topic.
    changes: Option<u64>,
    targets: Targets,
}

impl Batch {
    pub(crate) fn new(now: Moment) -> Self {
        Batch { now, unwritten: Vec::new(), route: Route::default() }
    }

    /// Has the device written to at the end, if there is something to write and nobody else is to.
    /// Called with its lock held.
    pub(crate) fn add(&mut self, device: &Arc<Device>, connection: &mut Connection) {
        if connection.claim_write() {
            self.unwritten.push(Arc::clone(device));
        }
    }

    /// Writes what the batch has made.
    pub(crate) fn write(self, node: &Arc<Node>) {
        for device in self.unwritten {
            node.write_to(&device, self.now);
        }
    }

    /// The targets of a topic, to be given back with [`Batch::keep_targets`]. A batch is one
    /// publisher's, so that `origin` is always the same. `subscriptions` are the node's, if the
    /// caller has locked them.
    pub(crate) fn take_targets(
        &mut self,
        node: &Node,
        subscriptions: Option<&Topics<Subscriber>>,
        topic: TopicName<'_>,
        origin: Option<&Arc<Device>>,
    ) -> Targets {
        let changes = Some(node.subscriptions.changes());
        let route = &mut self.route;
        let mut targets = std::mem::take(&mut route.targets);
        if route.changes == changes && route.topic == topic.as_str() {
            return targets;
        }
        route.changes = changes;
        route.topic.clear();
        route.topic.push_str(topic.as_str());
        match subscriptions {
            Some(subscriptions) => node.find_targets(subscriptions, topic, origin, &mut targets),
            None => node.find_targets(&node.subscriptions.read(), topic, origin, &mut targets),
        }
        targets
    }

    pub(crate) fn keep_targets(&mut self, targets: Targets) {
        self.route.targets = targets;
    }
}

impl Node {
    /// Writes what waits for the device, and what of its backlog has room then; a connection that
    /// fails is ended.
    pub(crate) fn write_to(self: &Arc<Self>, device: &Arc<Device>, now: Moment) {
        let mut state = device.lock();
        let epoch = state.epoch;
        let throughput = self.rules.quotas.throughput_per_connection;
        let mut written = Ok(0);
        while let Some(connection) = &mut state.connection {
            match (&mut written, connection.write_now(now, throughput)) {
                (Ok(bytes), Ok(more)) => *bytes += more,
                (_, result) => written = result,
            }
            let idle = written.is_ok() && connection.pending_output() == 0;
            if !idle || !connection.has_backlog() {
                break;
            }
            self.send_backlog(device, &mut state, now);
            if state.connection.as_ref().is_none_or(|open| open.pending_output() == 0) {
                break;
            }
        }
        // Only what waits has a deadline that is new.
        if state.connection.as_ref().is_some_and(Connection::has_new_deadlines) {
            self.schedule(device, &mut state, now);
        }
        drop(state);
        match written {
            Ok(bytes) => self.telemetry.metrics().mqtt_sent(bytes),
            Err(_) => self.close(device, epoch, CloseReason::ConnectionLost),
        }
    }
}
