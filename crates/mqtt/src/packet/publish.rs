//! PUBLISH: a message.

use crate::encode::{Body, encodes};
use crate::error::{DecodeError, DecodeErrorKind, EncodeError};
use crate::fixed_header::PacketType;
use crate::packet_id::PacketId;
use crate::properties::Properties;
use crate::property::Place;
use crate::qos::QoS;
use crate::reader::Reader;
use crate::topic_name::TopicName;
use crate::version::Version;
use crate::writer::Sink;

const DUP: u8 = 0b1000;
const RETAIN: u8 = 0b0001;

/// A message on its way from a client or to one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Publish<'a> {
    /// Whether this may be a repeated transmission; never with QoS 0 `[MQTT-3.3.1-2]`.
    pub dup: bool,
    /// The delivery guarantee.
    pub qos: QoS,
    /// From a client: keep as the topic's retained message. To a client: it was one.
    pub retain: bool,
    /// `None` only in MQTT 5.0 with a topic alias that stands for it.
    pub topic: Option<TopicName<'a>>,
    /// Present for QoS 1 and 2 only `[MQTT-2.2.1-2]`.
    pub packet_id: Option<PacketId>,
    /// Empty in MQTT 3.1.1.
    pub properties: Properties<'a>,
    /// The application's bytes; may be empty.
    pub payload: &'a [u8],
}

encodes!(Publish);

impl<'a> Publish<'a> {
    #[inline]
    pub(crate) fn decode(
        flags: u8,
        mut body: Reader<'a>,
        version: Version,
    ) -> Result<Self, DecodeError> {
        let qos = QoS::try_from(flags >> 1 & 0b11)
            .map_err(|_| DecodeError::malformed("QoS", "is 3; it must be 0, 1 or 2"))?;
        let dup = flags & DUP != 0;
        if dup && qos == QoS::AtMostOnce {
            return Err(DecodeError::malformed("DUP flag", "is set for QoS 0"));
        }
        let topic = body.topic("topic name")?;
        let packet_id = match qos {
            QoS::AtMostOnce => None,
            QoS::AtLeastOnce | QoS::ExactlyOnce => Some(body.packet_id()?),
        };
        let properties = match version {
            Version::V311 => Properties::EMPTY,
            Version::V5 => Properties::read(&mut body, Place::Publish)?,
        };
        if topic.is_none() {
            check_absent_topic(version, &properties)?;
        }
        let retain = flags & RETAIN != 0;
        Ok(Self { dup, qos, retain, topic, packet_id, properties, payload: body.rest() })
    }
}

#[cold]
fn check_absent_topic(version: Version, properties: &Properties<'_>) -> Result<(), DecodeError> {
    match version {
        Version::V5 if properties.topic_alias().is_some() => Ok(()),
        Version::V5 => Err(DecodeError::protocol("topic name", "is empty and there is no alias")),
        Version::V311 => Err(DecodeError::new(
            DecodeErrorKind::TopicNameInvalid,
            "topic name",
            "is empty; it needs at least one character",
        )),
    }
}

impl Body for Publish<'_> {
    #[inline]
    fn first_byte(&self) -> u8 {
        PacketType::Publish.first_byte()
            | if self.dup { DUP } else { 0 }
            | self.qos.bits() << 1
            | if self.retain { RETAIN } else { 0 }
    }

    #[inline]
    fn check(&self, version: Version) -> Result<(), EncodeError> {
        match (self.qos, self.packet_id) {
            (QoS::AtMostOnce, None) => {
                if self.dup {
                    return Err(EncodeError::invalid("DUP flag", "must not be set for QoS 0"));
                }
            }
            (QoS::AtLeastOnce | QoS::ExactlyOnce, Some(_)) => {}
            (QoS::AtMostOnce, Some(_)) | (QoS::AtLeastOnce | QoS::ExactlyOnce, None) => {
                let rule = "must be there for QoS 1 and 2, and only for these";
                return Err(EncodeError::invalid("packet identifier", rule));
            }
        }
        let alias = match version {
            Version::V311 => None,
            Version::V5 => {
                self.properties.check(Place::Publish, PacketType::Publish.name())?;
                self.properties.topic_alias()
            }
        };
        if self.topic.is_none() && alias.is_none() {
            let rule = "may be absent only in MQTT 5.0 with a topic alias";
            return Err(EncodeError::invalid("topic name", rule));
        }
        Ok(())
    }

    #[inline]
    fn write(&self, version: Version, out: &mut impl Sink) {
        out.string(self.topic.map_or("", TopicName::as_str));
        if let Some(id) = self.packet_id {
            out.two_bytes(id.get());
        }
        match version {
            Version::V311 => {}
            Version::V5 => self.properties.write(out),
        }
        out.bytes(self.payload);
    }
}
