//! What one client has published and the broker has not acknowledged to the end.

use std::collections::VecDeque;

use mqtt::{Ack, AckKind, EncodeError, Properties, QoS, ReasonCode, Version};

use crate::link::Allowed;

/// The packet IDs of a publisher, by how far their handshakes are.
///
/// A broker acknowledges in the order in which it was sent to `[MQTT-4.6.0-2]`, so the one that is
/// looked for is the first one.
pub(crate) struct Outbound {
    qos: QoS,
    allowed: Allowed,
    last_id: u16,
    /// PUBLISH without PUBACK, or with QoS 2 without PUBREC.
    published: VecDeque<u16>,
    /// PUBREL without PUBCOMP.
    released: VecDeque<u16>,
}

impl Outbound {
    /// Nothing published, and so much allowed with QoS 1 and 2.
    pub(crate) fn new(qos: QoS, allowed: Allowed) -> Self {
        let (published, released) = (VecDeque::new(), VecDeque::new());
        Self { qos, allowed, last_id: 0, published, released }
    }

    /// How many messages the broker lets wait at once.
    pub(crate) fn limit(&self) -> u32 {
        match self.qos {
            QoS::AtMostOnce => u32::MAX,
            QoS::AtLeastOnce | QoS::ExactlyOnce => self.allowed.unacknowledged,
        }
    }

    /// How many more messages the broker accepts now.
    pub(crate) fn room(&self) -> u32 {
        self.limit().saturating_sub((self.published.len() + self.released.len()) as u32)
    }

    /// The packet ID of the message that is published next; nobody reads it with QoS 0.
    pub(crate) fn publish(&mut self) -> u16 {
        match self.qos {
            QoS::AtMostOnce => {}
            QoS::AtLeastOnce | QoS::ExactlyOnce => {
                self.last_id = self.last_id.checked_add(1).unwrap_or(1);
                self.published.push_back(self.last_id);
            }
        }
        self.last_id
    }

    /// An acknowledgement came; appends the answer to it, if there is one. Whether it is the one
    /// that follows, and good news.
    ///
    /// # Errors
    /// When the answer cannot be written.
    pub(crate) fn acknowledge(
        &mut self,
        (kind, ack): (AckKind, &Ack<'_>),
        version: Version,
        out: &mut Vec<u8>,
    ) -> Result<bool, EncodeError> {
        let id = ack.packet_id.get();
        let known = match (kind, self.qos) {
            (AckKind::PubAck, QoS::AtLeastOnce) | (AckKind::PubRec, QoS::ExactlyOnce) => {
                take(&mut self.published, id)
            }
            (AckKind::PubComp, QoS::ExactlyOnce) => take(&mut self.released, id),
            (AckKind::PubAck | AckKind::PubRec | AckKind::PubRel | AckKind::PubComp, _) => false,
        };
        let good = known && !ack.reason.is_error();
        if good && kind == AckKind::PubRec {
            self.released.push_back(id);
            let (reason, properties) = (ReasonCode::Success, Properties::EMPTY);
            let release = Ack { packet_id: ack.packet_id, reason, properties };
            release.encode(AckKind::PubRel, version, out)?;
        }
        Ok(good)
    }

    /// Handshakes that are not at their end.
    pub(crate) fn unfinished(&self) -> u64 {
        (self.published.len() + self.released.len()) as u64
    }
}

/// Removes an ID: whether it was there.
fn take(ids: &mut VecDeque<u16>, id: u16) -> bool {
    let found = ids.iter().position(|waiting| *waiting == id);
    found.and_then(|at| ids.remove(at)).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use mqtt::PacketId;

    const ALLOWED: Allowed = Allowed { unacknowledged: 2 };

    fn acknowledge(
        outbound: &mut Outbound,
        (kind, id, reason): (AckKind, u16, ReasonCode),
    ) -> (bool, Vec<u8>) {
        let mut out = Vec::new();
        let packet_id = PacketId::new(id).unwrap();
        let ack = Ack { packet_id, reason, properties: Properties::EMPTY };
        let good = outbound.acknowledge((kind, &ack), Version::V5, &mut out).unwrap();
        (good, out)
    }

    #[test]
    fn what_is_sent_at_most_once_is_never_waited_for() {
        let mut outbound = Outbound::new(QoS::AtMostOnce, ALLOWED);
        outbound.publish();
        assert_eq!((outbound.room(), outbound.unfinished()), (u32::MAX, 0));
        let puback = (AckKind::PubAck, 1, ReasonCode::Success);
        assert!(!acknowledge(&mut outbound, puback).0);
    }

    #[test]
    fn with_qos_1_a_puback_ends_it() {
        let mut outbound = Outbound::new(QoS::AtLeastOnce, ALLOWED);
        assert_eq!([outbound.publish(), outbound.publish()], [1, 2]);
        assert_eq!(outbound.room(), 0);
        let puback = |id| (AckKind::PubAck, id, ReasonCode::Success);
        assert_eq!(acknowledge(&mut outbound, puback(1)), (true, Vec::new()));
        assert!(!acknowledge(&mut outbound, puback(1)).0);
        assert_eq!((outbound.room(), outbound.unfinished()), (1, 1));
        let refused = (AckKind::PubAck, 2, ReasonCode::QuotaExceeded);
        assert!(!acknowledge(&mut outbound, refused).0);
        assert_eq!(outbound.unfinished(), 0);
    }

    #[test]
    fn with_qos_2_a_pubcomp_ends_it() {
        let mut outbound = Outbound::new(QoS::ExactlyOnce, ALLOWED);
        let id = outbound.publish();
        for early in [AckKind::PubAck, AckKind::PubComp] {
            assert!(!acknowledge(&mut outbound, (early, id, ReasonCode::Success)).0);
        }
        let pubrec = (AckKind::PubRec, id, ReasonCode::Success);
        assert_eq!(acknowledge(&mut outbound, pubrec), (true, vec![0x62, 2, 0, 1]));
        assert_eq!((outbound.room(), outbound.unfinished()), (1, 1));
        assert!(acknowledge(&mut outbound, (AckKind::PubComp, id, ReasonCode::Success)).0);
        assert_eq!((outbound.room(), outbound.unfinished()), (2, 0));
    }

    #[test]
    fn a_pubrec_that_refuses_ends_it_without_pubrel() {
        let mut outbound = Outbound::new(QoS::ExactlyOnce, ALLOWED);
        let id = outbound.publish();
        let refused = (AckKind::PubRec, id, ReasonCode::QuotaExceeded);
        assert_eq!(acknowledge(&mut outbound, refused), (false, Vec::new()));
        assert_eq!(outbound.unfinished(), 0);
    }
}
