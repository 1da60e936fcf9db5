//! UNSUBSCRIBE: the client gives subscriptions up.

use crate::encode::{Body, encodes};
use crate::error::{DecodeError, EncodeError};
use crate::fixed_header::PacketType;
use crate::packet_id::PacketId;
use crate::properties::Properties;
use crate::property::Place;
use crate::reader::Reader;
use crate::version::Version;
use crate::writer::{Sink, check_string};

/// A request to end one or more subscriptions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsubscribe<'a> {
    /// The identifier that UNSUBACK will carry.
    pub packet_id: PacketId,
    /// Empty in MQTT 3.1.1.
    pub properties: Properties<'a>,
    /// At least one `[MQTT-3.10.3-2]`. The texts are valid MQTT strings, but not yet known to be
    /// topic filters.
    pub filters: Vec<&'a str>,
}

encodes!(Unsubscribe);

impl<'a> Unsubscribe<'a> {
    pub(crate) fn decode(mut body: Reader<'a>, version: Version) -> Result<Self, DecodeError> {
        let packet_id = body.packet_id()?;
        let properties = match version {
            Version::V311 => Properties::EMPTY,
            Version::V5 => Properties::read(&mut body, Place::Unsubscribe)?,
        };
        if body.is_empty() {
            return Err(DecodeError::protocol("payload", "has no topic filter"));
        }
        let mut filters = Vec::new();
        while !body.is_empty() {
            filters.push(body.string("topic filter")?);
        }
        Ok(Self { packet_id, properties, filters })
    }
}

impl Body for Unsubscribe<'_> {
    fn first_byte(&self) -> u8 {
        PacketType::Unsubscribe.first_byte()
    }

    fn check(&self, version: Version) -> Result<(), EncodeError> {
        if version == Version::V5 {
            self.properties.check(Place::Unsubscribe, PacketType::Unsubscribe.name())?;
        }
        if self.filters.is_empty() {
            return Err(EncodeError::invalid("payload", "must hold at least one topic filter"));
        }
        self.filters.iter().try_for_each(|filter| check_string(filter, "topic filter"))
    }

    fn write(&self, version: Version, out: &mut impl Sink) {
        out.two_bytes(self.packet_id.get());
        if version == Version::V5 {
            self.properties.write(out);
        }
        for filter in &self.filters {
            out.string(filter);
        }
    }
}
