//! A message of publish-subscribe: authorise, match, deliver.

use std::sync::Arc;

use engine::Ticket;
use engine::close::CloseReason;
use engine::message::{Publication, Shared, expiry};
use engine::metering;
use engine::session::{Delivery, Incoming, Memory, Session, Topic, is_basic_ingest};
use mqtt::{Properties, PropertiesBuf, Property, QoS, ReasonCode, TopicName, Version};
use telemetry::Quota;

use crate::batch::Batch;
use crate::connection::Connection;
use crate::device::{Device, State};
use crate::driver::{Driver, Flow};
use crate::events::{Arrival, Link, PublishEnd};
use crate::node::Node;
use crate::shadows::Publisher;
use crate::target::Target;
use crate::waiter::Waiter;

/// What a publisher is told whose message was not taken because of a quota.
const QUOTA_EXCEEDED: &str = "A quota on publishes is exceeded; the message was discarded.";
/// What a publisher is told who may not publish.
const NOT_AUTHORIZED: &str = "The policies do not allow this publish.";
/// What a publisher is told whose message could not be kept.
const NOT_KEPT: &str = "The server cannot keep messages now.";

impl Driver {
    pub(crate) fn handle_publish(&mut self, incoming: &Incoming<'_>, batch: &mut Batch) -> Flow {
        let now = batch.now;
        let text = incoming.topic.as_str();
        let topic = match &incoming.topic {
            Topic::Named(name) => *name,
            Topic::Aliased(name) => match TopicName::parse(name) {
                Ok(name) => name,
                Err(_) => return self.stop(CloseReason::ServerError),
            },
        };
        let retain = incoming.retain;
        let bytes = metering::message_bytes(text, incoming.properties, incoming.payload.len());
        let arrival = Arrival { topic: text, retain, bytes };
        if self.node.access.publish(&self.peer, topic, retain, now).is_err() {
            self.node.publish_in(self.link(), &arrival, PublishEnd::Denied);
            return self.refuse_publish(incoming, batch);
        }
        if retain && text.starts_with('$') && self.node.rules.profile.reserved_topics {
            self.node.publish_in(self.link(), &arrival, PublishEnd::Reserved);
            return self.stop(CloseReason::ClientError(ReasonCode::TopicNameInvalid));
        }
        let inbound = self.node.rules.quotas.inbound_publishes;
        if self.node.budgets.inbound.take(inbound, now).is_err() {
            return self.throttle(incoming, Quota::InboundPublishes, batch);
        }
        let forwarded = forwarded_properties(incoming.properties);
        let lives = incoming.properties.message_expiry_interval();
        let message = Shared::new(Publication {
            topic,
            qos: incoming.qos,
            retain,
            properties: match &forwarded {
                Some(properties) => properties.as_properties(),
                None => incoming.properties,
            },
            payload: incoming.payload,
            expires: lives.map(|asked| expiry(self.node.rules.profile.message_expiry(asked), now)),
        });
        let Some(taken) = self.take(incoming, &message, batch) else { return Flow::Stop };
        match taken {
            Ok(durable) => {
                self.node.publish_in(self.link(), &arrival, PublishEnd::Success);
                self.node.responses.offer(&self.device.client_id, self.version, &message);
                self.acknowledge(incoming, None, durable, batch)
            }
            Err(quota) => self.throttle(incoming, quota, batch),
        }
    }

    /// Takes down, at QoS 2, that the message was taken, and routes it: both or neither survive a
    /// crash. In this order, so that a connection which ends in between cannot have it sent twice.
    /// Nothing when the connection is over: its client sends the message again on the next one, and
    /// what follows it there must not be overtaken from here ([MQTT-4.6.0-2], [MQTT-3.3.1-5]).
    fn take(
        &self,
        incoming: &Incoming<'_>,
        message: &Shared<'_>,
        batch: &mut Batch,
    ) -> Option<Result<Ticket, Quota>> {
        let node = &self.node;
        let exactly_once = incoming.qos == QoS::ExactlyOnce;
        let acknowledged = incoming.qos != QoS::AtMostOnce;
        let _in_order = acknowledged.then(|| self.device.routing.lock());
        let _together = if acknowledged { node.keeper.together() } else { None };
        let id = incoming.packet_id.filter(|_| exactly_once);
        let received = match id {
            Some(id) => self.change_session(|session| session.receive(id))?,
            None if acknowledged => self.device.lock().current(self.epoch).map(|_| Ticket::NONE)?,
            None => Ticket::NONE,
        };
        let published = node.publish(message, Some(&self.device), batch).map(|durable| {
            let publisher =
                Publisher { trace_id: self.trace_id, peer: &self.peer, epoch: Some(self.epoch) };
            durable.max(node.ask_shadow_by_message(message.publication(), publisher))
        });
        if let (Err(_), Some(id)) = (&published, id) {
            self.change_session(|session| session.refuse(id));
        }
        Some(published.map(|durable| durable.max(received)))
    }

