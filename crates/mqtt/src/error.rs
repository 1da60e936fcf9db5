//! What can be wrong with received bytes, and with a packet to be sent.

use std::fmt;

use crate::reason_code::ReasonCode;

/// The class of a decoding failure, which decides the reason code that the peer is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DecodeErrorKind {
    /// The bytes cannot be parsed: 0x81.
    Malformed,
    /// The bytes parse, but hold a value or a combination that the standard forbids: 0x82.
    Protocol,
    /// The packet is larger than the caller allows: 0x95.
    TooLarge,
    /// CONNECT asks for a protocol level other than 4 and 5: 0x84.
    UnsupportedVersion,
    /// A topic name is empty or contains a wildcard: 0x90.
    TopicNameInvalid,
    /// A topic alias is 0: 0x94.
    TopicAliasInvalid,
}

/// Why received bytes are no acceptable packet. The connection cannot go on after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecodeError {
    /// The class of the failure.
    pub kind: DecodeErrorKind,
    /// The packet it happened in, as the standard spells it, or "packet" when that is not known.
    pub packet: &'static str,
    /// The field that is wrong.
    pub what: &'static str,
    /// What is wrong with it, or what would be right.
    pub rule: &'static str,
}

impl DecodeError {
    pub(crate) const fn new(
        kind: DecodeErrorKind,
        what: &'static str,
        rule: &'static str,
    ) -> DecodeError {
        DecodeError { kind, packet: "packet", what, rule }
    }

    pub(crate) const fn malformed(what: &'static str, rule: &'static str) -> DecodeError {
        Self::new(DecodeErrorKind::Malformed, what, rule)
    }

    pub(crate) const fn protocol(what: &'static str, rule: &'static str) -> DecodeError {
        Self::new(DecodeErrorKind::Protocol, what, rule)
    }

    /// The same error, found in the packet with this name.
    pub(crate) const fn in_packet(mut self, packet: &'static str) -> DecodeError {
        self.packet = packet;
        self
    }

    /// The reason code that tells the peer about it in CONNACK or DISCONNECT.
    #[must_use]
    pub fn reason_code(&self) -> ReasonCode {
        match self.kind {
            DecodeErrorKind::Malformed => ReasonCode::MalformedPacket,
            DecodeErrorKind::Protocol => ReasonCode::ProtocolError,
            DecodeErrorKind::TooLarge => ReasonCode::PacketTooLarge,
            DecodeErrorKind::UnsupportedVersion => ReasonCode::UnsupportedProtocolVersion,
            DecodeErrorKind::TopicNameInvalid => ReasonCode::TopicNameInvalid,
            DecodeErrorKind::TopicAliasInvalid => ReasonCode::TopicAliasInvalid,
        }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.packet, self.what, self.rule)
    }
}

impl std::error::Error for DecodeError {}

/// Why a packet or a property cannot be written. Nothing was appended to the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// A string or binary field is longer than its two-byte length can say.
    #[error("{what} is {len} bytes long; at most 65535 fit")]
    FieldTooLong {
        /// The field.
        what: &'static str,
        /// Its length in bytes.
        len: usize,
    },
    /// A string contains U+0000 `[MQTT-1.5.4-2]`.
    #[error("{what} contains U+0000, which no MQTT string may contain")]
    NulCharacter {
        /// The field.
        what: &'static str,
    },
    /// The packet is longer than the 268435455 bytes that its remaining length can say.
    #[error("the packet is {len} bytes long; at most 268435455 fit behind the fixed header")]
    TooLarge {
        /// The length without the fixed header, in bytes.
        len: usize,
    },
    /// The reason code is not one of those that the packet may carry.
    #[error("{packet} cannot carry {reason}")]
    ReasonNotAllowed {
        /// The packet, as the standard spells it.
        packet: &'static str,
        /// The reason code.
        reason: ReasonCode,
    },
    /// The packet holds a property that does not belong in it, or holds it twice.
    #[error("{packet} cannot carry its properties: {rule}")]
    Properties {
        /// The packet, as the standard spells it.
        packet: &'static str,
        /// What would be right.
        rule: &'static str,
    },
    /// A field has a value, or a combination of values, that the standard forbids.
    #[error("{what}: {rule}")]
    Invalid {
        /// The field.
        what: &'static str,
        /// What would be right.
        rule: &'static str,
    },
}

impl EncodeError {
    pub(crate) const fn invalid(what: &'static str, rule: &'static str) -> EncodeError {
        EncodeError::Invalid { what, rule }
    }
}
