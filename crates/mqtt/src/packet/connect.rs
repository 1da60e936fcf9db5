//! CONNECT: the client opens a connection.

use std::fmt;

use crate::encode::{Body, encodes};
use crate::error::{DecodeError, DecodeErrorKind, EncodeError};
use crate::fixed_header::PacketType;
use crate::properties::Properties;
use crate::property::Place;
use crate::qos::QoS;
use crate::reader::Reader;
use crate::topic_name::TopicName;
use crate::version::Version;
use crate::writer::{Sink, check_binary, check_string};

const PROTOCOL_NAME: &str = "MQTT";

const RESERVED: u8 = 0b0000_0001;
const CLEAN_START: u8 = 0b0000_0010;
const WILL: u8 = 0b0000_0100;
const WILL_QOS: u8 = 0b0001_1000;
const WILL_QOS_SHIFT: u32 = 3;
const WILL_RETAIN: u8 = 0b0010_0000;
const PASSWORD: u8 = 0b0100_0000;
const USER_NAME: u8 = 0b1000_0000;

/// The first packet of a connection. It is encoded in the version that it names itself.
///
/// `Debug` shows neither user name nor password: both may hold secrets.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Connect<'a> {
    /// The version of this packet and of all that follow.
    pub version: Version,
    /// Start a new session (called clean session in MQTT 3.1.1).
    pub clean_start: bool,
    /// The longest silence of the client in seconds; 0: no limit.
    pub keep_alive: u16,
    /// May be empty: the client asks for a name, or for a session without one.
    pub client_id: &'a str,
    /// Empty in MQTT 3.1.1.
    pub properties: Properties<'a>,
    /// The message to publish when the client is lost.
    pub will: Option<Will<'a>>,
    /// The user name.
    pub username: Option<&'a str>,
    /// The password; in MQTT 3.1.1 only beside a user name `[MQTT3-3.1.2-22]`.
    pub password: Option<&'a [u8]>,
}

/// The message that the server publishes when the client is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Will<'a> {
    /// The QoS to publish it with.
    pub qos: QoS,
    /// Whether to publish it as a retained message.
    pub retain: bool,
    /// Its topic.
    pub topic: TopicName<'a>,
    /// Its payload, at most 65535 bytes.
    pub payload: &'a [u8],
    /// Empty in MQTT 3.1.1.
    pub properties: Properties<'a>,
}

encodes!(Connect);

impl<'a> Connect<'a> {
    pub(crate) fn decode(mut body: Reader<'a>) -> Result<Self, DecodeError> {
        if body.binary("protocol name")? != PROTOCOL_NAME.as_bytes() {
            return Err(DecodeError::malformed("protocol name", "is not \"MQTT\""));
        }
        let level = body.byte("protocol level")?;
        let version = Version::from_level(level).ok_or(DecodeError::new(
            DecodeErrorKind::UnsupportedVersion,
            "protocol level",
            "is neither 4 (MQTT 3.1.1) nor 5 (MQTT 5.0)",
        ))?;
        let flags = body.byte("connect flags")?;
        check_flags(flags, version)?;
        let keep_alive = body.two_bytes("keep alive")?;
        let properties = read_properties(&mut body, version, Place::Connect)?;
        let client_id = body.string("client identifier")?;
        let will = match flags & WILL {
            0 => None,
            _ => Some(Will::decode(flags, &mut body, version)?),
        };
        let username = match flags & USER_NAME {
            0 => None,
            _ => Some(body.string("user name")?),
        };
        let password = match flags & PASSWORD {
            0 => None,
            _ => Some(body.binary("password")?),
        };
        body.finish()?;
        let clean_start = flags & CLEAN_START != 0;
        Ok(Self {
            version,
            clean_start,
            keep_alive,
            client_id,
            properties,
            will,
            username,
            password,
        })
    }

