//! Drives a session and holds it to the model after every step.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use engine::Moment;
use engine::access::{Access, Peer, ReceivePermit};
use engine::close::CloseReason;
use engine::direct::{DirectMessage, Settlement};
use engine::directory::Principal;
use engine::limits::Quotas;
use engine::outcome::DirectOutcome;
use engine::session::{Delivered, Delivery, Rules, Session, Step, negotiate};
use mqtt::{
    Ack, ClientId, Connect, Disconnect, Packet, PacketId, Properties, PropertiesBuf, Property,
    Publish, QoS, ReasonCode, TopicName, Version,
};

use crate::client::{bytes_of, property, publish_len, read};
use crate::operation::{Operation, Terms};
use crate::waiter::{Fate, Wait, Waiter};

const TOPIC: &str = "commands/reboot";

/// Who a packet identifier belongs to while it is unacknowledged.
#[derive(Clone, Copy, Debug)]
enum Owner {
    /// The wait with this index.
    Direct(usize),
    /// A message of publish-subscribe.
    Publish,
}

/// A session and what is known about it from outside.
pub struct Harness {
    terms: Terms,
    session: Option<Session<Waiter>>,
    access: Access,
    peer: Peer,
    now: Moment,
    last_received: Moment,
    keep_alive: Option<Duration>,
    life_ends: Option<Moment>,
    window: usize,
    out: Vec<u8>,
    waits: Vec<Wait>,
    unacknowledged: HashMap<u16, Owner>,
    written: Vec<u16>,
    aliases: HashSet<u16>,
}

impl Harness {
    pub fn new(terms: &Terms) -> Self {
        let quotas = Quotas {
            outbound_unacknowledged: terms.window,
            publishes_per_connection: terms.rate,
            ..Quotas::default()
        };
        let rules = Arc::new(Rules {
            profile: terms.profile,
            quotas,
            outbound_buffer_bytes: terms.outbound_buffer_bytes,
        });
        let mut properties = PropertiesBuf::new();
        if terms.version == Version::V5 {
            let wanted = [
                terms.receive_maximum.map(Property::ReceiveMaximum),
                terms.maximum_packet_size.map(Property::MaximumPacketSize),
            ];
            for wanted in wanted.into_iter().flatten() {
                properties.push(wanted).expect("valid");
            }
        }
        let connect = Connect {
            version: terms.version,
            clean_start: true,
            keep_alive: terms.keep_alive,
            client_id: "lamp",
            properties: properties.as_properties(),
            will: None,
            username: None,
            password: None,
        };
        let granted = negotiate(&connect, &rules, || unreachable!("it has a client ID"))
            .expect("the terms are acceptable");
        let now = Moment::from_micros(1_000_000);
        let life_ends = terms.life_seconds.map(|life| now.after(Duration::from_secs(life)));
        let receive_maximum = connect.properties.receive_maximum().unwrap_or(u16::MAX);
        let keep_alive = granted.keep_alive_seconds;
        Harness {
            window: usize::from(receive_maximum.min(terms.window)),
            session: Some(Session::new(rules, &granted, now, life_ends)),
            access: Access::new(policy::Scope::new("us-west-2", "123456789012"), 0),
            peer: Peer {
                principal: Principal::anonymous(),
                source: SocketAddr::from(([127, 0, 0, 1], 40_000)),
                secure: true,
                client_id: Some(ClientId::parse("lamp").expect("valid")),
                thing: None,
            },
            now,
            last_received: now,
            keep_alive: (keep_alive > 0).then(|| Duration::from_millis(u64::from(keep_alive) * 1_500)),
            life_ends,
            terms: terms.clone(),
            out: Vec::new(),
            waits: Vec::new(),
            unacknowledged: HashMap::new(),
            written: Vec::new(),
            aliases: HashSet::new(),
        }
    }

    pub fn is_closed(&self) -> bool {
        self.session.is_none()
    }

