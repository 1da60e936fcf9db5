//! PUBLISH from a device: authorise, match, deliver.

use std::sync::Arc;

use engine::Moment;
use engine::close::CloseReason;
use engine::session::{Delivered, Delivery, Incoming, Topic};
use mqtt::{Properties, PropertiesBuf, Property, QoS, ReasonCode, TopicName, Version};
use telemetry::Quota;

use crate::batch::Batch;
use crate::connection::{Connection, Will};
use crate::device::Device;
use crate::driver::{Driver, Flow};
use crate::events::{Link, PublishEnd};
use crate::node::Node;

/// A message on its way to its subscribers.
struct Message<'a> {
    topic: TopicName<'a>,
    qos: QoS,
    properties: Properties<'a>,
    payload: &'a [u8],
}

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
        if self.node.access.publish(&self.peer, topic, false, now).is_err() {
            self.node.publish_in(self.link(), text, PublishEnd::Denied);
            return self.refuse_publish(incoming, batch);
        }
        let inbound = self.node.rules.quotas.inbound_publishes;
        if self.node.budgets.inbound.take(inbound, now).is_err() {
            let end = PublishEnd::Throttled(Quota::InboundPublishes);
            self.node.publish_in(self.link(), text, end);
            return self.acknowledge(incoming, ReasonCode::QuotaExceeded, batch);
        }
        let forwarded = forwarded_properties(incoming.properties);
        let properties = match &forwarded {
            Some(properties) => properties.as_properties(),
            None => incoming.properties,
        };
        let (qos, payload) = (incoming.qos, incoming.payload);
        self.node.publish(&Message { topic, qos, properties, payload }, batch);
        self.node.publish_in(self.link(), text, PublishEnd::Success);
        self.acknowledge(incoming, ReasonCode::Success, batch)
    }

    fn acknowledge(&self, incoming: &Incoming<'_>, code: ReasonCode, batch: &mut Batch) -> Flow {
        let Some(packet_id) = incoming.packet_id else { return Flow::Continue };
        if self.version == Version::V311 && code.is_error() {
            // MQTT 3.1.1 has no negative PUBACK; silence is all there is.
            return Flow::Continue;
        }
        self.with_connection(batch, |connection| {
            let (session, out) = connection.session_and_output();
            session.acknowledge(packet_id, code, out);
        })
    }

    /// Spec 12.12: MQTT 5 gets PUBACK 0x87 at QoS 1, then DISCONNECT 0x87; 3.1.1 is closed.
    fn refuse_publish(&self, incoming: &Incoming<'_>, batch: &mut Batch) -> Flow {
        match self.acknowledge(incoming, ReasonCode::NotAuthorized, batch) {
            Flow::Continue => self.stop(CloseReason::Forbidden),
            Flow::Stop => Flow::Stop,
        }
    }
}

impl Node {
    /// Publishes the Will of a connection that ended without DISCONNECT.
    pub(crate) fn publish_will(self: &Arc<Self>, will: &Will) {
        let Ok(topic) = TopicName::parse(&will.topic) else { return };
        let mut batch = Batch::new(self.now());
        let message = Message {
            topic,
            qos: will.qos,
            properties: will.properties.as_properties(),
            payload: &will.payload,
        };
        self.publish(&message, &mut batch);
        batch.write(self);
    }

    /// Hands a message to every connected subscriber, once to each.
    fn publish(&self, message: &Message<'_>, batch: &mut Batch) {
        let targets = batch.take_targets(self, message.topic);
        for (device, granted) in &targets {
            self.deliver(device, message, (*granted).min(message.qos), batch);
        }
        batch.keep_targets(targets);
    }

    /// Everybody who subscribes to the topic. Overlapping filters of one session: one copy, at the
    /// highest quality of service.
    pub(crate) fn find_targets(&self, topic: TopicName<'_>, targets: &mut Vec<(Arc<Device>, QoS)>) {
        targets.clear();
        let parent = self.rules.profile.multi_level_matches_parent;
        self.subscriptions.read().matches(topic, parent, |subscription| {
            targets.push((Arc::clone(&subscription.subscriber.0), subscription.options.qos));
        });
        targets.sort_unstable_by_key(|(device, qos)| {
            (Arc::as_ptr(device) as usize, std::cmp::Reverse(*qos))
        });
        targets.dedup_by(|later, kept| Arc::ptr_eq(&later.0, &kept.0));
    }

    /// Hands a message to one subscriber.
    fn deliver(&self, device: &Arc<Device>, message: &Message<'_>, qos: QoS, batch: &mut Batch) {
        let mut state = device.lock();
        // A session without a connection gets nothing yet: there is no queue.
        let Some(connection) = &mut state.connection else { return };
        let end = self.hand_to(connection, message, qos, batch.now);
        batch.add(device, connection);
        let link = Link { trace_id: connection.trace_id, peer: &connection.peer };
        self.publish_out(link, message.topic.as_str(), end);
    }

    fn hand_to(
        &self,
        connection: &mut Connection,
        message: &Message<'_>,
        qos: QoS,
        now: Moment,
    ) -> PublishEnd {
        let Message { topic, properties, payload, .. } = *message;
        let Ok(permit) = self.access.receive(&connection.peer, topic, now) else {
            return PublishEnd::Denied;
        };
        let outbound = self.rules.quotas.outbound_publishes;
        if self.budgets.outbound.take(outbound, now).is_err() {
            return PublishEnd::Throttled(Quota::OutboundPublishes);
        }
        let delivery = Delivery { topic, qos, properties, payload };
        let (session, out) = connection.session_and_output();
        match session.deliver(&delivery, permit, now, out) {
            Delivered::Sent => PublishEnd::Success,
            Delivered::Throttled => PublishEnd::Throttled(Quota::PublishesPerConnection),
            Delivered::WindowFull => PublishEnd::Throttled(Quota::OutboundUnacknowledged),
            Delivered::TooLarge => PublishEnd::TooLarge,
            Delivered::NotWritable => PublishEnd::NotWritable,
        }
    }
}

/// The properties without the topic alias, which belongs to the publisher's connection
/// ([MQTT-3.3.2-7]); none if there is nothing to take away.
fn forwarded_properties(properties: Properties<'_>) -> Option<PropertiesBuf> {
    properties.topic_alias()?;
    let mut kept = PropertiesBuf::new();
    for property in properties.iter() {
        if !matches!(property, Property::TopicAlias(_)) {
            // It was decoded from these very bytes, so it encodes.
            let _ = kept.push(property);
        }
    }
    Some(kept)
}
