//! A message published by other than a device: over HTTP.

use std::sync::Arc;

use engine::access::{Peer, PublishPermit};
use engine::message::{Publication, Shared};
use engine::{Moment, Ticket};
use telemetry::{Quota, TraceId};

use crate::batch::Batch;
use crate::node::Node;
use crate::shadows::Publisher;

/// Something that was done for a sender: to be called a success once it is durable.
#[derive(Clone, Copy, Debug)]
pub struct Durable(pub(crate) Ticket);

/// Why a message was not published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PublishRefused {
    /// A quota is exceeded; nobody gets the message.
    Throttled(Quota),
    /// A message on a topic of the server is not retained.
    Reserved,
}

impl Node {
    /// Publishes a message for a sender that is no device; on the topic of a request to a shadow that
    /// is done, too. [`Node::when_durable`] tells when the sender may be told.
    ///
    /// # Errors
    /// [`PublishRefused`], with nothing published.
    pub fn publish_for_sender(
        self: &Arc<Self>,
        _permit: PublishPermit,
        publication: Publication<'_>,
        (sender, trace_id): (&Peer, TraceId),
    ) -> Result<Durable, PublishRefused> {
        let now = self.now();
        let topic = publication.topic.as_str();
        let profile = self.rules.profile;
        if publication.retain && topic.starts_with('$') && profile.reserved_topics {
            return Err(PublishRefused::Reserved);
        }
        let inbound = self.rules.quotas.inbound_publishes;
        if self.budgets.inbound.take(inbound, now).is_err() {
            return Err(PublishRefused::Throttled(Quota::InboundPublishes));
        }
        let mut batch = Batch::new(now);
        let together = self.keeper.together();
        let message = Shared::new(publication);
        let published = self.publish(&message, None, &mut batch).map(|durable| {
            let publisher = Publisher { trace_id, peer: sender, epoch: None };
            durable.max(self.ask_shadow_by_message(message.publication(), publisher))
        });
        // No commit waits for a socket.
        drop(together);
        batch.write(self);
        published.map(Durable).map_err(PublishRefused::Throttled)
    }

    /// Calls `then` once what was done is durable, a message for everybody who is to get it later: at
    /// once, or on another thread, where it must not wait. An error says in one sentence why it never
    /// will be.
    pub fn when_durable(
        &self,
        done: Durable,
        then: impl FnOnce(Result<(), String>) + Send + 'static,
    ) {
        self.keeper.when_durable(done.0, |durable| {
            then(durable.map_err(|failed| failed.sentence().to_owned()));
        });
    }

    /// When a message that is to live for so many seconds expires, as the profile has it.
    pub fn message_expiry(&self, seconds: u32, now: Moment) -> Moment {
        engine::message::expiry(self.rules.profile.message_expiry(seconds), now)
    }
}
