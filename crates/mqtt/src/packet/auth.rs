//! AUTH: a step of extended authentication, MQTT 5.0 only.

use crate::encode::{Body, check_reason, encodes};
use crate::error::{DecodeError, EncodeError};
use crate::fixed_header::PacketType;
use crate::properties::Properties;
use crate::property::Place;
use crate::reader::Reader;
use crate::reason_code::ReasonCode;
use crate::version::Version;
use crate::writer::Sink;

/// The codes of AUTH `[MQTT-3.15.2-1]`.
const ALLOWED: &[ReasonCode] =
    &[ReasonCode::Success, ReasonCode::ContinueAuthentication, ReasonCode::ReAuthenticate];

/// A step of extended authentication.
///
/// The authentication method must be among the properties, except in the short form of section
/// 3.15.2.1, which says nothing but success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Auth<'a> {
    /// Which step.
    pub reason: ReasonCode,
    /// Method and data, and why.
    pub properties: Properties<'a>,
}

encodes!(Auth);

impl<'a> Auth<'a> {
    pub(crate) fn decode(mut body: Reader<'a>) -> Result<Self, DecodeError> {
        if body.is_empty() {
            return Ok(Self { reason: ReasonCode::Success, properties: Properties::EMPTY });
        }
        let reason = body.reason(ALLOWED)?;
        let properties = Properties::read(&mut body, Place::Auth)?;
        body.finish()?;
        let auth = Self { reason, properties };
        if !auth.names_method() {
            return Err(DecodeError::protocol("properties", "lack the authentication method"));
        }
        Ok(auth)
    }

    fn is_short(&self) -> bool {
        self.reason == ReasonCode::Success && self.properties.is_empty()
    }

    fn names_method(&self) -> bool {
        self.is_short() || self.properties.authentication_method().is_some()
    }
}

impl Body for Auth<'_> {
    fn first_byte(&self) -> u8 {
        PacketType::Auth.first_byte()
    }

    fn check(&self, version: Version) -> Result<(), EncodeError> {
        let packet = PacketType::Auth.name();
        if version == Version::V311 {
            return Err(EncodeError::invalid("AUTH", "exists in MQTT 5.0 only"));
        }
        check_reason(packet, self.reason, ALLOWED)?;
        self.properties.check(Place::Auth, packet)?;
        if !self.names_method() {
            let rule = "must hold the authentication method";
            return Err(EncodeError::Properties { packet, rule });
        }
        Ok(())
    }

    fn write(&self, _: Version, out: &mut impl Sink) {
        if !self.is_short() {
            out.byte(self.reason.code());
            self.properties.write(out);
        }
    }
}
