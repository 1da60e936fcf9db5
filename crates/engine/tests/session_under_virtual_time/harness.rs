//! Drives a session and holds it to the model after every step.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use engine::Moment;
use engine::access::{Access, Peer, ReceivePermit};
use engine::close::CloseReason;
use engine::direct::DirectMessage;
use engine::directory::Principal;
use engine::limits::{Bounds, Quotas};
use engine::message::{Publication, Shared};
use engine::outcome::DirectOutcome;
use engine::session::{Delivered, Delivery, Lifetime, Rules, Session, negotiate};
use mqtt::{
    ClientId, Connect, Properties, PropertiesBuf, Property, Publish, QoS, ReasonCode, TopicName,
    Version,
};

use crate::client::{Seen, property, publish_len, read};
use crate::operation::{Operation, Terms};
use crate::waiter::{Fate, Wait, Waiter};

const TOPIC: &str = "commands/reboot";

/// Who a packet identifier belongs to while it is unacknowledged.
#[derive(Clone, Copy, Debug)]
pub enum Owner {
    /// The wait with this index.
    Direct(usize),
    /// A message of publish-subscribe.
    Publish,
}

/// A session and what is known about it from outside.
pub struct Harness {
    pub terms: Terms,
    pub session: Option<Session<Waiter>>,
    access: Access,
    peer: Peer,
    pub now: Moment,
    pub last_received: Moment,
    keep_alive: Option<Duration>,
    life_ends: Option<Moment>,
    window: usize,
    pub out: Vec<u8>,
    pub waits: Vec<Wait>,
    pub unacknowledged: HashMap<u16, Owner>,
    written: Vec<u16>,
    pub aliases: HashSet<u16>,
}

impl Harness {
    pub fn new(terms: &Terms) -> Self {
        let quotas = Quotas {
            outbound_unacknowledged: terms.window,
            publishes_per_connection: terms.rate,
            ..Quotas::default()
        };
        let bounds =
            Bounds { outbound_buffer_bytes: terms.outbound_buffer_bytes, ..Bounds::default() };
        let rules = Arc::new(Rules::new(terms.profile, quotas, &bounds));
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
            session: Some(Session::new(
                rules,
                &granted,
                Lifetime::Connection,
                None,
                now,
                life_ends,
            )),
            access: Access::new(policy::Scope::new("us-west-2", "123456789012"), 0, Arc::default()),
            peer: Peer {
                principal: Principal::anonymous(),
                source: SocketAddr::from(([127, 0, 0, 1], 40_000)),
                secure: true,
                client_id: Some(ClientId::parse("lamp").expect("valid")),
                thing: None,
            },
            now,
            last_received: now,
            keep_alive: (keep_alive > 0)
                .then(|| Duration::from_millis(u64::from(keep_alive) * 1_500)),
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
        self.send_backlog();
    }

    /// Sends what waits, as the node does when there may be room.
    fn send_backlog(&mut self) {
        let Some(mut session) = self.session.take() else { return };
        let mut sent = Vec::new();
        loop {
            let before = self.out.len();
            let Some(owed) = session.poll_backlog(self.now, &mut self.out) else { break };
            let delivered = session.send_owed(owed, self.permit(), self.now, &mut self.out);
            assert_eq!(delivered, Delivered::Sent, "what does not fit is not queued");
            sent.extend(self.read_from(before).qos1);
        }
        self.session = Some(session);
        sent.into_iter().for_each(|id| self.remember(id, Owner::Publish));
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
        let waiting: Vec<_> = self.waits.iter().map(|wait| wait.fate() == Fate::Waiting).collect();
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
        let properties =
            properties.as_ref().map_or(Properties::EMPTY, PropertiesBuf::as_properties);
        let topic = TopicName::parse(TOPIC).expect("valid");
        let message = DirectMessage {
            topic,
            payload,
            properties,
            optional: None,
            confirmation,
            deadline: None,
        };
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
        let no_room = before > 0 && before + length > self.terms.outbound_buffer_bytes;
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
        let room = self.terms.outbound_buffer_bytes;
        assert!(before == 0 || self.out.len() <= room, "more than the outbound buffer may hold");
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
        let message = Shared::new(Publication {
            topic,
            qos,
            retain: false,
            properties: Properties::EMPTY,
            payload: &payload,
            expires: None,
        });
        let delivery = Delivery { message: &message, qos, retain: false, identifiers: &[] };
        let permit = self.permit();
        let before = self.out.len();
        let session = self.session.as_mut().expect("open");
        let full = session.inflight() == self.window || session.has_backlog();
        let delivered = session.deliver(&delivery, permit, self.now, &mut self.out);
        let publish = self.outgoing(qos == QoS::AtLeastOnce, Properties::EMPTY, &payload);
        let length = publish_len(&publish, self.terms.version);
        if delivered == Delivered::Sent {
            let seen = self.read_from(before);
            assert_eq!(seen.qos1.len() + seen.qos0, 1);
            assert!(before == 0 || self.out.len() <= self.terms.outbound_buffer_bytes);
            if let Some(id) = seen.qos1.first() {
                self.remember(*id, Owner::Publish);
            }
            return;
        }
        assert_eq!(self.out.len(), before, "nothing is written for {delivered:?}");
        let no_room = before > 0 && before + length > self.terms.outbound_buffer_bytes;
        match delivered {
            Delivered::Throttled => assert!(self.terms.rate.is_some()),
            Delivered::Queued => assert!((full || no_room) && qos == QoS::AtLeastOnce),
            Delivered::QueueFull => panic!("the queue holds more than this"),
            Delivered::TooLarge => assert!(length > self.packet_size_max()),
            Delivered::NotWritable => assert!(no_room && qos == QoS::AtMostOnce),
            Delivered::Sent => {}
        }
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
        while let Some((_, waiter)) = session.poll_expired(self.now) {
            waiter.time_out();
        }
        for wait in &self.waits {
            let overdue = wait.fate() == Fate::Waiting && wait.deadline <= self.now;
            assert!(!overdue, "a deadline passed unnoticed");
            assert!(wait.fate() != Fate::TimedOut || wait.deadline <= self.now, "too early");
        }
        let silent = self.keep_alive.is_some_and(|k| self.last_received.after(k) <= self.now);
        let over = self.life_ends.is_some_and(|ends| ends <= self.now);
        match session.handle_timeout(self.now, &mut self.out) {
            Some(CloseReason::WebSocketExpired) => assert!(over),
            Some(CloseReason::KeepAliveTimeout) => assert!(silent && !over),
            Some(other) => panic!("not a timeout: {other:?}"),
            None => {
                assert!(!silent && !over);
                return self.send_backlog();
            }
        }
        self.close();
    }

    fn remember(&mut self, id: u16, owner: Owner) {
        let taken = self.unacknowledged.insert(id, owner);
        assert!(taken.is_none(), "packet ID {id} was reused while {taken:?} waits for its PUBACK");
        self.written.push(id);
    }

    pub fn read_from(&self, before: usize) -> Seen {
        read(&self.out[before..], self.terms.version, self.packet_size_max())
    }

    fn packet_size_max(&self) -> usize {
        let announced =
            self.terms.maximum_packet_size.filter(|_| self.terms.version == Version::V5);
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
