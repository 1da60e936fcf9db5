//! PINGREQ and PINGRESP: packets that are nothing but a fixed header.

use crate::encode;
use crate::error::EncodeError;
use crate::fixed_header::PacketType;
use crate::version::Version;
use crate::writer::Sink;

#[derive(Debug, Clone, Copy)]
pub(crate) enum Ping {
    Request,
    Response,
}

impl Ping {
    pub(crate) fn encode(self, version: Version, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        encode::encode(&self, version, out)
    }
}

impl encode::Body for Ping {
    fn first_byte(&self) -> u8 {
        match self {
            Ping::Request => PacketType::PingReq.first_byte(),
            Ping::Response => PacketType::PingResp.first_byte(),
        }
    }

    fn check(&self, _: Version) -> Result<(), EncodeError> {
        Ok(())
    }

    fn write(&self, _: Version, _: &mut impl Sink) {}
}
