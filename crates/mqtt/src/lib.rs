//! MQTT bytes: packets of 3.1.1 and 5.0, client IDs, topic names and filters, reason codes.
//!
//! This is the only crate that knows the MQTT wire format. It does no I/O, keeps no state between
//! packets and never panics on what a peer sent. [`decode`] borrows everything from the caller's
//! buffer, so a PUBLISH costs no allocation; [`Packet::encode`] appends to the caller's buffer.
//!
//! Decoding is strict: whatever the standard calls a malformed packet, or a protocol error that
//! can be seen in one packet alone, is a [`DecodeError`]. What needs the session to judge (is this
//! packet identifier in use, may this side send that packet, is the alias known, is the topic
//! filter acceptable) is left to the caller. Statements of the standards are cited like
//! `[MQTT-3.3.1-2]` for MQTT 5.0 and `[MQTT3-3.3.1-2]` for 3.1.1.
#![forbid(unsafe_code)]

mod client_id;
mod decode;
mod encode;
mod error;
mod fixed_header;
mod packet;
mod packet_id;
mod properties;
mod property;
mod property_rule;
mod qos;
mod reader;
mod reason_code;
mod topic_filter;
mod topic_name;
mod topic_name_buf;
mod version;
mod writer;

pub use client_id::{ClientId, ClientIdError};
pub use decode::decode;
pub use error::{DecodeError, DecodeErrorKind, EncodeError};
pub use packet::Packet;
pub use packet::ack::{Ack, AckKind};
pub use packet::auth::Auth;
pub use packet::connack::ConnAck;
pub use packet::connect::{Connect, Will};
pub use packet::disconnect::Disconnect;
pub use packet::publish::Publish;
pub use packet::suback::SubAck;
pub use packet::subscribe::{RetainHandling, Subscribe, SubscribeOptions};
pub use packet::unsuback::UnsubAck;
pub use packet::unsubscribe::Unsubscribe;
pub use packet_id::PacketId;
pub use properties::{Properties, PropertiesBuf, PropertyIter};
pub use property::Property;
pub use qos::{InvalidQoS, QoS};
pub use reason_code::{ReasonCode, UnknownReasonCode};
pub use topic_filter::{TopicFilter, TopicFilterError};
pub use topic_name::{TopicError, TopicName};
pub use topic_name_buf::TopicNameBuf;
pub use version::Version;