    /// Changes the session and makes that durable; nothing if the connection is over.
    fn change_session(&self, change: impl FnOnce(&mut Session<Waiter>)) -> Option<Ticket> {
        let mut state = self.device.lock();
        change(&mut state.current(self.epoch)?.session);
        Some(self.node.keep_changes(&self.device, &mut state))
    }

    fn throttle(&self, incoming: &Incoming<'_>, quota: Quota, batch: &mut Batch) -> Flow {
        let end = PublishEnd::Throttled(quota);
        let (topic, retain) = (incoming.topic.as_str(), incoming.retain);
        self.node.publish_in(self.link(), &Arrival { topic, retain, bytes: 0 }, end);
        let refused = Some((ReasonCode::QuotaExceeded, QUOTA_EXCEEDED));
        self.acknowledge(incoming, refused, Ticket::NONE, batch)
    }

    fn acknowledge(
        &self,
        incoming: &Incoming<'_>,
        refused: Option<(ReasonCode, &str)>,
        durable: Ticket,
        batch: &mut Batch,
    ) -> Flow {
        let Some(packet_id) = incoming.packet_id else { return Flow::Continue };
        if self.version == Version::V311 && refused.is_some() {
            // MQTT 3.1.1 has no negative acknowledgement; silence is all there is.
            return Flow::Continue;
        }
        let not_kept = durable == Ticket::NEVER && self.version == Version::V5;
        let (refused, durable) = if not_kept {
            (Some((ReasonCode::ImplementationSpecificError, NOT_KEPT)), Ticket::NONE)
        } else {
            (refused, durable)
        };
        let qos = incoming.qos;
        self.with_connection(batch, |connection| {
            let (session, out) = connection.session_and_output();
            if not_kept {
                session.refuse(packet_id);
            }
            session.acknowledge(packet_id, qos, refused, durable, out);
        })
    }

    /// A message at QoS 2 that was taken before is acknowledged again, once everything before it is
    /// durable.
    pub(crate) fn acknowledge_again(&self, packet_id: mqtt::PacketId, batch: &mut Batch) -> Flow {
        let durable = self.node.keeper.latest();
        self.with_connection(batch, |connection| {
            let (session, out) = connection.session_and_output();
            session.acknowledge(packet_id, QoS::ExactlyOnce, None, durable, out);
        })
    }

    /// Spec 12.12: MQTT 5 gets PUBACK 0x87 at QoS 1, then DISCONNECT 0x87; 3.1.1 is closed.
    fn refuse_publish(&self, incoming: &Incoming<'_>, batch: &mut Batch) -> Flow {
        let refused = Some((ReasonCode::NotAuthorized, NOT_AUTHORIZED));
        match self.acknowledge(incoming, refused, Ticket::NONE, batch) {
            Flow::Continue => self.stop(CloseReason::Forbidden),
            Flow::Stop => Flow::Stop,
        }
    }
}

impl Node {
    /// Retains a message if it asks for that, and hands it to every subscriber, once to each. The
    /// ticket of everything that has to be durable before the message may be acknowledged.
    ///
    /// # Errors
    /// The quota that keeps it from being retained; then nobody gets it.
    pub(crate) fn publish(
        self: &Arc<Self>,
        message: &Shared<'_>,
        origin: Option<&Arc<Device>>,
        batch: &mut Batch,
    ) -> Result<Ticket, Quota> {
        let publication = message.publication();
        if is_basic_ingest(publication.topic.as_str(), self.rules.profile) {
            // Taken and counted; there are no rules to run (spec 5).
            return Ok(Ticket::NONE);
        }
        let mut durable = Ticket::NONE;
        let mut unchanged = None;
        if publication.retain {
            // A subscription comes before both steps, and gets the message as it is published, or
            // after both, and gets it as what was retained; not in between, twice.
            unchanged = Some(self.subscriptions.read());
            durable = self.retain(message, origin, batch.now)?;
        }
        let targets = batch.take_targets(self, unchanged.as_deref(), publication.topic, origin);
        drop(unchanged);
        for target in &targets.each {
            durable = durable.max(self.deliver(target, message, batch));
        }
        for members in &targets.shared {
            if let Some(target) = self.turns.choose(members) {
                durable = durable.max(self.deliver(&target, message, batch));
            }
        }
        batch.keep_targets(targets);
        Ok(durable)
    }

