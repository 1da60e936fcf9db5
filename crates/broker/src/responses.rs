//! Senders who wait for what a device publishes in answer to their message.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use engine::message::{Message, Shared};
use foldhash::fast::RandomState;
use mqtt::{ClientId, Version};
use parking_lot::Mutex;

use crate::node::Node;

/// What is waited for.
#[derive(Clone, Debug)]
pub struct Expected {
    /// Who is to publish it.
    pub client_id: ClientId,
    /// On which topic.
    pub topic: Arc<str>,
    /// With which correlation data, from an MQTT 5 device; one of 3.1.1 has none.
    pub correlation_data: Box<[u8]>,
}

/// Who waits for it.
pub trait Awaiting: Send + Sync {
    /// Called once: with the message, or with none when none will come any more because the node shuts
    /// down; on the thread that reads from the device, where it must not wait. It is not called when
    /// the expectation is dropped before.
    fn hear(&self, response: Option<Arc<Message>>);

    /// Whether somebody is left who wants to know. A node that drains does not wait for more.
    fn is_wanted(&self) -> bool;
}

/// Everything that is waited for, by topic.
#[derive(Default)]
pub(crate) struct Responses {
    waiting: Mutex<Waiting>,
    /// How many there are, so that a publish costs nothing while nobody waits.
    count: AtomicUsize,
}

#[derive(Default)]
struct Waiting {
    by_topic: HashMap<Arc<str>, Vec<One>, RandomState>,
    last: u64,
}

struct One {
    number: u64,
    expected: Expected,
    to: Weak<dyn Awaiting>,
}

impl Responses {
    /// Gives a message to the first who waits for it; subscribers get it all the same.
    pub(crate) fn offer(&self, client_id: &ClientId, version: Version, message: &Shared<'_>) {
        if self.count.load(Ordering::Acquire) == 0 {
            return;
        }
        let publication = message.publication();
        let correlation_data = publication.properties.correlation_data();
        let is_it = |one: &One| {
            one.expected.client_id == *client_id
                && (version == Version::V311
                    || correlation_data == Some(&*one.expected.correlation_data))
        };
        if let Some(one) = self.take(publication.topic.as_str(), is_it)
            && let Some(to) = one.to.upgrade()
        {
            to.hear(Some(message.keep()));
        }
    }

    fn take(&self, topic: &str, is_it: impl Fn(&One) -> bool) -> Option<One> {
        let mut waiting = self.waiting.lock();
        let there = waiting.by_topic.get_mut(topic)?;
        let at = there.iter().position(is_it)?;
        let one = there.remove(at);
        if there.is_empty() {
            waiting.by_topic.remove(topic);
        }
        self.count.fetch_sub(1, Ordering::Release);
        Some(one)
    }

    /// Whether anybody waits who still wants to know.
    pub(crate) fn is_waiting(&self) -> bool {
        if self.count.load(Ordering::Acquire) == 0 {
            return false;
        }
        // Asked, and let go of, without the lock: the last of one takes its expectation along.
        let all: Vec<_> = {
            let waiting = self.waiting.lock();
            waiting.by_topic.values().flatten().filter_map(|one| one.to.upgrade()).collect()
        };
        all.iter().any(|to| to.is_wanted())
    }

    /// Tells everybody who waits that nothing will come any more.
    pub(crate) fn give_up(&self) {
        let all = std::mem::take(&mut self.waiting.lock().by_topic);
        for one in all.into_values().flatten() {
            self.count.fetch_sub(1, Ordering::Release);
            if let Some(to) = one.to.upgrade() {
                to.hear(None);
            }
        }
    }
}

/// Something that is waited for; dropped, it is not any more.
pub struct Expectation {
    node: Arc<Node>,
    topic: Arc<str>,
    number: u64,
}

impl Drop for Expectation {
    fn drop(&mut self) {
        // It may have come already.
        let number = self.number;
        drop(self.node.responses.take(&self.topic, |one| one.number == number));
    }
}

impl Node {
    /// Tells `to` when the device publishes what is expected. The device's own permission to publish
    /// counts, and nobody needs to subscribe.
    pub fn expect_response(
        self: &Arc<Self>,
        expected: Expected,
        to: Weak<dyn Awaiting>,
    ) -> Expectation {
        let topic = Arc::clone(&expected.topic);
        let mut waiting = self.responses.waiting.lock();
        waiting.last += 1;
        let number = waiting.last;
        let one = One { number, expected, to };
        waiting.by_topic.entry(Arc::clone(&topic)).or_default().push(one);
        self.responses.count.fetch_add(1, Ordering::Release);
        drop(waiting);
        Expectation { node: Arc::clone(self), topic, number }
    }

    /// The version of MQTT that a device speaks which is connected.
    pub fn version_of(&self, client_id: &ClientId) -> Option<Version> {
        let device = self.devices.get(client_id.as_str())?;
        let state = device.lock();
        state.connection.as_ref().map(|open| open.session.version())
    }
}
