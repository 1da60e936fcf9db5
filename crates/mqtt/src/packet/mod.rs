//! The packets, one file each.

pub(crate) mod ack;
pub(crate) mod auth;
pub(crate) mod connack;
pub(crate) mod connect;
pub(crate) mod disconnect;
pub(crate) mod ping;
pub(crate) mod publish;
pub(crate) mod suback;
pub(crate) mod subscribe;
pub(crate) mod unsuback;
pub(crate) mod unsubscribe;

use crate::error::EncodeError;
use crate::fixed_header::PacketType;
use crate::version::Version;
use ack::{Ack, AckKind};
use auth::Auth;
use connack::ConnAck;
use connect::Connect;
use disconnect::Disconnect;
use ping::Ping;
use publish::Publish;
use suback::SubAck;
use subscribe::Subscribe;
use unsuback::UnsubAck;
use unsubscribe::Unsubscribe;

/// Any packet of either version; its fields borrow from the bytes it was decoded from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Packet<'a> {
    /// The client opens a connection.
    Connect(Connect<'a>),
    /// The server answers CONNECT.
    ConnAck(ConnAck<'a>),
    /// A message, in either direction.
    Publish(Publish<'a>),
    /// The answer to a QoS 1 PUBLISH.
    PubAck(Ack<'a>),
    /// The first answer to a QoS 2 PUBLISH.
    PubRec(Ack<'a>),
    /// The answer to PUBREC.
    PubRel(Ack<'a>),
    /// The answer to PUBREL.
    PubComp(Ack<'a>),
    /// The client subscribes.
    Subscribe(Subscribe<'a>),
    /// The server answers SUBSCRIBE.
    SubAck(SubAck<'a>),
    /// The client gives subscriptions up.
    Unsubscribe(Unsubscribe<'a>),
    /// The server answers UNSUBSCRIBE.
    UnsubAck(UnsubAck<'a>),
    /// The client shows that it is alive.
    PingReq,
    /// The server answers PINGREQ.
    PingResp,
    /// The end of a connection; sent by a server in MQTT 5.0 only.
    Disconnect(Disconnect<'a>),
    /// A step of extended authentication, MQTT 5.0 only.
    Auth(Auth<'a>),
}

impl Packet<'_> {
    /// Appends the packet to `out`. MQTT 3.1.1 has no properties, so none are written for it.
    ///
    /// CONNECT is written in the version that it names itself, whatever `version` says.
    ///
    /// # Errors
    /// When the standard does not allow this packet in this version; `out` is then as it was.
    #[inline]
    pub fn encode(&self, version: Version, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        match self {
            Packet::Connect(packet) => packet.encode(version, out),
            Packet::ConnAck(packet) => packet.encode(version, out),
            Packet::Publish(packet) => packet.encode(version, out),
            Packet::PubAck(packet) => packet.encode(AckKind::PubAck, version, out),
            Packet::PubRec(packet) => packet.encode(AckKind::PubRec, version, out),
            Packet::PubRel(packet) => packet.encode(AckKind::PubRel, version, out),
            Packet::PubComp(packet) => packet.encode(AckKind::PubComp, version, out),
            Packet::Subscribe(packet) => packet.encode(version, out),
            Packet::SubAck(packet) => packet.encode(version, out),
            Packet::Unsubscribe(packet) => packet.encode(version, out),
            Packet::UnsubAck(packet) => packet.encode(version, out),
            Packet::PingReq => Ping::Request.encode(version, out),
            Packet::PingResp => Ping::Response.encode(version, out),
            Packet::Disconnect(packet) => packet.encode(version, out),
            Packet::Auth(packet) => packet.encode(version, out),
        }
    }

    /// The packet's name as the standard spells it, for example "PUBACK".
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.packet_type().name()
    }

    fn packet_type(&self) -> PacketType {
        match self {
            Packet::Connect(_) => PacketType::Connect,
            Packet::ConnAck(_) => PacketType::ConnAck,
            Packet::Publish(_) => PacketType::Publish,
            Packet::PubAck(_) => PacketType::PubAck,
            Packet::PubRec(_) => PacketType::PubRec,
            Packet::PubRel(_) => PacketType::PubRel,
            Packet::PubComp(_) => PacketType::PubComp,
            Packet::Subscribe(_) => PacketType::Subscribe,
            Packet::SubAck(_) => PacketType::SubAck,
            Packet::Unsubscribe(_) => PacketType::Unsubscribe,
            Packet::UnsubAck(_) => PacketType::UnsubAck,
            Packet::PingReq => PacketType::PingReq,
            Packet::PingResp => PacketType::PingResp,
            Packet::Disconnect(_) => PacketType::Disconnect,
            Packet::Auth(_) => PacketType::Auth,
        }
    }
}
