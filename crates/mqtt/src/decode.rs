//! Reading whole packets.

use crate::error::DecodeError;
use crate::fixed_header::{FixedHeader, PacketType};
use crate::packet::Packet;
use crate::packet::ack::Ack;
use crate::packet::auth::Auth;
use crate::packet::connack::ConnAck;
use crate::packet::connect::Connect;
use crate::packet::disconnect::Disconnect;
use crate::packet::publish::Publish;
use crate::packet::suback::SubAck;
use crate::packet::subscribe::Subscribe;
use crate::packet::unsuback::UnsubAck;
use crate::packet::unsubscribe::Unsubscribe;
use crate::reader::Reader;
use crate::version::Version;

/// Reads the packet at the start of `buf`.
///
/// Returns the packet, which borrows from `buf`, and how many bytes it takes; or `None` if more
/// bytes are needed. `max_size` bounds the whole packet in bytes, fixed header included.
///
/// CONNECT says itself which version it is in, so for it `version` does not matter.
///
/// Allocates only for the lists in SUBSCRIBE, SUBACK, UNSUBSCRIBE and UNSUBACK.
///
/// # Errors
/// When the bytes are no acceptable packet, as soon as that can be known; a packet above
/// `max_size` is refused when its fixed header is complete. The connection cannot go on.
#[inline]
pub fn decode(
    buf: &[u8],
    version: Version,
    max_size: usize,
) -> Result<Option<(Packet<'_>, usize)>, DecodeError> {
    let Some(header) = FixedHeader::read(buf, version, max_size)? else { return Ok(None) };
    let Some(body) = buf.get(header.len..header.packet_len) else { return Ok(None) };
    match decode_body(&header, Reader::new(body), version) {
        Ok(packet) => Ok(Some((packet, header.packet_len))),
        Err(error) => Err(error.in_packet(header.packet_type.name())),
    }
}

#[inline]
fn decode_body<'a>(
    header: &FixedHeader,
    body: Reader<'a>,
    version: Version,
) -> Result<Packet<'a>, DecodeError> {
    Ok(match header.packet_type {
        PacketType::Publish => Packet::Publish(Publish::decode(header.flags, body, version)?),
        PacketType::PubAck => Packet::PubAck(Ack::decode(body, version, Ack::RECEIVED)?),
        PacketType::PubRec => Packet::PubRec(Ack::decode(body, version, Ack::RECEIVED)?),
        PacketType::PubRel => Packet::PubRel(Ack::decode(body, version, Ack::RELEASED)?),
        PacketType::PubComp => Packet::PubComp(Ack::decode(body, version, Ack::RELEASED)?),
        PacketType::Connect => Packet::Connect(Connect::decode(body)?),
        PacketType::ConnAck => Packet::ConnAck(ConnAck::decode(body, version)?),
        PacketType::Subscribe => Packet::Subscribe(Subscribe::decode(body, version)?),
        PacketType::SubAck => Packet::SubAck(SubAck::decode(body, version)?),
        PacketType::Unsubscribe => Packet::Unsubscribe(Unsubscribe::decode(body, version)?),
        PacketType::UnsubAck => Packet::UnsubAck(UnsubAck::decode(body, version)?),
        PacketType::PingReq => {
            body.finish()?;
            Packet::PingReq
        }
        PacketType::PingResp => {
            body.finish()?;
            Packet::PingResp
        }
        PacketType::Disconnect => Packet::Disconnect(Disconnect::decode(body, version)?),
        PacketType::Auth => Packet::Auth(Auth::decode(body)?),
    })
}
