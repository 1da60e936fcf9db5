//! The PUBLISH of a publisher, in which only numbers change.

use mqtt::{EncodeError, PacketId, Properties, Publish, QoS, TopicName, Version};

/// The least payload: the publisher's number and the sequence number.
pub(crate) const MIN_PAYLOAD: u32 = (PUBLISHER_LEN + SEQUENCE_LEN) as u32;

const PUBLISHER_LEN: usize = 4;
const SEQUENCE_LEN: usize = 8;

/// A PUBLISH, encoded once.
pub(crate) struct Template {
    bytes: Vec<u8>,
    /// Where the packet ID stands, if there is one.
    packet_id_at: Option<usize>,
    payload_at: usize,
}

/// What a payload says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Label {
    /// Whose message it is.
    pub(crate) publisher: u32,
    /// Which one of that publisher, from 0.
    pub(crate) sequence: u64,
}

impl Template {
    /// For publisher `publisher`, with payloads of `payload` bytes, at least [`MIN_PAYLOAD`].
    ///
    /// # Errors
    /// When MQTT has no such packet.
    pub(crate) fn new(
        (topic, publisher): (TopicName<'_>, u32),
        qos: QoS,
        version: Version,
        payload: usize,
    ) -> Result<Self, EncodeError> {
        let mut text: Vec<u8> = (b'a'..=b'z').cycle().take(payload).collect();
        text[..PUBLISHER_LEN].copy_from_slice(&publisher.to_be_bytes());
        let packet_id = match qos {
            QoS::AtMostOnce => None,
            QoS::AtLeastOnce | QoS::ExactlyOnce => PacketId::new(1),
        };
        let publish = Publish {
            dup: false,
            qos,
            retain: false,
            topic: Some(topic),
            packet_id,
            properties: Properties::EMPTY,
            payload: &text,
        };
        let mut bytes = Vec::new();
        publish.encode(version, &mut bytes)?;
        let payload_at = bytes.len() - payload;
        // Between packet ID and payload is only the properties' length, which 3.1.1 does not have.
        let properties = usize::from(version == Version::V5);
        let packet_id_at = packet_id.map(|_| payload_at - properties - 2);
        Ok(Self { bytes, packet_id_at, payload_at })
    }

    /// Appends the message with this sequence number and, where there is one, packet ID.
    pub(crate) fn write(&mut self, sequence: u64, packet_id: u16, out: &mut Vec<u8>) {
        let at = self.payload_at + PUBLISHER_LEN;
        self.bytes[at..at + SEQUENCE_LEN].copy_from_slice(&sequence.to_be_bytes());
        if let Some(at) = self.packet_id_at {
            self.bytes[at..at + 2].copy_from_slice(&packet_id.to_be_bytes());
        }
        out.extend_from_slice(&self.bytes);
    }
}

impl Label {
    /// Reads it from the start of a payload; `None` if that is too short.
    pub(crate) fn read(payload: &[u8]) -> Option<Self> {
        let (publisher, rest) = payload.split_first_chunk::<PUBLISHER_LEN>()?;
        let (sequence, _) = rest.split_first_chunk::<SEQUENCE_LEN>()?;
        let (publisher, sequence) = (u32::from_be_bytes(*publisher), u64::from_be_bytes(*sequence));
        Some(Self { publisher, sequence })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mqtt::{Packet, decode};

    #[test]
    fn messages_say_whose_they_are_and_which() {
        let topic = TopicName::parse("load/pubsub/7").unwrap();
        for version in [Version::V311, Version::V5] {
            for (qos, id) in [(QoS::AtMostOnce, None), (QoS::AtLeastOnce, Some(513))] {
                let mut template = Template::new((topic, 7), qos, version, 20).unwrap();
                let mut bytes = Vec::new();
                template.write(1, 9, &mut bytes);
                let first = bytes.len();
                template.write(u64::MAX, 513, &mut bytes);
                let (packet, len) = decode(&bytes[first..], version, 1024).unwrap().unwrap();
                let Packet::Publish(publish) = packet else { panic!("{}", packet.name()) };
                assert_eq!(len, bytes.len() - first);
                assert_eq!((publish.qos, publish.packet_id.map(PacketId::get)), (qos, id));
                let label = Label { publisher: 7, sequence: u64::MAX };
                assert_eq!(
                    (publish.payload.len(), Label::read(publish.payload)),
                    (20, Some(label))
                );
            }
        }
        assert_eq!(Label::read(&[0; 11]), None);
    }
}
