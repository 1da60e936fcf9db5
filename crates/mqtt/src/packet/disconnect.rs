//! DISCONNECT: the end of a connection.

use crate::encode::{Body, check_reason, encodes};
use crate::error::{DecodeError, EncodeError};
use crate::fixed_header::PacketType;
use crate::properties::Properties;
use crate::property::Place;
use crate::reader::Reader;
use crate::reason_code::ReasonCode;
use crate::version::Version;
use crate::writer::Sink;

/// The codes of DISCONNECT `[MQTT-3.14.2-1]`, those of clients and of servers together.
const ALLOWED: &[ReasonCode] = &[
    ReasonCode::Success,
    ReasonCode::DisconnectWithWill,
    ReasonCode::UnspecifiedError,
    ReasonCode::MalformedPacket,
    ReasonCode::ProtocolError,
    ReasonCode::ImplementationSpecificError,
    ReasonCode::NotAuthorized,
    ReasonCode::ServerBusy,
    ReasonCode::ServerShuttingDown,
    ReasonCode::BadAuthenticationMethod,
    ReasonCode::KeepAliveTimeout,
    ReasonCode::SessionTakenOver,
    ReasonCode::TopicFilterInvalid,
    ReasonCode::TopicNameInvalid,
    ReasonCode::ReceiveMaximumExceeded,
    ReasonCode::TopicAliasInvalid,
    ReasonCode::PacketTooLarge,
    ReasonCode::MessageRateTooHigh,
    ReasonCode::QuotaExceeded,
    ReasonCode::AdministrativeAction,
    ReasonCode::PayloadFormatInvalid,
    ReasonCode::RetainNotSupported,
    ReasonCode::QoSNotSupported,
    ReasonCode::UseAnotherServer,
    ReasonCode::ServerMoved,
    ReasonCode::SharedSubscriptionsNotSupported,
    ReasonCode::ConnectionRateExceeded,
    ReasonCode::MaximumConnectTime,
    ReasonCode::SubscriptionIdentifiersNotSupported,
    ReasonCode::WildcardSubscriptionsNotSupported,
];

/// The last packet of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Disconnect<'a> {
    /// Why; always `Success` in MQTT 3.1.1, where only clients send this packet.
    pub reason: ReasonCode,
    /// Empty in MQTT 3.1.1.
    pub properties: Properties<'a>,
}

encodes!(Disconnect);

impl<'a> Disconnect<'a> {
    pub(crate) fn decode(mut body: Reader<'a>, version: Version) -> Result<Self, DecodeError> {
        let mut disconnect = Self { reason: ReasonCode::Success, properties: Properties::EMPTY };
        if version == Version::V5 && !body.is_empty() {
            disconnect.reason = body.reason(ALLOWED)?;
            if !body.is_empty() {
                disconnect.properties = Properties::read(&mut body, Place::Disconnect)?;
            }
        }
        body.finish()?;
        Ok(disconnect)
    }
}

impl Body for Disconnect<'_> {
    fn first_byte(&self) -> u8 {
        PacketType::Disconnect.first_byte()
    }

    fn check(&self, version: Version) -> Result<(), EncodeError> {
        let packet = PacketType::Disconnect.name();
        match version {
            // A reason that cannot be said must not turn into a normal disconnection.
            Version::V311 => check_reason(packet, self.reason, &[ReasonCode::Success]),
            Version::V5 => {
                check_reason(packet, self.reason, ALLOWED)?;
                self.properties.check(Place::Disconnect, packet)
            }
        }
    }

    /// The short forms of sections 3.14.2.1 and 3.14.2.2.1: nothing for a normal disconnection,
    /// no property length when there are no properties.
    fn write(&self, version: Version, out: &mut impl Sink) {
        let normal = self.reason == ReasonCode::Success && self.properties.is_empty();
        if version == Version::V311 || normal {
            return;
        }
        out.byte(self.reason.code());
        if !self.properties.is_empty() {
            self.properties.write(out);
        }
    }
}
