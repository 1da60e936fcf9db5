//! PUBLISH from a client.

use std::sync::Arc;

use mqtt::{Ack, Packet, PacketId, Properties, Publish, QoS, ReasonCode, TopicName, Version};

use super::packet::Step;
use super::{Session, encode};
use crate::Moment;
use crate::close::CloseReason;
use crate::profile::Profile;

/// A publish that keeps the rules of the protocol, to be authorised and routed.
#[derive(Debug)]
pub struct Incoming<'a> {
    /// Where to.
    pub topic: Topic<'a>,
    /// At what quality of service; 0 or 1.
    pub qos: QoS,
    /// What its PUBACK will name.
    pub packet_id: Option<PacketId>,
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
        match self.accept_publish(&publish) {
            Err(code) => Step::Close(CloseReason::ClientError(code)),
            Ok(topic) => {
                if self.budget.take(self.publish_rate(), now).is_err() {
                    // Discarded (spec 7); MQTT 5 can say so.
                    if let (Some(packet_id), Version::V5) = (publish.packet_id, self.version) {
                        self.acknowledge(packet_id, ReasonCode::QuotaExceeded, out);
                    }
                    return Step::Throttled(topic);
                }
                Step::Publish(Incoming {
                    topic,
                    qos: publish.qos,
                    packet_id: publish.packet_id,
                    properties: publish.properties,
                    payload: publish.payload,
                })
            }
        }
    }

    /// Appends the PUBACK of a publish.
    pub fn acknowledge(&self, packet_id: PacketId, reason: ReasonCode, out: &mut Vec<u8>) {
        let properties = Properties::EMPTY;
        encode(&Packet::PubAck(Ack { packet_id, reason, properties }), self.version, out);
    }

    fn accept_publish<'a>(&mut self, publish: &Publish<'a>) -> Result<Topic<'a>, ReasonCode> {
        if publish.qos == QoS::ExactlyOnce {
            return Err(ReasonCode::QoSNotSupported);
        }
        // [MQTT-3.3.4-6]: only a server may name subscriptions.
        if publish.properties.subscription_identifier().is_some() {
            return Err(ReasonCode::ProtocolError);
        }
        // MQTT 3.1.1 has no way to say that retaining is not available: there the message is
        // delivered and not kept.
        if publish.retain && self.version == Version::V5 {
            return Err(ReasonCode::RetainNotSupported);
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

/// Whether clients may publish on a topic under this profile.
///
/// # Errors
/// The reason code to close with.
pub(super) fn check_topic(topic: TopicName<'_>, profile: &Profile) -> Result<(), ReasonCode> {
    let text = topic.as_str();
    let slashes = text.bytes().filter(|byte| *byte == b'/').count();
    let too_long = text.len() > profile.topic_bytes || slashes > profile.topic_slashes;
    if too_long || (text.starts_with('$') && profile.reserved_topics) {
        return Err(ReasonCode::TopicNameInvalid);
    }
    Ok(())
}
