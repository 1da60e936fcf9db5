//! PUBLISH from a device: authorise, match, deliver.

use std::sync::Arc;

use engine::Moment;
use engine::close::CloseReason;
use engine::session::{Delivered, Delivery, Incoming, Topic};
use mqtt::{Properties, PropertiesBuf, Property, QoS, ReasonCode, TopicName, Version};
use smallvec::SmallVec;
use telemetry::Quota;

use crate::connection::Will;
use crate::device::Device;
use crate::dirty::Dirty;
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
    pub(crate) fn handle_publish(
        &mut self,
        incoming: &Incoming<'_>,
        now: Moment,
        dirty: &mut Dirty,
    ) -> Flow {
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
            return self.refuse_publish(incoming);
        }
        let inbound = self.node.rules.quotas.inbound_publishes;
        if self.node.budgets.inbound.take(inbound, now).is_err() {
            let end = PublishEnd::Throttled(Quota::InboundPublishes);
            self.node.publish_in(self.link(), text, end);
            return self.acknowledge(incoming, ReasonCode::QuotaExceeded);
        }
        let forwarded = forwarded_properties(incoming.properties);
        let properties = match &forwarded {
            Some(properties) => properties.as_properties(),
            None => incoming.properties,
        };
        let (qos, payload) = (incoming.qos, incoming.payload);
        self.node.publish(&Message { topic, qos, properties, payload }, now, dirty);
        self.node.publish_in(self.link(), text, PublishEnd::Success);
        self.acknowledge(incoming, ReasonCode::Success)
    }

    fn acknowledge(&self, incoming: &Incoming<'_>, code: ReasonCode) -> Flow {
        let Some(packet_id) = incoming.packet_id else { return Flow::Continue };
        if self.version == Version::V311 && code.is_error() {
            // MQTT 3.1.1 has no negative PUBACK; silence is all there is.
            return Flow::Continue;
        }
        self.with_connection(|connection| {
            let (session, out) = connection.session_and_output();
            session.acknowledge(packet_id, code, out);
        })
    }

    /// Spec 12.12: MQTT 5 gets PUBACK 0x87 at QoS 1, then DISCONNECT 0x87; 3.1.1 is closed.
    fn refuse_publish(&self, incoming: &Incoming<'_>) -> Flow {
        match self.acknowledge(incoming, ReasonCode::NotAuthorized) {
            Flow::Continue => self.stop(CloseReason::Forbidden),
            Flow::Stop => Flow::Stop,
        }
    }
}

impl Node {
    /// Publishes the Will of a connection that ended without DISCONNECT.
    pub(crate) fn publish_will(self: &Arc<Self>, will: &Will) {
        let Ok(topic) = TopicName::parse(&will.topic) else { return };
        let mut dirty = Dirty::default();
        let message = Message {
            topic,
            qos: will.qos,
            properties: will.properties.as_properties(),
            payload: &will.payload,
        };
        self.publish(&message, self.now(), &mut dirty);
        dirty.write(self);
    }

    /// Hands a message to every connected subscriber, once to each.
    fn publish(&self, message: &Message<'_>, now: Moment, dirty: &mut Dirty) {
        let mut targets: SmallVec<[(Arc<Device>, QoS); 8]> = SmallVec::new();
        let parent = self.rules.profile.multi_level_matches_parent;
        self.topics.read().matches(message.topic, parent, |subscription| {
            targets.push((Arc::clone(&subscription.subscriber.0), subscription.options.qos));
        });
        // Overlapping filters of one session: one copy, at the highest quality of service.
        targets
            .sort_by_key(|(device, qos)| (Arc::as_ptr(device) as usize, std::cmp::Reverse(*qos)));
        targets.dedup_by(|later, kept| Arc::ptr_eq(&later.0, &kept.0));
        for (device, granted) in &targets {
            if self.deliver(device, message, (*granted).min(message.qos), now) {
                dirty.add(device);
            }
        }
    }

    /// Hands a message to one subscriber; says whether there is something to write.
    fn deliver(&self, device: &Device, message: &Message<'_>, qos: QoS, now: Moment) -> bool {
        let mut state = device.lock();
        // A session without a connection gets nothing yet: there is no queue.
        let Some(connection) = &mut state.connection else { return false };
        let (trace_id, peer) = connection.link();
        let link = Link { trace_id, peer: &peer };
        let topic = message.topic.as_str();
        let Ok(permit) = self.access.receive(&peer, message.topic, now) else {
            drop(state);
            self.publish_out(link, topic, PublishEnd::Denied);
            return false;
        };
        let outbound = self.rules.quotas.outbound_publishes;
        if self.budgets.outbound.take(outbound, now).is_err() {
            drop(state);
            let end = PublishEnd::Throttled(Quota::OutboundPublishes);
            self.publish_out(link, topic, end);
            return false;
        }
        let Message { topic: name, properties, payload, .. } = *message;
        let delivery = Delivery { topic: name, qos, properties, payload };
        let (session, out) = connection.session_and_output();
        let delivered = session.deliver(&delivery, permit, now, out);
        drop(state);
        let end = match delivered {
            Delivered::Sent => PublishEnd::Success,
            Delivered::Throttled => PublishEnd::Throttled(Quota::PublishesPerConnection),
            Delivered::WindowFull => PublishEnd::Throttled(Quota::OutboundUnacknowledged),
            Delivered::TooLarge => PublishEnd::TooLarge,
            Delivered::NotWritable => PublishEnd::NotWritable,
        };
        self.publish_out(link, topic, end);
        delivered == Delivered::Sent
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