    /// Hands a message to one subscriber, or queues it for its session. The ticket with which it is
    /// durable there.
    fn deliver(
        self: &Arc<Self>,
        target: &Target,
        message: &Shared<'_>,
        batch: &mut Batch,
    ) -> Ticket {
        let publication = message.publication();
        let delivery = Delivery {
            message,
            qos: target.qos.min(publication.qos),
            retain: target.retain_as_published && publication.retain,
            identifiers: &target.identifiers,
        };
        let mut state = target.device.lock();
        if state.session.generation != target.generation {
            // It subscribed and ended since its subscriptions were looked up; a new one did not.
            return Ticket::NONE;
        }
        if state.connection.is_none() {
            return self.enqueue(&target.device, &mut state, &delivery, batch.now);
        }
        self.deliver_to(&target.device, &mut state, &delivery, batch)
    }

    /// Hands a message to a connected session; nothing happens if there is no connection. Called
    /// with the device's lock held.
    pub(crate) fn deliver_to(
        self: &Arc<Self>,
        device: &Arc<Device>,
        state: &mut State,
        delivery: &Delivery<'_>,
        batch: &mut Batch,
    ) -> Ticket {
        let Some(connection) = &mut state.connection else { return Ticket::NONE };
        let end = self.hand_to(connection, delivery, batch.now);
        let link = Link { trace_id: connection.trace_id, peer: &connection.peer };
        let version = connection.session.version();
        self.publish_out(link, version, delivery.message.publication(), end);
        let durable = self.keep_changes(device, state);
        if let Some(connection) = &mut state.connection {
            batch.add(device, connection);
        }
        durable
    }

    pub(crate) fn hand_to(
        &self,
        connection: &mut Connection,
        delivery: &Delivery<'_>,
        now: engine::Moment,
    ) -> PublishEnd {
        let topic = delivery.message.publication().topic;
        let Ok(permit) = self.access.receive(&connection.peer, topic, now) else {
            return PublishEnd::Denied;
        };
        let outbound = self.rules.quotas.outbound_publishes;
        if self.budgets.outbound.take(outbound, now).is_err() {
            return PublishEnd::Throttled(Quota::OutboundPublishes);
        }
        let (session, out) = connection.session_and_output();
        session.deliver(delivery, permit, now, out).into()
    }

    /// Queues a message for a session without a connection ([MQTT-3.1.2-23] and its like). At QoS 0
    /// nothing waits.
    fn enqueue(
        self: &Arc<Self>,
        device: &Arc<Device>,
        state: &mut State,
        delivery: &Delivery<'_>,
        now: engine::Moment,
    ) -> Ticket {
        if delivery.qos == QoS::AtMostOnce || !state.has_session(now) {
            return Ticket::NONE;
        }
        let topic = delivery.message.publication().topic.as_str();
        if self.budgets.queued.take(self.rules.quotas.queued, now).is_err() {
            self.queued(device, topic, delivery.qos, Some(Quota::Queued));
            return Ticket::NONE;
        }
        let kept = &mut state.session;
        let total = &self.rules.queued;
        let memory = kept.memory.get_or_insert_with(|| Box::new(Memory::new(total)));
        let mut made = Vec::new();
        let full = memory.enqueue(delivery, &self.rules, now, |change| made.push(change));
        let durable = if kept.number == 0 || made.is_empty() {
            Ticket::NONE
        } else {
            self.keeper.keep_changes(kept.number, &made)
        };
        self.queued(device, topic, delivery.qos, full.err().map(|_| Quota::QueuedMessages));
        durable
    }
}

/// The properties that go on to subscribers: without the topic alias, which belongs to the
/// publisher's connection ([MQTT-3.3.2-7]), and without the expiry, of which the remainder is sent;
/// none if there is nothing to take away.
fn forwarded_properties(properties: Properties<'_>) -> Option<PropertiesBuf> {
    if properties.topic_alias().is_none() && properties.message_expiry_interval().is_none() {
        return None;
    }
    let mut kept = PropertiesBuf::new();
    for property in properties.iter() {
        if !matches!(property, Property::TopicAlias(_) | Property::MessageExpiryInterval(_)) {
            // It was decoded from these very bytes, so it encodes.
            let _ = kept.push(property);
        }
    }
    Some(kept)
}
