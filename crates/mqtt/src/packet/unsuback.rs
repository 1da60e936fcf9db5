//! UNSUBACK: the server answers UNSUBSCRIBE.

use crate::encode::{Body, check_reason, encodes};
use crate::error::{DecodeError, EncodeError};
use crate::fixed_header::PacketType;
use crate::packet_id::PacketId;
use crate::properties::Properties;
use crate::property::Place;
use crate::reader::Reader;
use crate::reason_code::ReasonCode;
use crate::version::Version;
use crate::writer::Sink;

/// The codes of UNSUBACK `[MQTT-3.11.3-2]`.
const ALLOWED: &[ReasonCode] = &[
    ReasonCode::Success,
    ReasonCode::NoSubscriptionExisted,
    ReasonCode::UnspecifiedError,
    ReasonCode::ImplementationSpecificError,
    ReasonCode::NotAuthorized,
    ReasonCode::TopicFilterInvalid,
    ReasonCode::PacketIdentifierInUse,
];

/// The server's answer to UNSUBSCRIBE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsubAck<'a> {
    /// The identifier of the UNSUBSCRIBE.
    pub packet_id: PacketId,
    /// Empty in MQTT 3.1.1.
    pub properties: Properties<'a>,
    /// One for each topic filter, in their order. MQTT 3.1.1 does not send them.
    pub reasons: Vec<ReasonCode>,
}

encodes!(UnsubAck);

impl<'a> UnsubAck<'a> {
    pub(crate) fn decode(mut body: Reader<'a>, version: Version) -> Result<Self, DecodeError> {
        let packet_id = body.packet_id()?;
        let (properties, reasons) = match version {
            Version::V311 => {
                body.finish()?;
                (Properties::EMPTY, Vec::new())
            }
            Version::V5 => (Properties::read(&mut body, Place::UnsubAck)?, body.reasons(ALLOWED)?),
        };
        Ok(Self { packet_id, properties, reasons })
    }
}

impl Body for UnsubAck<'_> {
    fn first_byte(&self) -> u8 {
        PacketType::UnsubAck.first_byte()
    }

    fn check(&self, version: Version) -> Result<(), EncodeError> {
        if version == Version::V311 {
            return Ok(());
        }
        let packet = PacketType::UnsubAck.name();
        self.properties.check(Place::UnsubAck, packet)?;
        if self.reasons.is_empty() {
            return Err(EncodeError::invalid("payload", "must hold at least one reason code"));
        }
        self.reasons.iter().try_for_each(|&reason| check_reason(packet, reason, ALLOWED))
    }

    fn write(&self, version: Version, out: &mut impl Sink) {
        out.two_bytes(self.packet_id.get());
        if version == Version::V5 {
            self.properties.write(out);
            for reason in &self.reasons {
                out.byte(reason.code());
            }
        }
    }
}