    pub fn apply(&mut self, operation: &Operation) {
        match operation {
            Operation::Send { timeout, payload, content_type } => {
                let timeout = timeout.map(Duration::from_millis);
                self.send(timeout, &vec![b'x'; *payload], *content_type);
            }
            Operation::Deliver { qos, payload } => self.deliver(*qos, *payload),
            Operation::Acknowledge { which, code } => {
                if !self.written.is_empty() {
                    self.acknowledge(*which.get(&self.written), *code);
                }
            }
            Operation::AcknowledgeAny { id } => self.acknowledge(*id, ReasonCode::Success),
            Operation::Pass { millis } => self.pass(Duration::from_millis(*millis)),
            Operation::Stall { millis } => {
                self.now = self.now.after(Duration::from_millis(*millis));
            }
            Operation::Read => self.out.clear(),
            Operation::Ping => self.ping(),
            Operation::Publish { qos, named, alias } => self.publish(*qos, *named, *alias),
            Operation::Disconnect { with_will, expiry } => self.disconnect(*with_will, *expiry),
        }
    }

    /// What holds between any two operations.
    pub fn check(&self) {
        let Some(session) = &self.session else { return };
        assert!(session.inflight() <= self.window);
        assert_eq!(session.inflight(), self.unacknowledged.len());
        let waiting = self.waits.iter().filter(|wait| wait.fate() == Fate::Waiting);
        let earliest = waiting.map(|wait| wait.deadline).min();
        assert_eq!(session.has_waiters(), earliest.is_some());
        let keep_alive = self.keep_alive.map(|keep_alive| self.last_received.after(keep_alive));
        let earliest = [earliest, keep_alive, self.life_ends].into_iter().flatten().min();
        match (session.poll_timeout(), earliest) {
            (Some(polled), Some(earliest)) => assert!(polled <= earliest),
            (None, Some(earliest)) => panic!("no timeout announced for {earliest:?}"),
            (Some(_) | None, None) => {}
        }
    }

    /// The connection ends; nobody may still wait afterwards.
    pub fn close(&mut self) {
        let Some(session) = self.session.take() else { return };
        let before = self.out.len();
        session.farewell(CloseReason::TakenOver, &mut self.out);
        let said = self.read_from(before).disconnect;
        assert_eq!(said.is_some(), self.terms.version == Version::V5);
        let waiting: Vec<_> =
            self.waits.iter().map(|wait| wait.fate() == Fate::Waiting).collect();
        drop(session);
        for (wait, waited) in self.waits.iter().zip(waiting) {
            assert_ne!(wait.fate(), Fate::Waiting);
            assert_eq!(wait.fate() == Fate::Disconnected, waited);
        }
    }

    pub fn send_confirmed(&mut self, payload: &[u8]) {
        self.send(Some(Duration::from_secs(1)), payload, false);
        self.out.clear();
    }

    pub fn acknowledge_newest(&mut self) {
        if let Some(id) = self.written.pop() {
            self.acknowledge(id, ReasonCode::Success);
        }
    }

