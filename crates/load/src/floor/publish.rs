//! The PUBLISH that devices get: a template for each version and quality of service.

use mqtt::{EncodeError, PacketId, Properties, Publish, QoS, TopicName, Version};

/// The load generator's usual topic, so that the packet is as long as the server's.
const TOPIC: &str = "load/messages";

/// Templates for messages of one length.
pub(crate) struct Templates {
    payload_len: usize,
    v311: Pair,
    v5: Pair,
}

/// The templates of one version.
struct Pair {
    at_most_once: Vec<u8>,
    at_least_once: Vec<u8>,
    /// Where the packet ID stands in `at_least_once`: two bytes.
    packet_id_at: usize,
}

impl Templates {
    /// For payloads of `payload_len` bytes.
    ///
    /// # Errors
    /// When MQTT has no packet of that length.
    pub(crate) fn new(payload_len: usize) -> Result<Self, EncodeError> {
        let (v311, v5) =
            (Pair::new(Version::V311, payload_len)?, Pair::new(Version::V5, payload_len)?);
        Ok(Self { payload_len, v311, v5 })
    }

    /// The length of the payloads.
    pub(crate) fn payload_len(&self) -> usize {
        self.payload_len
    }

    /// A PUBLISH with QoS 0.
    pub(crate) fn at_most_once(&self, version: Version) -> &[u8] {
        match version {
            Version::V311 => &self.v311.at_most_once,
            Version::V5 => &self.v5.at_most_once,
        }
    }

    /// A PUBLISH with QoS 1 and this packet ID, which is not 0.
    pub(crate) fn at_least_once(&mut self, version: Version, packet_id: u16) -> &[u8] {
        let pair = match version {
            Version::V311 => &mut self.v311,
            Version::V5 => &mut self.v5,
        };
        let at = pair.packet_id_at;
        pair.at_least_once[at..at + 2].copy_from_slice(&packet_id.to_be_bytes());
        &pair.at_least_once
    }
}

impl Pair {
    fn new(version: Version, payload_len: usize) -> Result<Self, EncodeError> {
        let payload: Vec<u8> = (b'a'..=b'z').cycle().take(payload_len).collect();
        let encode = |qos, packet_id| {
            let publish = Publish {
                dup: false,
                qos,
                retain: false,
                topic: Some(TopicName::parse(TOPIC).expect("the constant is a topic name")),
                packet_id,
                properties: Properties::EMPTY,
                payload: &payload,
            };
            let mut bytes = Vec::new();
            publish.encode(version, &mut bytes).map(|()| bytes)
        };
        let at_least_once = encode(QoS::AtLeastOnce, PacketId::new(1))?;
        // Behind it are only the properties' length, which MQTT 3.1.1 does not have, and the payload.
        let behind = payload_len + usize::from(version == Version::V5);
        let packet_id_at = at_least_once.len() - behind - 2;
        Ok(Self { at_most_once: encode(QoS::AtMostOnce, None)?, at_least_once, packet_id_at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mqtt::{Packet, decode};

    #[test]
    fn templates_are_messages_with_the_packet_id_asked_for() {
        for payload_len in [0, 256, 131_072] {
            let mut templates = Templates::new(payload_len).unwrap();
            for version in [Version::V311, Version::V5] {
                for id in [1, 300, u16::MAX] {
                    let bytes = templates.at_least_once(version, id);
                    let (packet, len) = decode(bytes, version, 1 << 20).unwrap().unwrap();
                    let Packet::Publish(publish) = packet else { panic!("{}", packet.name()) };
                    assert_eq!(len, bytes.len());
                    assert_eq!(publish.qos, QoS::AtLeastOnce);
                    assert_eq!(publish.packet_id.map(PacketId::get), Some(id));
                    assert_eq!(publish.payload.len(), payload_len);
                }
                let bytes = templates.at_most_once(version);
                let (packet, _) = decode(bytes, version, 1 << 20).unwrap().unwrap();
                let Packet::Publish(publish) = packet else { panic!("{}", packet.name()) };
                assert_eq!((publish.qos, publish.packet_id), (QoS::AtMostOnce, None));
            }
        }
    }
}
