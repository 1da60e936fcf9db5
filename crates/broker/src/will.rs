//! The message published when a connection ends without DISCONNECT.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use engine::message::{Message, Shared, expiry};
use engine::profile::Profile;
use mqtt::{PropertiesBuf, Property};

use crate::batch::Batch;
use crate::device::Device;
use crate::node::Node;
use engine::Moment;

/// A Will ([MQTT-3.1.2-8]).
pub(crate) struct Will {
    message: Message,
    /// The life of the message, from the moment it is published ([MQTT-3.1.3-11] and its like).
    expiry_seconds: Option<u32>,
    /// How long it waits for its client to come back ([MQTT-3.1.3-9]).
    pub(crate) delay: Duration,
}

impl Will {
    pub(crate) fn new(will: &mqtt::Will<'_>, profile: &Profile) -> Box<Self> {
        let mut properties = PropertiesBuf::new();
        for property in will.properties.iter() {
            // Delay and expiry are the Will's own; the rest belongs to the message.
            if !matches!(
                property,
                Property::WillDelayInterval(_) | Property::MessageExpiryInterval(_)
            ) {
                // It was decoded from these very bytes, so it encodes.
                let _ = properties.push(property);
            }
        }
        let delay = will.properties.will_delay_interval().unwrap_or(0);
        let expiry_seconds = will.properties.message_expiry_interval();
        Box::new(Will {
            message: Message {
                topic: will.topic.into(),
                qos: will.qos,
                retain: will.retain,
                properties,
                payload: will.payload.into(),
                expires: None,
            },
            expiry_seconds: expiry_seconds.map(|seconds| profile.message_expiry(seconds)),
            delay: Duration::from_secs(u64::from(delay)),
        })
    }

    /// A Will of an earlier process.
    pub(crate) fn restored(message: Message, expiry_seconds: Option<u32>) -> Box<Self> {
        Box::new(Will { message, expiry_seconds, delay: Duration::ZERO })
    }

    /// The message without its expiry, and its life from the moment it is published.
    pub(crate) fn parts(&self) -> (&Message, Option<u32>) {
        (&self.message, self.expiry_seconds)
    }

    /// The message as it is published at `now`.
    pub(crate) fn message(&self, now: Moment) -> Message {
        Message {
            topic: self.message.topic.clone(),
            qos: self.message.qos,
            retain: self.message.retain,
            properties: self.message.properties.clone(),
            payload: self.message.payload.clone(),
            expires: self.expiry_seconds.map(|seconds| expiry(seconds, now)),
        }
    }
}

impl Node {
    /// Publishes a Will in a task of its own: a Will may end connections that have Wills. One that is
    /// recorded is forgotten with it, so that a crash has it published once.
    pub(crate) fn publish_will(
        self: &Arc<Self>,
        device: &Arc<Device>,
        will: Box<Will>,
        recorded: bool,
    ) {
        let (node, device) = (Arc::clone(self), Arc::clone(device));
        self.wills.fetch_add(1, Ordering::AcqRel);
        self.runtime.spawn(async move {
            node.publish_will_now(&device, &will, recorded);
            node.wills.fetch_sub(1, Ordering::AcqRel);
        });
    }

    fn publish_will_now(self: &Arc<Self>, device: &Arc<Device>, will: &Will, recorded: bool) {
        let now = self.now();
        let message = Arc::new(will.message(now));
        let mut batch = Batch::new(now);
        let together = self.keeper.together();
        // A throttled Will has nobody to be told.
        let _ = self.publish(&Shared::kept(&message), Some(device), &mut batch);
        if recorded {
            self.keeper.forget_will(&device.client_id);
        }
        // No commit waits for a socket.
        drop(together);
        batch.write(self);
    }

    /// How many Wills are about to be published.
    pub(crate) fn unpublished_wills(&self) -> usize {
        self.wills.load(Ordering::Acquire)
    }
}
