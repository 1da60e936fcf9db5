//! SUBSCRIBE: the client asks for messages.

use crate::encode::{Body, encodes};
use crate::error::{DecodeError, EncodeError};
use crate::fixed_header::PacketType;
use crate::packet_id::PacketId;
use crate::properties::Properties;
use crate::property::Place;
use crate::qos::QoS;
use crate::reader::Reader;
use crate::topic_filter::SHARE_PREFIX;
use crate::version::Version;
use crate::writer::{Sink, check_string};

const QOS: u8 = 0b0000_0011;
const NO_LOCAL: u8 = 0b0000_0100;
const RETAIN_AS_PUBLISHED: u8 = 0b0000_1000;
const RETAIN_HANDLING: u8 = 0b0011_0000;
const RETAIN_HANDLING_SHIFT: u32 = 4;
const RESERVED: u8 = 0b1100_0000;

/// A request for one or more subscriptions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscribe<'a> {
    /// The identifier that SUBACK will carry.
    pub packet_id: PacketId,
    /// Empty in MQTT 3.1.1.
    pub properties: Properties<'a>,
    /// At least one `[MQTT-3.8.3-2]`. The texts are valid MQTT strings, but not yet known to be
    /// topic filters: SUBACK can refuse each for itself.
    pub filters: Vec<(&'a str, SubscribeOptions)>,
}

/// How one subscription wants its messages. MQTT 3.1.1 has the QoS only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SubscribeOptions {
    /// The highest QoS that messages come with.
    pub qos: QoS,
    /// Not the messages that this client published; never on a shared subscription.
    pub no_local: bool,
    /// Keep the retain flag as published.
    pub retain_as_published: bool,
    /// What happens to retained messages now.
    pub retain_handling: RetainHandling,
}

/// What a new subscription does with retained messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(u8)]
pub enum RetainHandling {
    /// Send them.
    #[default]
    Send = 0,
    /// Send them if the subscription did not exist.
    SendIfNew = 1,
    /// Do not send them.
    DoNotSend = 2,
}

impl SubscribeOptions {
    fn decode(byte: u8, version: Version) -> Result<Self, DecodeError> {
        let what = "subscription options";
        let reserved = match version {
            Version::V311 => !QOS,
            Version::V5 => RESERVED,
        };
        if byte & reserved != 0 {
            return Err(DecodeError::malformed(what, "have a reserved bit set"));
        }
        let qos = QoS::try_from(byte & QOS)
            .map_err(|_| DecodeError::malformed(what, "have QoS 3; it must be 0, 1 or 2"))?;
        let retain_handling = match (byte & RETAIN_HANDLING) >> RETAIN_HANDLING_SHIFT {
            0 => RetainHandling::Send,
            1 => RetainHandling::SendIfNew,
            2 => RetainHandling::DoNotSend,
            _ => {
                let rule = "have retain handling 3; it must be 0, 1 or 2";
                return Err(DecodeError::protocol(what, rule));
            }
        };
        Ok(Self {
            qos,
            no_local: byte & NO_LOCAL != 0,
            retain_as_published: byte & RETAIN_AS_PUBLISHED != 0,
            retain_handling,
        })
    }

    fn byte(self, version: Version) -> u8 {
        match version {
            Version::V311 => self.qos.bits(),
            Version::V5 => {
                self.qos.bits()
                    | if self.no_local { NO_LOCAL } else { 0 }
                    | if self.retain_as_published { RETAIN_AS_PUBLISHED } else { 0 }
                    | (self.retain_handling as u8) << RETAIN_HANDLING_SHIFT
            }
        }
    }

    /// A shared subscription must not be no-local `[MQTT-3.8.3-4]`.
    fn fit(self, filter: &str) -> bool {
        !(self.no_local && filter.starts_with(SHARE_PREFIX))
    }
}

encodes!(Subscribe);

impl<'a> Subscribe<'a> {
    pub(crate) fn decode(mut body: Reader<'a>, version: Version) -> Result<Self, DecodeError> {
        let packet_id = body.packet_id()?;
        let properties = match version {
            Version::V311 => Properties::EMPTY,
            Version::V5 => Properties::read(&mut body, Place::Subscribe)?,
        };
        if body.is_empty() {
            return Err(DecodeError::protocol("payload", "has no topic filter"));
        }
        let mut filters = Vec::new();
        while !body.is_empty() {
            let filter = body.string("topic filter")?;
            let options = SubscribeOptions::decode(body.byte("subscription options")?, version)?;
            if !options.fit(filter) {
                let rule = "ask for no-local on a shared subscription";
                return Err(DecodeError::protocol("subscription options", rule));
            }
            filters.push((filter, options));
        }
        Ok(Self { packet_id, properties, filters })
    }
}

impl Body for Subscribe<'_> {
    fn first_byte(&self) -> u8 {
        PacketType::Subscribe.first_byte()
    }

    fn check(&self, version: Version) -> Result<(), EncodeError> {
        if version == Version::V5 {
            self.properties.check(Place::Subscribe, PacketType::Subscribe.name())?;
        }
        if self.filters.is_empty() {
            return Err(EncodeError::invalid("payload", "must hold at least one topic filter"));
        }
        for (filter, options) in &self.filters {
            check_string(filter, "topic filter")?;
            if version == Version::V5 && !options.fit(filter) {
                let rule = "must not ask for no-local on a shared subscription";
                return Err(EncodeError::invalid("subscription options", rule));
            }
        }
        Ok(())
    }

    fn write(&self, version: Version, out: &mut impl Sink) {
        out.two_bytes(self.packet_id.get());
        if version == Version::V5 {
            self.properties.write(out);
        }
        for (filter, options) in &self.filters {
            out.string(filter);
            out.byte(options.byte(version));
        }
    }
}
