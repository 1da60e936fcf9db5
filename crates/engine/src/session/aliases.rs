//! Topic aliases towards the client ([MQTT-3.1.2-26], [MQTT-3.1.2-27]).

use std::collections::HashMap;

use foldhash::fast::RandomState;
use mqtt::TopicName;

/// The aliases that stand for topics on this connection. The first topics get one and keep it.
#[derive(Debug)]
pub(super) struct OutboundAliases {
    maximum: u16,
    known: HashMap<Box<str>, u16, RandomState>,
}

/// How to name a topic to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Naming {
    /// By its name alone.
    Name,
    /// By its name, and from now on by this alias.
    Both(u16),
    /// By this alias, which the client knows.
    Alias(u16),
}

impl OutboundAliases {
    pub(super) fn new(maximum: u16) -> Self {
        OutboundAliases { maximum, known: HashMap::default() }
    }

    /// How to name the topic; to be confirmed by [`OutboundAliases::learn`] once it was sent.
    pub(super) fn naming(&self, topic: TopicName<'_>) -> Naming {
        match self.known.get(topic.as_str()) {
            Some(alias) => Naming::Alias(*alias),
            None => match u16::try_from(self.known.len() + 1) {
                Ok(alias) if alias <= self.maximum => Naming::Both(alias),
                Ok(_) | Err(_) => Naming::Name,
            },
        }
    }

    /// The client was sent this.
    pub(super) fn learn(&mut self, topic: TopicName<'_>, naming: Naming) {
        if let Naming::Both(alias) = naming {
            self.known.insert(topic.as_str().into(), alias);
        }
    }
}