    fn send(&mut self, confirmation: Option<Duration>, payload: &[u8], content_type: bool) {
        let properties = content_type.then(|| property(Property::ContentType("text/plain")));
        let properties = properties.as_ref().map_or(Properties::EMPTY, PropertiesBuf::as_properties);
        let topic = TopicName::parse(TOPIC).expect("valid");
        let message = DirectMessage { topic, payload, properties, confirmation };
        let (wait, waiter) = Wait::begin(self.now.after(confirmation.unwrap_or_default()));
        let permit = self.permit();
        let before = self.out.len();
        let session = self.session.as_mut().expect("open");
        let full = session.inflight() == self.window;
        let mut waiter = Some(waiter);
        let sent = session.send_direct(
            &message,
            permit,
            || waiter.take().expect("asked for once"),
            self.now,
            &mut self.out,
        );
        let taken = waiter.is_none();
        let publish = self.outgoing(confirmation.is_some(), properties, payload);
        let length = publish_len(&publish, self.terms.version);
        let too_large = length > self.packet_size_max();
        let no_room = before + length > self.terms.outbound_buffer_bytes;
        if let Err(outcome) = sent {
            assert_eq!(self.out.len(), before, "nothing is written for {outcome:?}");
            assert!(!taken, "nobody waits for {outcome:?}");
            match outcome {
                DirectOutcome::ReceiverThrottled => assert!(self.terms.rate.is_some()),
                DirectOutcome::ReceiverWindowFull => assert!(confirmation.is_some() && full),
                DirectOutcome::ReceiverPacketTooLarge { limit } => {
                    assert!(too_large);
                    assert_eq!(Some(limit), self.terms.maximum_packet_size);
                }
                DirectOutcome::ReceiverNotWritable => assert!(no_room),
                other => panic!("not for a session to say: {other:?}"),
            }
            return;
        }
        assert!(!no_room, "more than the outbound buffer may hold");
        assert_eq!(taken, confirmation.is_some());
        let seen = self.read_from(before);
        if taken {
            assert!(!full, "the window is exceeded");
            assert_eq!((seen.qos1.len(), seen.qos0), (1, 0));
            self.waits.push(wait);
            self.remember(seen.qos1[0], Owner::Direct(self.waits.len() - 1));
        } else {
            assert_eq!((seen.qos1.len(), seen.qos0), (0, 1));
        }
    }

    fn deliver(&mut self, qos: QoS, payload: usize) {
        let payload = vec![b'y'; payload];
        let topic = TopicName::parse(TOPIC).expect("valid");
        let delivery = Delivery { topic, qos, properties: Properties::EMPTY, payload: &payload };
        let permit = self.permit();
        let before = self.out.len();
        let session = self.session.as_mut().expect("open");
        let full = session.inflight() == self.window;
        let delivered = session.deliver(&delivery, permit, self.now, &mut self.out);
        let publish = self.outgoing(qos == QoS::AtLeastOnce, Properties::EMPTY, &payload);
        let length = publish_len(&publish, self.terms.version);
        if delivered == Delivered::Sent {
            let seen = self.read_from(before);
            assert_eq!(seen.qos1.len() + seen.qos0, 1);
            assert!(self.out.len() <= self.terms.outbound_buffer_bytes);
            if let Some(id) = seen.qos1.first() {
                self.remember(*id, Owner::Publish);
            }
            return;
        }
        assert_eq!(self.out.len(), before, "nothing is written for {delivered:?}");
        match delivered {
            Delivered::Throttled => assert!(self.terms.rate.is_some()),
            Delivered::WindowFull => assert!(full && qos == QoS::AtLeastOnce),
            Delivered::TooLarge => assert!(length > self.packet_size_max()),
            Delivered::NotWritable => assert!(before + length > self.terms.outbound_buffer_bytes),
            Delivered::Sent => {}
        }
    }

