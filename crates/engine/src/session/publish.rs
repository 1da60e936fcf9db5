//! PUBLISH from a client.

use std::sync::Arc;

use mqtt::{PacketId, Properties, Publish, QoS, ReasonCode, TopicName, Version};
use shadow::RequestTopic;

use super::Session;
use super::packet::Step;
use crate::close::CloseReason;
use crate::profile::Profile;
use crate::{Moment, Ticket};

/// A publish that keeps the rules of the protocol, to be authorised and routed.
#[derive(Debug)]
pub struct Incoming<'a> {
    /// Where to.
    pub topic: Topic<'a>,
    /// At what quality of service.
    pub qos: QoS,
    /// What its PUBACK or PUBREC will name.
    pub packet_id: Option<PacketId>,
    /// Whether it is to be retained.
    pub retain: bool,
    /// Its MQTT 5 properties, the topic alias among them.
    pub properties: Properties<'a>,
    /// The bytes.
    pub payload: &'a [u8],
}

/// The topic of a publish: in the packet, or behind an alias.
#[derive(Debug)]
pub enum Topic<'a> {
    /// Written in the packet.
    Named(TopicName<'a>),
    /// Known by the alias the client gave.
    Aliased(Arc<str>),
}

impl Topic<'_> {
    /// The text.
    pub fn as_str(&self) -> &str {
        match self {
            Topic::Named(name) => name.as_str(),
            Topic::Aliased(name) => name,
        }
    }
}

impl<W> Session<W> {
    pub(super) fn handle_publish<'a>(
        &mut self,
        publish: Publish<'a>,
        now: Moment,
        out: &mut Vec<u8>,
    ) -> Step<'a, W> {
        if let (QoS::ExactlyOnce, Some(packet_id)) = (publish.qos, publish.packet_id)
            && self.received().is_some_and(|received| received.contains(&packet_id))
        {
            // It may give an alias all the same: that belongs to the connection.
            return match self.resolve_topic(&publish) {
                Err(code) => Step::Close(CloseReason::ClientError(code)),
                Ok(_) => Step::Repeated(packet_id),
            };
        }
        match self.accept_publish(&publish) {
            Err(code) => Step::Close(CloseReason::ClientError(code)),
            Ok(topic) => {
                if self.budget.take(self.publish_rate(), now).is_err() {
                    // Discarded (spec 7); MQTT 5 can say so.
                    if let (Some(packet_id), Version::V5) = (publish.packet_id, self.version) {
                        let refused = Some((ReasonCode::QuotaExceeded, THROTTLED));
                        self.acknowledge(packet_id, publish.qos, refused, Ticket::NONE, out);
                    }
                    return Step::Throttled(topic);
                }
                Step::Publish(Incoming {
                    topic,
                    qos: publish.qos,
                    packet_id: publish.packet_id,
                    retain: publish.retain,
                    properties: publish.properties,
                    payload: publish.payload,
                })
            }
        }
    }

    fn accept_publish<'a>(&mut self, publish: &Publish<'a>) -> Result<Topic<'a>, ReasonCode> {
        // [MQTT-3.2.2-11]
        if publish.qos > self.rules.profile.maximum_qos {
            return Err(ReasonCode::QoSNotSupported);
        }
        if publish.qos != QoS::AtMostOnce && self.is_receive_maximum_exceeded() {
            return Err(ReasonCode::ReceiveMaximumExceeded);
        }
        // [MQTT-3.3.4-6]: only a server may name subscriptions.
        if publish.properties.subscription_identifier().is_some() {
            return Err(ReasonCode::ProtocolError);
        }
        if publish.payload.len() > self.rules.quotas.payload_bytes {
            return Err(ReasonCode::PacketTooLarge);
        }
        let topic = self.resolve_topic(publish)?;
        if let Topic::Named(name) = topic {
            check_topic(name, self.rules.profile)?;
        }
        Ok(topic)
    }

    /// More messages at QoS 1 and 2 than we announced to take without an acknowledgement
    /// ([MQTT-3.3.4-9]; MQTT 3.1.1 announces nothing).
    fn is_receive_maximum_exceeded(&self) -> bool {
        let maximum = usize::from(self.rules.quotas.inbound_unacknowledged);
        let unreleased = self.received().map_or(0, |received| received.len());
        self.version == Version::V5 && unreleased + self.held_acknowledgements() >= maximum
    }

    /// Topic aliases, client to server ([MQTT-3.3.2-8] to [MQTT-3.3.2-12]).
    fn resolve_topic<'a>(&mut self, publish: &Publish<'a>) -> Result<Topic<'a>, ReasonCode> {
        let alias = publish.properties.topic_alias().map(usize::from);
        if alias.is_some_and(|alias| {
            alias == 0 || alias > usize::from(self.rules.profile.topic_alias_maximum)
        }) {
            return Err(ReasonCode::TopicAliasInvalid);
        }
        match (publish.topic, alias) {
            (Some(name), None) => Ok(Topic::Named(name)),
            (Some(name), Some(alias)) => {
                check_topic(name, self.rules.profile)?;
                if self.aliases.len() < alias {
                    self.aliases.resize(alias, None);
                }
                self.aliases[alias - 1] = Some(name.as_str().into());
                Ok(Topic::Named(name))
            }
            (None, Some(alias)) => match self.aliases.get(alias - 1) {
                Some(Some(name)) => Ok(Topic::Aliased(Arc::clone(name))),
                Some(None) | None => Err(ReasonCode::ProtocolError),
            },
            (None, None) => Err(ReasonCode::ProtocolError),
        }
    }
}

