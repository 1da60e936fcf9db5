//! What the device sends, and what the session has to make of it.

use engine::close::CloseReason;
use engine::direct::Settlement;
use engine::session::Step;
use mqtt::{
    Ack, Disconnect, Packet, PacketId, Properties, PropertiesBuf, Property, Publish, QoS,
    ReasonCode, TopicName, Version,
};

use crate::client::{bytes_of, property};
use crate::harness::{Harness, Owner};
use crate::waiter::{Fate, Waiter};

impl Harness {
    pub fn acknowledge(&mut self, id: u16, code: ReasonCode) {
        let version = self.terms.version;
        let reason = if version == Version::V5 { code } else { ReasonCode::Success };
        let packet_id = PacketId::new(id).expect("not 0");
        let ack = Packet::PubAck(Ack { packet_id, reason, properties: Properties::EMPTY });
        let owner = self.unacknowledged.remove(&id);
        let expected = match owner {
            // One that timed out settles still, late.
            Some(Owner::Direct(at)) => Some(at),
            Some(Owner::Publish) | None => None,
        };
        let now = self.now;
        let settled = match self.receive(&bytes_of(&ack, version)) {
            Answer::Settled(waiter, settlement) => Some((waiter, settlement)),
            Answer::Nothing => None,
            other => panic!("a PUBACK led to {other:?}"),
        };
        assert_eq!(settled.is_some(), expected.is_some());
        let (Some((waiter, settlement)), Some(at)) = (settled, expected) else { return };
        let fate = if reason.is_error() {
            assert_eq!(settlement, Settlement::Rejected { code: reason, at: now });
            Fate::Rejected(reason)
        } else {
            assert_eq!(settlement, Settlement::Acknowledged { at: now });
            Fate::Acknowledged
        };
        waiter.settle(fate);
        assert_eq!(self.waits[at].fate(), fate, "another delivery was settled");
    }

    pub fn ping(&mut self) {
        let before = self.out.len();
        let bytes = bytes_of(&Packet::PingReq, self.terms.version);
        assert!(matches!(self.receive(&bytes), Answer::Nothing));
        assert_eq!(self.read_from(before).pongs, 1);
    }

    pub fn publish(&mut self, qos: QoS, named: Option<bool>, alias: Option<u16>) {
        let version = self.terms.version;
        let alias = alias.filter(|alias| version == Version::V5 && *alias > 0);
        // A topic alias of 0 does not decode, and a publish without both is no packet.
        let named = named.or_else(|| alias.is_none().then_some(true));
        let properties = alias.map(|alias| property(Property::TopicAlias(alias)));
        let properties =
            properties.as_ref().map_or(Properties::EMPTY, PropertiesBuf::as_properties);
        let allowed = named != Some(false) || !self.terms.profile.reserved_topics;
        let topic = named.map(|good| if good { "telemetry/lamp" } else { "$SYS/lamp" });
        let publish = Publish {
            dup: false,
            qos,
            retain: false,
            topic: topic.map(|topic| TopicName::parse(topic).expect("valid")),
            packet_id: (qos == QoS::AtLeastOnce).then(|| PacketId::new(77).expect("not 0")),
            properties,
            payload: b"on",
        };
        let known = alias.is_none_or(|alias| named.is_some() || self.aliases.contains(&alias));
        let in_range = alias.is_none_or(|alias| alias <= self.terms.profile.topic_alias_maximum);
        let before = self.out.len();
        let answer = self.receive(&bytes_of(&Packet::Publish(publish), version));
        let acceptable = allowed && known && in_range;
        if let (Some(alias), true, true) = (alias, named.is_some(), acceptable) {
            self.aliases.insert(alias);
        }
        match answer {
            Answer::Published => assert!(acceptable),
            Answer::Throttled => assert!(acceptable && self.terms.rate.is_some()),
            Answer::Close(CloseReason::ClientError(code)) => {
                let expected = match (in_range, allowed) {
                    (false, _) => ReasonCode::TopicAliasInvalid,
                    (true, false) => ReasonCode::TopicNameInvalid,
                    (true, true) => ReasonCode::ProtocolError,
                };
                assert!(!acceptable);
                assert_eq!(code, expected);
                self.close();
            }
            other => panic!("a PUBLISH led to {other:?}"),
        }
        self.read_from(before);
    }

    pub fn disconnect(&mut self, with_will: bool, expiry: Option<u32>) {
        let version = self.terms.version;
        let with_will = with_will && version == Version::V5;
        let expiry = expiry.filter(|_| version == Version::V5);
        let properties = expiry.map(|expiry| property(Property::SessionExpiryInterval(expiry)));
        let properties =
            properties.as_ref().map_or(Properties::EMPTY, PropertiesBuf::as_properties);
        let reason = if with_will { ReasonCode::DisconnectWithWill } else { ReasonCode::Success };
        let packet = Packet::Disconnect(Disconnect { reason, properties });
        match self.receive(&bytes_of(&packet, version)) {
            Answer::Disconnected(said, granted) => {
                assert_eq!(said, CloseReason::ClientInitiated { with_will });
                assert_eq!(granted, expiry.map(|expiry| expiry.min(3_600)));
            }
            other => panic!("a DISCONNECT led to {other:?}"),
        }
        self.close();
    }

    fn receive(&mut self, bytes: &[u8]) -> Answer {
        self.last_received = self.now;
        let (packet, _) =
            mqtt::decode(bytes, self.terms.version, 1 << 20).expect("well-formed").expect("whole");
        let session = self.session.as_mut().expect("open");
        match session.handle_packet(packet, self.now, &mut self.out) {
            Step::Nothing | Step::Acknowledged => Answer::Nothing,
            Step::Settled(waiter, settlement) => Answer::Settled(waiter, settlement),
            Step::Publish(_) => Answer::Published,
            Step::Throttled(_) => Answer::Throttled,
            Step::Disconnect { reason, session_expiry_seconds } => {
                Answer::Disconnected(reason, session_expiry_seconds)
            }
            Step::Close(reason) => Answer::Close(reason),
            Step::Subscribe(_) | Step::Unsubscribe(_) => panic!("nothing was subscribed"),
            Step::Repeated(id) => panic!("packet ID {id:?} was not taken before"),
        }
    }
}

/// What the session made of a packet, without what it borrows.
#[derive(Debug)]
enum Answer {
    Nothing,
    Settled(Waiter, Settlement),
    Published,
    Throttled,
    Disconnected(CloseReason, Option<u32>),
    Close(CloseReason),
}
