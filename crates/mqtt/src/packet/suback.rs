//! SUBACK: the server answers SUBSCRIBE.

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

/// The codes of SUBACK `[MQTT-3.9.3-2]`.
const ALLOWED: &[ReasonCode] = &[
    ReasonCode::Success,
    ReasonCode::GrantedQoS1,
    ReasonCode::GrantedQoS2,
    ReasonCode::UnspecifiedError,
    ReasonCode::ImplementationSpecificError,
    ReasonCode::NotAuthorized,
    ReasonCode::TopicFilterInvalid,
    ReasonCode::PacketIdentifierInUse,
    ReasonCode::QuotaExceeded,
    ReasonCode::SharedSubscriptionsNotSupported,
    ReasonCode::SubscriptionIdentifiersNotSupported,
    ReasonCode::WildcardSubscriptionsNotSupported,
];

/// The codes of MQTT 3.1.1: three grants and one failure (3.1.1 section 3.9.3).
const ALLOWED_V311: &[ReasonCode] = &[
    ReasonCode::Success,
    ReasonCode::GrantedQoS1,
    ReasonCode::GrantedQoS2,
    ReasonCode::UnspecifiedError,
];

/// The server's answer to SUBSCRIBE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubAck<'a> {
    /// The identifier of the SUBSCRIBE.
    pub packet_id: PacketId,
    /// Empty in MQTT 3.1.1.
    pub properties: Properties<'a>,
    /// One for each topic filter, in their order. MQTT 3.1.1 has one failure code, 0x80, which
    /// every error becomes.
    pub reasons: Vec<ReasonCode>,
}

encodes!(SubAck);

impl<'a> SubAck<'a> {
    pub(crate) fn decode(mut body: Reader<'a>, version: Version) -> Result<Self, DecodeError> {
        let packet_id = body.packet_id()?;
        let (properties, allowed) = match version {
            Version::V311 => (Properties::EMPTY, ALLOWED_V311),
            Version::V5 => (Properties::read(&mut body, Place::SubAck)?, ALLOWED),
        };
        let reasons = body.reasons(allowed)?;
        Ok(Self { packet_id, properties, reasons })
    }
}

impl Body for SubAck<'_> {
    fn first_byte(&self) -> u8 {
        PacketType::SubAck.first_byte()
    }

    fn check(&self, version: Version) -> Result<(), EncodeError> {
        let packet = PacketType::SubAck.name();
        if version == Version::V5 {
            self.properties.check(Place::SubAck, packet)?;
        }
        if self.reasons.is_empty() {
            return Err(EncodeError::invalid("payload", "must hold at least one reason code"));
        }
        self.reasons.iter().try_for_each(|&reason| check_reason(packet, reason, ALLOWED))
    }

    fn write(&self, version: Version, out: &mut impl Sink) {
        out.two_bytes(self.packet_id.get());
        if version == Version::V5 {
            self.properties.write(out);
        }
        for reason in &self.reasons {
            out.byte(match version {
                Version::V311 if reason.is_error() => ReasonCode::UnspecifiedError.code(),
                Version::V311 | Version::V5 => reason.code(),
            });
        }
    }
}