/// What a throttled publisher is told.
const THROTTLED: &str =
    "The connection publishes faster than its quota; the message was discarded.";

/// Where a publish to a rule goes (Basic Ingest, spec 5).
const BASIC_INGEST: &str = "$aws/rules/";

/// Whether the topic is one of Basic Ingest, where clients may publish and nobody subscribes.
pub fn is_basic_ingest(topic: &str, profile: &Profile) -> bool {
    profile.reserved_topics && without_rule(topic).is_some()
}

/// What follows `$aws/rules/{rule}/`.
fn without_rule(topic: &str) -> Option<&str> {
    let (rule, rest) = topic.strip_prefix(BASIC_INGEST)?.split_once('/').unwrap_or_default();
    (!rule.is_empty()).then_some(rest)
}

/// Why nobody may publish on a topic under a profile; what is said of it begins with a verb.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TopicRefused {
    /// It belongs to the server.
    #[error("starts with $, which is reserved")]
    Reserved,
    /// It has too many bytes.
    #[error("is {bytes} bytes long; at most {most} are allowed")]
    TooLong {
        /// Its length, without the prefix of Basic Ingest.
        bytes: usize,
        /// The limit.
        most: usize,
    },
    /// It has too many levels.
    #[error("has {levels} levels; at most {most} are allowed")]
    TooManyLevels {
        /// Its levels, without those of the prefix of Basic Ingest.
        levels: usize,
        /// The limit.
        most: usize,
    },
}

impl From<TopicRefused> for ReasonCode {
    /// What a device is told.
    fn from(_: TopicRefused) -> Self {
        ReasonCode::TopicNameInvalid
    }
}

/// Whether devices and senders may publish on a topic under this profile. The prefix of Basic
/// Ingest is not counted (spec 5). Of the other topics of the server those of requests to a shadow
/// are open (spec 10.2).
///
/// # Errors
/// [`TopicRefused`].
pub fn check_topic(topic: TopicName<'_>, profile: &Profile) -> Result<(), TopicRefused> {
    let text = match without_rule(topic.as_str()) {
        Some(rest) if profile.reserved_topics => rest,
        Some(_) | None => {
            let text = topic.as_str();
            let reserved = text.starts_with('$') && profile.reserved_topics;
            if reserved && RequestTopic::parse(text).is_none() {
                return Err(TopicRefused::Reserved);
            }
            text
        }
    };
    let slashes = text.bytes().filter(|byte| *byte == b'/').count();
    if text.len() > profile.topic_bytes {
        return Err(TopicRefused::TooLong { bytes: text.len(), most: profile.topic_bytes });
    }
    if slashes > profile.topic_slashes {
        let most = profile.topic_slashes + 1;
        return Err(TopicRefused::TooManyLevels { levels: slashes + 1, most });
    }
    Ok(())
}
