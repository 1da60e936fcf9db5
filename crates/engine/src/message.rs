//! A message of publish-subscribe.

use std::cell::OnceCell;
use std::sync::Arc;
use std::time::Duration;

use mqtt::{Properties, PropertiesBuf, QoS, TopicName, TopicNameBuf};

use crate::Moment;

/// A message as it was published, borrowed from wherever it came from.
#[derive(Clone, Copy, Debug)]
pub struct Publication<'a> {
    /// Where it was published.
    pub topic: TopicName<'a>,
    /// At what quality of service.
    pub qos: QoS,
    /// Whether the publisher asked for it to be retained.
    pub retain: bool,
    /// What every subscriber gets ([MQTT-3.3.2-17] and its like): not the publisher's topic alias
    /// ([MQTT-3.3.2-7]), and not its Message Expiry Interval, of which the remainder is sent.
    pub properties: Properties<'a>,
    /// The bytes.
    pub payload: &'a [u8],
    /// When nobody is to get it any more.
    pub expires: Option<Moment>,
}

/// A message that is kept: queued, in flight or retained.
#[derive(Debug, PartialEq, Eq)]
pub struct Message {
    /// Where it was published.
    pub topic: TopicNameBuf,
    /// At what quality of service.
    pub qos: QoS,
    /// Whether the publisher asked for it to be retained.
    pub retain: bool,
    /// What every subscriber gets.
    pub properties: PropertiesBuf,
    /// The bytes.
    pub payload: Box<[u8]>,
    /// When nobody is to get it any more.
    pub expires: Option<Moment>,
}

impl Message {
    /// The message, borrowed.
    pub fn publication(&self) -> Publication<'_> {
        Publication {
            topic: self.topic.as_name(),
            qos: self.qos,
            retain: self.retain,
            properties: self.properties.as_properties(),
            payload: &self.payload,
            expires: self.expires,
        }
    }

    /// About how much memory it takes, in bytes.
    pub fn bytes(&self) -> usize {
        size_of::<Message>()
            + self.topic.as_str().len()
            + self.properties.as_properties().as_bytes().len()
            + self.payload.len()
    }

    /// Whether its life is over ([MQTT-3.3.2-5]).
    pub fn is_expired(&self, now: Moment) -> bool {
        self.publication().is_expired(now)
    }
}

impl Publication<'_> {
    /// Whether its life is over ([MQTT-3.3.2-5]).
    pub fn is_expired(&self, now: Moment) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }

    /// What is left of its life, in whole seconds, rounded down ([MQTT-3.3.2-6]; spec 4.3).
    pub fn remaining_seconds(&self, now: Moment) -> Option<u32> {
        let remaining = self.expires?.since(now).as_secs();
        Some(u32::try_from(remaining).unwrap_or(u32::MAX))
    }

    fn to_message(self) -> Message {
        Message {
            topic: self.topic.into(),
            qos: self.qos,
            retain: self.retain,
            properties: self.properties.into(),
            payload: self.payload.into(),
            expires: self.expires,
        }
    }
}

/// When a message that lives for so many seconds expires.
pub fn expiry(seconds: u32, now: Moment) -> Moment {
    now.after(Duration::from_secs(u64::from(seconds)))
}

/// A message on its way to many: copied once, when the first of them has to keep it.
#[derive(Debug)]
pub struct Shared<'a> {
    publication: Publication<'a>,
    kept: OnceCell<Arc<Message>>,
}

impl<'a> Shared<'a> {
    /// A message that nobody has kept yet.
    pub fn new(publication: Publication<'a>) -> Self {
        Shared { publication, kept: OnceCell::new() }
    }

    /// A message that is kept already.
    pub fn kept(message: &'a Arc<Message>) -> Self {
        let kept = OnceCell::from(Arc::clone(message));
        Shared { publication: message.publication(), kept }
    }

    /// The message, borrowed.
    pub fn publication(&self) -> &Publication<'a> {
        &self.publication
    }

    /// The message, to keep.
    pub fn keep(&self) -> Arc<Message> {
        Arc::clone(self.kept.get_or_init(|| Arc::new(self.publication.to_message())))
    }
}
