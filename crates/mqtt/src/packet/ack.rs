//! PUBACK, PUBREC, PUBREL and PUBCOMP: four packets of one shape.

use crate::encode::{self, Body, check_reason};
use crate::error::{DecodeError, EncodeError};
use crate::fixed_header::PacketType;
use crate::packet_id::PacketId;
use crate::properties::Properties;
use crate::property::Place;
use crate::reader::Reader;
use crate::reason_code::ReasonCode;
use crate::version::Version;
use crate::writer::Sink;

/// An answer about one packet identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ack<'a> {
    /// The identifier of the message that this is about.
    pub packet_id: PacketId,
    /// What came of it; always `Success` from MQTT 3.1.1.
    pub reason: ReasonCode,
    /// Empty in MQTT 3.1.1.
    pub properties: Properties<'a>,
}

/// Which of the four packets an [`Ack`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AckKind {
    /// The answer to a QoS 1 PUBLISH.
    PubAck,
    /// The first answer to a QoS 2 PUBLISH.
    PubRec,
    /// The answer to PUBREC.
    PubRel,
    /// The answer to PUBREL.
    PubComp,
}

impl AckKind {
    const fn packet_type(self) -> PacketType {
        match self {
            AckKind::PubAck => PacketType::PubAck,
            AckKind::PubRec => PacketType::PubRec,
            AckKind::PubRel => PacketType::PubRel,
            AckKind::PubComp => PacketType::PubComp,
        }
    }

    const fn allowed(self) -> &'static [ReasonCode] {
        match self {
            AckKind::PubAck | AckKind::PubRec => Ack::RECEIVED,
            AckKind::PubRel | AckKind::PubComp => Ack::RELEASED,
        }
    }
}

impl<'a> Ack<'a> {
    /// The codes of PUBACK and PUBREC `[MQTT-3.4.2-1]` `[MQTT-3.5.2-1]`.
    pub(crate) const RECEIVED: &'static [ReasonCode] = &[
        ReasonCode::Success,
        ReasonCode::NoMatchingSubscribers,
        ReasonCode::UnspecifiedError,
        ReasonCode::ImplementationSpecificError,
        ReasonCode::NotAuthorized,
        ReasonCode::TopicNameInvalid,
        ReasonCode::PacketIdentifierInUse,
        ReasonCode::QuotaExceeded,
        ReasonCode::PayloadFormatInvalid,
    ];

    /// The codes of PUBREL and PUBCOMP `[MQTT-3.6.2-1]` `[MQTT-3.7.2-1]`.
    pub(crate) const RELEASED: &'static [ReasonCode] =
        &[ReasonCode::Success, ReasonCode::PacketIdentifierNotFound];

    /// Appends the packet of this kind to `out`.
    ///
    /// # Errors
    /// When the packet cannot carry the reason code or the properties. In MQTT 3.1.1 a PUBACK or
    /// PUBREC always means acceptance, so there an error code cannot be written.
    #[inline]
    pub fn encode(
        &self,
        kind: AckKind,
        version: Version,
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        encode::encode(&KindOfAck { kind, ack: self }, version, out)
    }

    /// The number of bytes that [`encode`](Self::encode) appends, the same for all four kinds.
    #[must_use]
    pub fn encoded_len(&self, version: Version) -> usize {
        encode::encoded_len(&KindOfAck { kind: AckKind::PubAck, ack: self }, version)
    }

    #[inline]
    pub(crate) fn decode(
        mut body: Reader<'a>,
        version: Version,
        allowed: &[ReasonCode],
    ) -> Result<Self, DecodeError> {
        let packet_id = body.packet_id()?;
        let mut ack =
            Self { packet_id, reason: ReasonCode::Success, properties: Properties::EMPTY };
        if version == Version::V5 && !body.is_empty() {
            ack.reason = body.reason(allowed)?;
            if !body.is_empty() {
                ack.properties = Properties::read(&mut body, Place::Ack)?;
            }
        }
        body.finish()?;
        Ok(ack)
    }
}

struct KindOfAck<'p, 'a> {
    kind: AckKind,
    ack: &'p Ack<'a>,
}

impl Body for KindOfAck<'_, '_> {
    #[inline]
    fn first_byte(&self) -> u8 {
        self.kind.packet_type().first_byte()
    }

    #[inline]
    fn check(&self, version: Version) -> Result<(), EncodeError> {
        let packet = self.kind.packet_type().name();
        let reason = self.ack.reason;
        check_reason(packet, reason, self.kind.allowed())?;
        match (version, self.kind) {
            (Version::V5, _) => self.ack.properties.check(Place::Ack, packet),
            (Version::V311, AckKind::PubAck | AckKind::PubRec) if reason.is_error() => {
                Err(EncodeError::ReasonNotAllowed { packet, reason })
            }
            (Version::V311, _) => Ok(()),
        }
    }

    /// The short forms of sections 3.4.2.1 and 3.4.2.2.1: no reason code when it is success, no
    /// property length when there are no properties.
    #[inline]
    fn write(&self, version: Version, out: &mut impl Sink) {
        let Ack { packet_id, reason, properties } = self.ack;
        out.two_bytes(packet_id.get());
        if version == Version::V311 || (*reason == ReasonCode::Success && properties.is_empty()) {
            return;
        }
        out.byte(reason.code());
        if !properties.is_empty() {
            properties.write(out);
        }
    }
}
