//! The first bytes of every packet: type, flags, remaining length.

use crate::error::{DecodeError, DecodeErrorKind};
use crate::reader::variable_integer;
use crate::version::Version;

/// The fourteen or fifteen packet types (standard table 2-1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum PacketType {
    Connect = 1,
    ConnAck = 2,
    Publish = 3,
    PubAck = 4,
    PubRec = 5,
    PubRel = 6,
    PubComp = 7,
    Subscribe = 8,
    SubAck = 9,
    Unsubscribe = 10,
    UnsubAck = 11,
    PingReq = 12,
    PingResp = 13,
    Disconnect = 14,
    Auth = 15,
}

impl PacketType {
    /// The type with this number; 0 is reserved, and AUTH only exists in MQTT 5.0.
    #[inline]
    fn from_code(code: u8, version: Version) -> Option<Self> {
        Some(match code {
            1 => PacketType::Connect,
            2 => PacketType::ConnAck,
            3 => PacketType::Publish,
            4 => PacketType::PubAck,
            5 => PacketType::PubRec,
            6 => PacketType::PubRel,
            7 => PacketType::PubComp,
            8 => PacketType::Subscribe,
            9 => PacketType::SubAck,
            10 => PacketType::Unsubscribe,
            11 => PacketType::UnsubAck,
            12 => PacketType::PingReq,
            13 => PacketType::PingResp,
            14 => PacketType::Disconnect,
            15 if version == Version::V5 => PacketType::Auth,
            _ => return None,
        })
    }

    /// The packet's name as the standard spells it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            PacketType::Connect => "CONNECT",
            PacketType::ConnAck => "CONNACK",
            PacketType::Publish => "PUBLISH",
            PacketType::PubAck => "PUBACK",
            PacketType::PubRec => "PUBREC",
            PacketType::PubRel => "PUBREL",
            PacketType::PubComp => "PUBCOMP",
            PacketType::Subscribe => "SUBSCRIBE",
            PacketType::SubAck => "SUBACK",
            PacketType::Unsubscribe => "UNSUBSCRIBE",
            PacketType::UnsubAck => "UNSUBACK",
            PacketType::PingReq => "PINGREQ",
            PacketType::PingResp => "PINGRESP",
            PacketType::Disconnect => "DISCONNECT",
            PacketType::Auth => "AUTH",
        }
    }

    /// The flag bits of the first byte, for all types but PUBLISH `[MQTT-2.1.3-1]`.
    #[inline]
    const fn reserved_flags(self) -> u8 {
        match self {
            PacketType::PubRel | PacketType::Subscribe | PacketType::Unsubscribe => 0b0010,
            PacketType::Connect
            | PacketType::ConnAck
            | PacketType::Publish
            | PacketType::PubAck
            | PacketType::PubRec
            | PacketType::PubComp
            | PacketType::SubAck
            | PacketType::UnsubAck
            | PacketType::PingReq
            | PacketType::PingResp
            | PacketType::Disconnect
            | PacketType::Auth => 0,
        }
    }

    /// The first byte of a packet of this type; PUBLISH adds its own flags.
    #[inline]
    pub(crate) const fn first_byte(self) -> u8 {
        (self as u8) << 4 | self.reserved_flags()
    }
}

/// A complete fixed header.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FixedHeader {
    pub(crate) packet_type: PacketType,
    /// The low four bits of the first byte.
    pub(crate) flags: u8,
    /// The length of this header in bytes: 2 to 5.
    pub(crate) len: usize,
    /// The length of the whole packet in bytes, this header included.
    pub(crate) packet_len: usize,
}

impl FixedHeader {
    /// Reads the header at the start of `bytes`; `None` if more bytes are needed. What can be
    /// judged from the first byte is judged as soon as it is there.
    #[inline]
    pub(crate) fn read(
        bytes: &[u8],
        version: Version,
        max_size: usize,
    ) -> Result<Option<Self>, DecodeError> {
        let Some((&first, rest)) = bytes.split_first() else { return Ok(None) };
        let packet_type = PacketType::from_code(first >> 4, version)
            .ok_or(DecodeError::malformed("type", "does not exist in this version of MQTT"))?;
        let flags = first & 0x0F;
        if packet_type != PacketType::Publish && flags != packet_type.reserved_flags() {
            let error = DecodeError::malformed("fixed header", "has reserved flags set wrong");
            return Err(error.in_packet(packet_type.name()));
        }
        let remaining = variable_integer(rest, "remaining length")
            .map_err(|error| error.in_packet(packet_type.name()))?;
        let Some((remaining, bytes_of_length)) = remaining else { return Ok(None) };
        let len = 1 + bytes_of_length;
        let packet_len = len + remaining as usize;
        if packet_len > max_size {
            let rule = "is above the maximum packet size";
            let error = DecodeError::new(DecodeErrorKind::TooLarge, "remaining length", rule);
            return Err(error.in_packet(packet_type.name()));
        }
        Ok(Some(Self { packet_type, flags, len, packet_len }))
    }
}
