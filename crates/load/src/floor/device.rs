//! What the relay remembers of a device, and what it understands of its packets.

use std::collections::VecDeque;

use mqtt::{Packet, PacketId, Version, decode};

use super::connections::Token;

/// The largest packet of a device.
const MAX_PACKET: usize = 256 * 1024;

/// A device: first a connection, then one with a name.
pub(crate) struct Device {
    /// What CONNECT said; `None` before.
    pub(crate) identity: Option<Identity>,
    /// Who waits for which PUBACK, in the order of the messages.
    waiting: VecDeque<(u16, Token)>,
    last_id: u16,
}

/// What a device said in CONNECT.
pub(crate) struct Identity {
    /// Its client ID.
    pub(crate) client_id: Box<[u8]>,
    /// Its version of MQTT.
    pub(crate) version: Version,
}

/// A packet of a device, as far as it matters.
pub(crate) enum Said {
    /// It wants in.
    Connect(Identity),
    /// It has this message.
    Acknowledged(u16),
    /// It wants an answer.
    Ping,
    /// It leaves, or says what nobody here understands.
    Goodbye,
}

impl Device {
    /// Before its CONNECT.
    pub(crate) fn new() -> Self {
        Self { identity: None, waiting: VecDeque::new(), last_id: 0 }
    }

    /// The packet ID of the next message, for which `sender` will wait.
    pub(crate) fn expect_ack(&mut self, sender: Token) -> u16 {
        self.last_id = self.last_id.checked_add(1).unwrap_or(1);
        self.waiting.push_back((self.last_id, sender));
        self.last_id
    }

    /// Who waited for this PUBACK. Devices acknowledge in order, so the search ends at once.
    pub(crate) fn acknowledged(&mut self, id: u16) -> Option<Token> {
        let at = self.waiting.iter().position(|(expected, _)| *expected == id)?;
        self.waiting.remove(at).map(|(_, sender)| sender)
    }

    /// All who still wait.
    pub(crate) fn into_waiting(self) -> impl Iterator<Item = Token> {
        self.waiting.into_iter().map(|(_, sender)| sender)
    }
}

/// Reads the packet at the start of `bytes` and its length; `None` if more bytes are needed.
pub(crate) fn next(bytes: &[u8], identity: Option<&Identity>) -> Option<(Said, usize)> {
    // PUBACK without a reason code, which is nearly everything that a device says.
    if let [0x40, 2, high, low, ..] = *bytes {
        return Some((Said::Acknowledged(u16::from_be_bytes([high, low])), 4));
    }
    let version = identity.map_or(Version::V5, |identity| identity.version);
    match decode(bytes, version, MAX_PACKET) {
        Ok(None) => None,
        Ok(Some((packet, len))) => Some((said(&packet), len)),
        Err(_) => Some((Said::Goodbye, bytes.len())),
    }
}

fn said(packet: &Packet<'_>) -> Said {
    match packet {
        Packet::Connect(connect) => Said::Connect(Identity {
            client_id: connect.client_id.as_bytes().into(),
            version: connect.version,
        }),
        Packet::PubAck(ack) => Said::Acknowledged(PacketId::get(ack.packet_id)),
        Packet::PingReq => Said::Ping,
        Packet::ConnAck(_)
        | Packet::Publish(_)
        | Packet::PubRec(_)
        | Packet::PubRel(_)
        | Packet::PubComp(_)
        | Packet::Subscribe(_)
        | Packet::SubAck(_)
        | Packet::Unsubscribe(_)
        | Packet::UnsubAck(_)
        | Packet::PingResp
        | Packet::Disconnect(_)
        | Packet::Auth(_) => Said::Goodbye,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sender(number: u64) -> Token {
        Token::from_u64(number)
    }

    #[test]
    fn two_senders_of_one_device_are_not_mixed_up() {
        let mut device = Device::new();
        let (first, second) = (device.expect_ack(sender(1)), device.expect_ack(sender(2)));
        assert_ne!(first, second);
        assert_eq!(device.acknowledged(second), Some(sender(2)));
        assert_eq!(device.acknowledged(second), None);
        assert_eq!(device.acknowledged(first), Some(sender(1)));
    }

    #[test]
    fn packet_ids_are_never_zero() {
        let mut device = Device { last_id: u16::MAX, ..Device::new() };
        assert_eq!(device.expect_ack(sender(1)), 1);
        assert_eq!(device.into_waiting().collect::<Vec<_>>(), [sender(1)]);
    }

    #[test]
    fn packets_are_told_apart() {
        let identity = Identity { client_id: Box::default(), version: Version::V5 };
        let acknowledged = |bytes: &[u8]| match next(bytes, Some(&identity)) {
            Some((Said::Acknowledged(id), len)) => Some((id, len)),
            _ => None,
        };
        assert_eq!(acknowledged(&[0x40, 2, 1, 2, 0x40]), Some((0x102, 4)));
        assert_eq!(acknowledged(&[0x40, 3, 0, 9, 0]), Some((9, 5)));
        assert!(next(&[0x40, 2, 1], Some(&identity)).is_none());
        assert!(matches!(next(&[0xC0, 0], Some(&identity)), Some((Said::Ping, 2))));
        assert!(matches!(next(&[0xE0, 0], Some(&identity)), Some((Said::Goodbye, 2))));
        assert!(matches!(next(&[0, 0], None), Some((Said::Goodbye, 2))));
        let connect = [0x10, 13, 0, 4, b'M', b'Q', b'T', b'T', 4, 2, 0, 0, 0, 1, b'd'];
        let Some((Said::Connect(identity), 15)) = next(&connect, None) else { panic!("CONNECT") };
        assert_eq!((&*identity.client_id, identity.version), (&b"d"[..], Version::V311));
    }
}