    fn flags(&self) -> u8 {
        let will = self.will.map_or(0, |will| {
            WILL | will.qos.bits() << WILL_QOS_SHIFT | if will.retain { WILL_RETAIN } else { 0 }
        });
        will | if self.clean_start { CLEAN_START } else { 0 }
            | self.password.map_or(0, |_| PASSWORD)
            | self.username.map_or(0, |_| USER_NAME)
    }
}

fn check_flags(flags: u8, version: Version) -> Result<(), DecodeError> {
    let rule = if flags & RESERVED != 0 {
        "have the reserved bit set"
    } else if flags & WILL == 0 && flags & (WILL_QOS | WILL_RETAIN) != 0 {
        "have will QoS or will retain set without a will"
    } else if version == Version::V311 && flags & (USER_NAME | PASSWORD) == PASSWORD {
        "have a password without a user name, which MQTT 3.1.1 does not allow"
    } else {
        return Ok(());
    };
    Err(DecodeError::malformed("connect flags", rule))
}

fn read_properties<'a>(
    body: &mut Reader<'a>,
    version: Version,
    place: Place,
) -> Result<Properties<'a>, DecodeError> {
    match version {
        Version::V311 => Ok(Properties::EMPTY),
        Version::V5 => Properties::read(body, place),
    }
}

impl<'a> Will<'a> {
    fn decode(flags: u8, body: &mut Reader<'a>, version: Version) -> Result<Self, DecodeError> {
        let qos = QoS::try_from((flags & WILL_QOS) >> WILL_QOS_SHIFT)
            .map_err(|_| DecodeError::malformed("will QoS", "is 3; it must be 0, 1 or 2"))?;
        let retain = flags & WILL_RETAIN != 0;
        let properties = read_properties(body, version, Place::Will)?;
        let topic = body.topic("will topic")?.ok_or(DecodeError::new(
            DecodeErrorKind::TopicNameInvalid,
            "will topic",
            "is empty; it needs at least one character",
        ))?;
        let payload = body.binary("will payload")?;
        Ok(Self { qos, retain, topic, payload, properties })
    }
}

impl Body for Connect<'_> {
    fn first_byte(&self) -> u8 {
        PacketType::Connect.first_byte()
    }

    fn check(&self, _: Version) -> Result<(), EncodeError> {
        check_string(self.client_id, "client identifier")?;
        check_string(self.username.unwrap_or_default(), "user name")?;
        check_binary(self.password.unwrap_or_default(), "password")?;
        if let Some(will) = &self.will {
            check_binary(will.payload, "will payload")?;
        }
        match self.version {
            Version::V311 => {
                if self.password.is_some() && self.username.is_none() {
                    let rule = "needs a user name beside it in MQTT 3.1.1";
                    return Err(EncodeError::invalid("password", rule));
                }
            }
            Version::V5 => {
                let packet = PacketType::Connect.name();
                self.properties.check(Place::Connect, packet)?;
                if let Some(will) = &self.will {
                    will.properties.check(Place::Will, packet)?;
                }
            }
        }
        Ok(())
    }

    fn write(&self, _: Version, out: &mut impl Sink) {
        let version = self.version;
        out.string(PROTOCOL_NAME);
        out.byte(version.level());
        out.byte(self.flags());
        out.two_bytes(self.keep_alive);
        if version == Version::V5 {
            self.properties.write(out);
        }
        out.string(self.client_id);
        if let Some(will) = &self.will {
            if version == Version::V5 {
                will.properties.write(out);
            }
            out.string(will.topic.as_str());
            out.binary(will.payload);
        }
        if let Some(username) = self.username {
            out.string(username);
        }
        if let Some(password) = self.password {
            out.binary(password);
        }
    }
}

impl fmt::Debug for Connect<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connect")
            .field("version", &self.version)
            .field("clean_start", &self.clean_start)
            .field("keep_alive", &self.keep_alive)
            .field("client_id", &self.client_id)
            .field("properties", &self.properties)
            .field("will", &self.will)
            .field("has_username", &self.username.is_some())
            .field("has_password", &self.password.is_some())
            .finish()
    }
}