    fn acknowledge(&mut self, id: u16, code: ReasonCode) {
        let version = self.terms.version;
        let reason = if version == Version::V5 { code } else { ReasonCode::Success };
        let packet_id = PacketId::new(id).expect("not 0");
        let ack = Packet::PubAck(Ack { packet_id, reason, properties: Properties::EMPTY });
        let owner = self.unacknowledged.remove(&id);
        let expected = match owner {
            Some(Owner::Direct(at)) if self.waits[at].fate() == Fate::Waiting => Some(at),
            Some(Owner::Direct(_) | Owner::Publish) | None => None,
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

    /// Steps from deadline to deadline, as the node's timers do.
    fn pass(&mut self, duration: Duration) {
        let until = self.now.after(duration);
        while let Some(session) = &self.session {
            let next = session.poll_timeout().map_or(until, |next| next.max(self.now).min(until));
            self.now = next;
            self.handle_due();
            if next == until {
                break;
            }
        }
        self.now = until;
    }

    fn handle_due(&mut self) {
        let Some(session) = &mut self.session else { return };
        while let Some(waiter) = session.poll_expired(self.now) {
            waiter.settle(Fate::TimedOut);
        }
        for wait in &self.waits {
            let overdue = wait.fate() == Fate::Waiting && wait.deadline <= self.now;
            assert!(!overdue, "a deadline passed unnoticed");
            assert!(wait.fate() != Fate::TimedOut || wait.deadline <= self.now, "too early");
        }
        let silent = self.keep_alive.is_some_and(|k| self.last_received.after(k) <= self.now);
        let over = self.life_ends.is_some_and(|ends| ends <= self.now);
        match session.handle_timeout(self.now) {
            Some(CloseReason::WebSocketExpired) => assert!(over),
            Some(CloseReason::KeepAliveTimeout) => assert!(silent && !over),
            Some(other) => panic!("not a timeout: {other:?}"),
            None => return assert!(!silent && !over),
        }
        self.close();
    }

    fn ping(&mut self) {
        let before = self.out.len();
        let bytes = bytes_of(&Packet::PingReq, self.terms.version);
        assert!(matches!(self.receive(&bytes), Answer::Nothing));
        assert_eq!(self.read_from(before).pongs, 1);
    }

    fn publish(&mut self, qos: QoS, named: Option<bool>, alias: Option<u16>) {
        let version = self.terms.version;
        let alias = alias.filter(|alias| version == Version::V5 && *alias > 0);
        // A topic alias of 0 does not decode, and a publish without both is no packet.
        let named = named.or_else(|| alias.is_none().then_some(true));
        let properties = alias.map(|alias| property(Property::TopicAlias(alias)));
        let properties = properties.as_ref().map_or(Properties::EMPTY, PropertiesBuf::as_properties);
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

    fn disconnect(&mut self, with_will: bool, expiry: Option<u32>) {
        let version = self.terms.version;
        let with_will = with_will && version == Version::V5;
        let expiry = expiry.filter(|_| version == Version::V5);
        let properties = expiry.map(|expiry| property(Property::SessionExpiryInterval(expiry)));
        let properties = properties.as_ref().map_or(Properties::EMPTY, PropertiesBuf::as_properties);
        let reason =
            if with_will { ReasonCode::DisconnectWithWill } else { ReasonCode::Success };
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
        let (packet, _) = mqtt::decode(bytes, self.terms.version, 1 << 20)
            .expect("well-formed")
            .expect("whole");
        let session = self.session.as_mut().expect("open");
        match session.handle_packet(packet, self.now, &mut self.out) {
            Step::Nothing => Answer::Nothing,
            Step::Settled(waiter, settlement) => Answer::Settled(waiter, settlement),
            Step::Publish(_) => Answer::Published,
            Step::Throttled(_) => Answer::Throttled,
            Step::Disconnect { reason, session_expiry_seconds } => {
                Answer::Disconnected(reason, session_expiry_seconds)
            }
            Step::Close(reason) => Answer::Close(reason),
            Step::Subscribe(_) | Step::Unsubscribe(_) => panic!("nothing was subscribed"),
        }
    }

    fn remember(&mut self, id: u16, owner: Owner) {
        let taken = self.unacknowledged.insert(id, owner);
        assert!(taken.is_none(), "packet ID {id} was reused while {taken:?} waits for its PUBACK");
        self.written.push(id);
    }

    fn read_from(&self, before: usize) -> crate::client::Seen {
        read(&self.out[before..], self.terms.version, self.packet_size_max())
    }

    fn packet_size_max(&self) -> usize {
        let announced = self.terms.maximum_packet_size.filter(|_| self.terms.version == Version::V5);
        announced.map_or(usize::MAX, |max| max as usize)
    }

    fn permit(&self) -> ReceivePermit {
        let topic = TopicName::parse(TOPIC).expect("valid");
        self.access.receive(&self.peer, topic, self.now).expect("anybody may do everything")
    }

    fn outgoing<'a>(
        &self,
        confirmed: bool,
        properties: Properties<'a>,
        payload: &'a [u8],
    ) -> Publish<'a> {
        let qos = if confirmed { QoS::AtLeastOnce } else { QoS::AtMostOnce };
        let topic = TopicName::parse(TOPIC).ok();
        Publish { dup: false, qos, retain: false, topic, packet_id: None, properties, payload }
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
