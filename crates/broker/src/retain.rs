//! Retained messages.

use std::sync::Arc;

use engine::message::Shared;
use engine::retained::Retained;
use engine::{Moment, Ticket};
use telemetry::Quota;

use crate::device::Device;
use crate::node::Node;

impl Node {
    /// Keeps the message in the place of its topic's last one, or none if it is empty
    /// ([MQTT-3.3.1-5] to [MQTT-3.3.1-7]).
    pub(crate) fn retain(
        &self,
        message: &Shared<'_>,
        origin: Option<&Arc<Device>>,
        now: Moment,
    ) -> Result<Ticket, Quota> {
        let quotas = &self.rules.quotas;
        if self.budgets.retained.take(quotas.retained_publishes, now).is_err() {
            return Err(Quota::RetainedPublishes);
        }
        let publication = message.publication();
        let modified_millis = self.clock.wall().millis(now);
        let mut all = self.retained.write();
        let present = all.get(publication.topic.as_str(), now);
        if let (Some(present), Some(interval)) = (present, quotas.retained_publish_interval)
            && u128::from(modified_millis.saturating_sub(present.modified_millis))
                < interval.as_millis()
        {
            return Err(Quota::RetainedPublishes);
        }
        if publication.payload.is_empty() {
            let removed = all.remove(publication.topic);
            return Ok(match removed {
                true => self.keeper.forget_retained(publication.topic),
                // Somebody else may have deleted it a moment ago, which is not durable yet.
                false => self.keeper.latest(),
            });
        }
        if present.is_none() && all.len() >= quotas.retained_messages {
            return Err(Quota::RetainedMessages);
        }
        let publisher = origin.map(|device| device.client_id.clone());
        let retained = Retained { message: message.keep(), modified_millis, publisher };
        let durable = self.keeper.keep_retained(&retained);
        all.set(retained);
        Ok(durable)
    }

    /// The retained message of a topic.
    pub fn retained(&self, topic: &str) -> Option<Retained> {
        self.retained.read().get(topic, self.now()).cloned()
    }

    /// At most `count` retained messages whose topics come after `topic`, in the order of the
    /// topics' bytes.
    pub fn retained_after(&self, topic: Option<&str>, count: usize) -> Vec<Retained> {
        self.retained.read().after(topic, self.now()).take(count).cloned().collect()
    }

    /// Forgets the retained messages whose life is over.
    pub(crate) fn forget_expired(&self, now: Moment) {
        let mut all = self.retained.write();
        while let Some(expired) = all.poll_expired(now) {
            self.keeper.forget_retained(expired.message.topic.as_name());
        }
    }
}
