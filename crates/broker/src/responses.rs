//! Senders who wait for what a device answers on a topic.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use engine::message::Publication;
use foldhash::fast::RandomState;
use mqtt::ClientId;
use parking_lot::Mutex;

use crate::node::Node;

/// What a device published on the topic that a sender waits on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The bytes.
    pub payload: Vec<u8>,
    /// Their media type, if the device said one.
    pub content_type: Option<String>,
}

/// What is waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Who is to publish it.
    pub client_id: ClientId,
    /// On which topic.
    pub topic: Box<str>,
    /// With which correlation data; any if none.
    pub correlation_data: Option<Box<[u8]>>,
}

/// Called once; not at all once it is forgotten.
type Then = Box<dyn FnOnce(Response) + Send>;

/// Everything that is waited for, by topic.
#[derive(Default)]
pub(crate) struct Responses {
    by_topic: Mutex<HashMap<Box<str>, Vec<Waiting>, RandomState>>,
    /// How many there are, so that a publish costs nothing while nobody waits.
    count: AtomicUsize,
}

struct Waiting {
    number: u64,
    expected: Expected,
    then: Then,
}

impl Responses {
    /// Gives a message to the first who waits for it; subscribers get it all the same.
    pub(crate) fn offer(&self, client_id: &ClientId, message: &Publication<'_>) {
        if self.count.load(Ordering::Acquire) == 0 {
            return;
        }
        let properties = message.properties;
        let is_it = |waiting: &Waiting| {
            let wanted = waiting.expected.correlation_data.as_deref();
            waiting.expected.client_id == *client_id
                && wanted.is_none_or(|wanted| properties.correlation_data() == Some(wanted))
        };
        if let Some(waiting) = self.take(message.topic.as_str(), is_it) {
            (waiting.then)(Response {
                payload: message.payload.to_vec(),
                content_type: properties.content_type().map(str::to_owned),
            });
        }
    }

    fn take(&self, topic: &str, is_it: impl Fn(&Waiting) -> bool) -> Option<Waiting> {
        let mut by_topic = self.by_topic.lock();
        let there = by_topic.get_mut(topic)?;
        let at = there.iter().position(is_it)?;
        let waiting = there.remove(at);
        if there.is_empty() {
            by_topic.remove(topic);
        }
        self.count.fetch_sub(1, Ordering::Release);
        Some(waiting)
    }
}

/// Something that is waited for; dropped, it is not any more.
pub struct Expectation {
    node: Arc<Node>,
    topic: Box<str>,
    number: u64,
}

impl Drop for Expectation {
    fn drop(&mut self) {
        // It may have come already.
        let number = self.number;
        drop(self.node.responses.take(&self.topic, |waiting| waiting.number == number));
    }
}

impl Node {
    /// Calls `then` when the device publishes what is expected, on the thread that reads from the
    /// device; it must not wait. The device's own permission to publish counts, nobody needs to
    /// subscribe.
    pub fn expect_response(
        self: &Arc<Self>,
        expected: Expected,
        then: impl FnOnce(Response) + Send + 'static,
    ) -> Expectation {
        let (topic, number) = (expected.topic.clone(), self.next_epoch());
        let waiting = Waiting { number, expected, then: Box::new(then) };
        let mut by_topic = self.responses.by_topic.lock();
        by_topic.entry(topic.clone()).or_default().push(waiting);
        self.responses.count.fetch_add(1, Ordering::Release);
        drop(by_topic);
        Expectation { node: Arc::clone(self), topic, number }
    }
}
