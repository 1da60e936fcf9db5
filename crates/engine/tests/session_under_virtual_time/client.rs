//! The device's side: it decodes what it is sent and holds the node to the standard.

use mqtt::{Packet, PacketId, Property, Publish, QoS, ReasonCode, Version};

/// What the device saw in one piece of output.
#[derive(Debug, Default)]
pub struct Seen {
    /// The packet identifiers of the QoS 1 messages, in order.
    pub qos1: Vec<u16>,
    /// How many messages at QoS 0.
    pub qos0: usize,
    /// PUBACKs, by packet identifier.
    pub pubacks: Vec<(u16, ReasonCode)>,
    /// PINGRESPs.
    pub pongs: usize,
    /// The DISCONNECT, if there was one.
    pub disconnect: Option<ReasonCode>,
}

/// Decodes all of `bytes`.
pub fn read(mut bytes: &[u8], version: Version, packet_size_max: usize) -> Seen {
    let mut seen = Seen::default();
    while !bytes.is_empty() {
        let (packet, length) = mqtt::decode(bytes, version, packet_size_max)
            .expect("well-formed and within the device's Maximum Packet Size")
            .expect("whole");
        assert!(seen.disconnect.is_none(), "DISCONNECT is the last packet");
        seen.note(&packet);
        bytes = &bytes[length..];
    }
    seen
}

impl Seen {
    fn note(&mut self, packet: &Packet<'_>) {
        match packet {
            Packet::Publish(publish) => {
                assert!(!publish.dup && !publish.retain);
                assert!(publish.topic.is_some(), "the node uses no topic aliases");
                match publish.packet_id {
                    Some(id) => self.qos1.push(id.get()),
                    None => self.qos0 += 1,
                }
            }
            Packet::PubAck(ack) => self.pubacks.push((ack.packet_id.get(), ack.reason)),
            Packet::PingResp => self.pongs += 1,
            Packet::Disconnect(disconnect) => self.disconnect = Some(disconnect.reason),
            Packet::Connect(_)
            | Packet::ConnAck(_)
            | Packet::PubRec(_)
            | Packet::PubRel(_)
            | Packet::PubComp(_)
            | Packet::Subscribe(_)
            | Packet::SubAck(_)
            | Packet::Unsubscribe(_)
            | Packet::UnsubAck(_)
            | Packet::PingReq
            | Packet::Auth(_) => panic!("a session does not send {packet:?}"),
        }
    }
}

/// The length of a PUBLISH on the wire, its packet identifier included, in bytes.
pub fn publish_len(publish: &Publish<'_>, version: Version) -> usize {
    let packet_id = match publish.qos {
        QoS::AtMostOnce => None,
        QoS::AtLeastOnce | QoS::ExactlyOnce => PacketId::new(1),
    };
    Publish { packet_id, ..*publish }.encoded_len(version)
}

/// The bytes of a packet that the device sends.
pub fn bytes_of(packet: &Packet<'_>, version: Version) -> Vec<u8> {
    let mut bytes = Vec::new();
    packet.encode(version, &mut bytes).expect("the test's packets are well-formed");
    bytes
}

/// Properties of one element.
pub fn property(property: Property<'_>) -> mqtt::PropertiesBuf {
    let mut properties = mqtt::PropertiesBuf::new();
    properties.push(property).expect("valid");
    properties
}
