//! CONNACK: the server answers CONNECT.

use crate::encode::{Body, check_reason, encodes};
use crate::error::{DecodeError, EncodeError};
use crate::fixed_header::PacketType;
use crate::properties::Properties;
use crate::property::Place;
use crate::reader::Reader;
use crate::reason_code::ReasonCode;
use crate::version::Version;
use crate::writer::Sink;

/// The codes of CONNACK `[MQTT-3.2.2-8]`.
const ALLOWED: &[ReasonCode] = &[
    ReasonCode::Success,
    ReasonCode::UnspecifiedError,
    ReasonCode::MalformedPacket,
    ReasonCode::ProtocolError,
    ReasonCode::ImplementationSpecificError,
    ReasonCode::UnsupportedProtocolVersion,
    ReasonCode::ClientIdentifierNotValid,
    ReasonCode::BadUserNameOrPassword,
    ReasonCode::NotAuthorized,
    ReasonCode::ServerUnavailable,
    ReasonCode::ServerBusy,
    ReasonCode::Banned,
    ReasonCode::BadAuthenticationMethod,
    ReasonCode::TopicNameInvalid,
    ReasonCode::PacketTooLarge,
    ReasonCode::QuotaExceeded,
    ReasonCode::PayloadFormatInvalid,
    ReasonCode::RetainNotSupported,
    ReasonCode::QoSNotSupported,
    ReasonCode::UseAnotherServer,
    ReasonCode::ServerMoved,
    ReasonCode::ConnectionRateExceeded,
];

/// The return codes of MQTT 3.1.1, by number (3.1.1 table 3.1).
const RETURN_CODES: [ReasonCode; 6] = [
    ReasonCode::Success,
    ReasonCode::UnsupportedProtocolVersion,
    ReasonCode::ClientIdentifierNotValid,
    ReasonCode::ServerUnavailable,
    ReasonCode::BadUserNameOrPassword,
    ReasonCode::NotAuthorized,
];

const SESSION_PRESENT: u8 = 1;

/// The server's answer to CONNECT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnAck<'a> {
    /// Whether the session goes on; never with an error `[MQTT-3.2.2-6]`.
    pub session_present: bool,
    /// Whether the connection is accepted. MQTT 3.1.1 knows five errors: unsupported protocol
    /// version, client identifier not valid, server unavailable, bad user name or password, not
    /// authorized.
    pub reason: ReasonCode,
    /// Empty in MQTT 3.1.1.
    pub properties: Properties<'a>,
}

encodes!(ConnAck);

impl<'a> ConnAck<'a> {
    pub(crate) fn decode(mut body: Reader<'a>, version: Version) -> Result<Self, DecodeError> {
        let flags = body.byte("acknowledge flags")?;
        if flags & !SESSION_PRESENT != 0 {
            return Err(DecodeError::malformed("acknowledge flags", "have a reserved bit set"));
        }
        let session_present = flags == SESSION_PRESENT;
        let (reason, properties) = match version {
            Version::V311 => {
                let code = usize::from(body.byte("return code")?);
                let reason = RETURN_CODES.get(code).copied();
                let rule = "is none of MQTT 3.1.1, which has 0 to 5";
                (reason.ok_or(DecodeError::protocol("return code", rule))?, Properties::EMPTY)
            }
            Version::V5 => (body.reason(ALLOWED)?, Properties::read(&mut body, Place::ConnAck)?),
        };
        body.finish()?;
        if session_present && reason.is_error() {
            return Err(DecodeError::protocol("session present flag", "is set beside an error"));
        }
        Ok(Self { session_present, reason, properties })
    }

    /// The return code of MQTT 3.1.1 with the same meaning, if there is one.
    fn return_code(&self) -> Option<u8> {
        let code = RETURN_CODES.iter().position(|&reason| reason == self.reason)?;
        u8::try_from(code).ok()
    }
}

impl Body for ConnAck<'_> {
    fn first_byte(&self) -> u8 {
        PacketType::ConnAck.first_byte()
    }

    fn check(&self, version: Version) -> Result<(), EncodeError> {
        let packet = PacketType::ConnAck.name();
        check_reason(packet, self.reason, ALLOWED)?;
        if self.session_present && self.reason.is_error() {
            let rule = "must not be set beside an error";
            return Err(EncodeError::invalid("session present flag", rule));
        }
        match version {
            Version::V5 => self.properties.check(Place::ConnAck, packet),
            Version::V311 if self.return_code().is_some() => Ok(()),
            Version::V311 => Err(EncodeError::ReasonNotAllowed { packet, reason: self.reason }),
        }
    }

    fn write(&self, version: Version, out: &mut impl Sink) {
        out.byte(if self.session_present { SESSION_PRESENT } else { 0 });
        match version {
            // `check` let only codes pass that have a counterpart.
            Version::V311 => out.byte(self.return_code().unwrap_or_default()),
            Version::V5 => {
                out.byte(self.reason.code());
                self.properties.write(out);
            }
        }
    }
}
