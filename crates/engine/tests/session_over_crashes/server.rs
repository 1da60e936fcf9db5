//! The server: a session, its memory and the journal, driven as a broker drives them.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use engine::access::{Access, Peer, ReceivePermit};
use engine::direct::DirectMessage;
use engine::directory::Principal;
use engine::limits::{Bounds, Quotas};
use engine::message::{Publication, Shared};
use engine::queue::Entry;
use engine::session::{
    Change, Delivered, Delivery, Granted, Lifetime, Memory, Rules, Session, Step, negotiate,
};
use engine::{Moment, Ticket};
use mqtt::{
    ClientId, Connect, Packet, PacketId, Properties, PropertiesBuf, Property, QoS, TopicName,
    Version,
};

use crate::journal::Journal;
use crate::operation::Terms;
use crate::wire::{Number, first, number};

/// Marks the number of a direct message.
const DIRECT: Number = 1 << 31;

pub struct Server {
    terms: Terms,
    rules: Arc<Rules>,
    granted: Granted,
    access: Access,
    peer: Peer,
    now: Moment,
    session: Option<Session<()>>,
    /// While there is no connection.
    memory: Option<Box<Memory>>,
    pub journal: Journal,
    /// What has to be durable before the session is to be told.
    awaited: Option<Ticket>,
    out: Vec<u8>,
    /// How many bytes of it were looked at.
    checked: usize,
    /// The messages sent on this connection and not acknowledged, by packet ID.
    sent: HashMap<u16, Number>,
    /// The messages of the client, by packet ID.
    taking: HashMap<u16, Number>,
    next: Number,
    /// The messages to the client that are kept, and when they are durable.
    pub promised: Vec<(Ticket, QoS, Number)>,
}

impl Server {
    pub fn new(terms: &Terms) -> Self {
        let quotas = Quotas {
            outbound_unacknowledged: terms.window,
            inbound_unacknowledged: terms.inbound,
            queued_messages: terms.queued,
            ..terms.profile.quotas.without_rates()
        };
        let rules = Arc::new(Rules::new(terms.profile, quotas, &Bounds::default()));
        let mut server = Server {
            granted: granted(terms, &rules),
            terms: terms.clone(),
            rules,
            access: Access::new(policy::Scope::new("us-west-2", "123456789012"), 0, Arc::default()),
            peer: Peer {
                principal: Principal::anonymous(),
                source: SocketAddr::from(([127, 0, 0, 1], 40_000)),
                secure: true,
                client_id: Some(ClientId::parse("lamp").expect("valid")),
                thing: None,
            },
            now: Moment::from_micros(1_000_000),
            session: None,
            memory: None,
            journal: Journal::default(),
            awaited: None,
            out: Vec::new(),
            checked: 0,
            sent: HashMap::new(),
            taking: HashMap::new(),
            next: 0,
            promised: Vec::new(),
        };
        server.begin();
        server
    }

    /// An earlier process sent messages at QoS 2 and crashed.
    fn begin(&mut self) {
        if self.terms.profile.maximum_qos < QoS::ExactlyOnce {
            return;
        }
        for id in self.terms.bound.clone() {
            let number = self.next;
            self.next += 1;
            let entry = Entry {
                message: Shared::new(publication(QoS::ExactlyOnce, &number.to_be_bytes())).keep(),
                seq: u64::from(number),
                qos: QoS::ExactlyOnce,
                retain: false,
                identifiers: Box::default(),
            };
            for packet_id in [None, PacketId::new(id)] {
                let change = Change::Kept { entry: entry.clone(), packet_id };
                let ticket = self.journal.write(vec![change], None);
                self.promised.push((ticket, entry.qos, number));
            }
        }
        self.journal.commit(usize::MAX);
        self.crash();
    }

    pub fn is_connected(&self) -> bool {
        self.session.is_some()
    }

    /// Whether nothing is kept of any message, in memory or durably.
    pub fn is_settled(&self) -> bool {
        let idle = self.session.as_ref().is_some_and(|session| {
            session.inflight() == 0 && !session.has_backlog() && !session.has_changes()
        });
        idle && self.journal.kept.messages.is_empty() && self.journal.kept.received.is_empty()
    }

    pub fn connect(&mut self) {
        self.part();
        let lifetime = Lifetime::Store(self.journal.latest());
        let (rules, memory) = (Arc::clone(&self.rules), self.memory.take());
        self.session = Some(Session::new(rules, &self.granted, lifetime, memory, self.now, None));
        self.send_backlog();
    }

    /// The connection ends, if there is one; the session stays.
    pub fn part(&mut self) {
        self.out.clear();
        self.checked = 0;
        self.sent.clear();
        self.taking.clear();
        self.awaited = None;
        if let Some(mut session) = self.session.take() {
            self.memory = session.suspend();
            self.journal.write(session.take_changes(), None);
        }
    }

    pub fn crash(&mut self) {
        self.session = None;
        self.part();
        self.memory = Some(self.journal.crash(&self.rules.queued));
        let journal = &self.journal;
        self.promised.retain(|(ticket, ..)| journal.is_durable(*ticket));
    }

    /// More becomes durable, and whoever waits for it is told.
    pub fn commit(&mut self, groups: usize) {
        let durable = self.journal.commit(groups);
        let Some(awaited) = self.awaited.take_if(|awaited| *awaited <= durable) else { return };
        let session = self.session.as_mut().expect("who waits is connected");
        session.release(awaited, &mut self.out);
        self.keep(None);
    }

    /// Somebody publishes to the client.
    pub fn deliver(&mut self, qos: QoS) {
        let number = self.next;
        let payload = number.to_be_bytes();
        self.next += 1;
        let message = Shared::new(publication(qos, &payload));
        let delivery = Delivery { message: &message, qos, retain: false, identifiers: &[] };
        let permit = self.permit();
        let (taken, ticket) = match &mut self.session {
            Some(session) => {
                let delivered = session.deliver(&delivery, permit, self.now, &mut self.out);
                let taken = match delivered {
                    Delivered::Sent | Delivered::Queued => true,
                    Delivered::QueueFull | Delivered::NotWritable => false,
                    Delivered::Throttled | Delivered::TooLarge => panic!("{delivered:?}"),
                };
                (taken, self.keep(None))
            }
            None if qos == QoS::AtMostOnce => return,
            None => {
                let rules = &self.rules;
                let memory =
                    self.memory.get_or_insert_with(|| Box::new(Memory::new(&rules.queued)));
                let mut made = Vec::new();
                let queued = memory.enqueue(&delivery, rules, self.now, |change| made.push(change));
                (queued.is_ok(), self.journal.write(made, None))
            }
        };
        if taken && qos != QoS::AtMostOnce {
            assert_ne!(ticket, Ticket::NONE, "a message that is taken is kept");
            self.promised.push((ticket, qos, number));
        }
    }

    /// A confirmed direct message.
    pub fn send_direct(&mut self) {
        let payload = (self.next | DIRECT).to_be_bytes();
        self.next += 1;
        let message = DirectMessage {
            topic: TopicName::parse("direct").expect("valid"),
            payload: &payload,
            properties: Properties::EMPTY,
            optional: None,
            confirmation: Some(Duration::from_secs(5)),
            deadline: None,
        };
        let permit = self.permit();
        let Some(session) = &mut self.session else { return };
        // There may be no room.
        let _ = session.send_direct(&message, permit, || (), self.now, &mut self.out);
        self.keep(None);
    }

    /// Time passes. What is due is done, and is not due any more afterwards.
    pub fn pass(&mut self, millis: u64) {
        self.now = self.now.after(Duration::from_millis(millis));
        let Some(session) = &mut self.session else { return };
        while session.poll_expired(self.now).is_some() {}
        if session.handle_timeout(self.now, &mut self.out).is_some() {
            return self.part();
        }
        self.send_backlog();
        let due = self.session.as_ref().and_then(Session::poll_timeout);
        assert!(due.is_none_or(|due| due > self.now), "it stays due");
    }

    /// The next packet that reaches the client.
    pub fn poll_packet(&mut self) -> Option<Vec<u8>> {
        if self.out.is_empty() {
            return None;
        }
        let length = first(&self.out, self.terms.version).1;
        let packet = self.out.drain(..length).collect();
        self.checked -= length;
        if self.out.is_empty() {
            // There is room.
            self.send_backlog();
        }
        Some(packet)
    }

    /// One packet of the client.
    pub fn handle(&mut self, bytes: &[u8]) {
        let (packet, _) = first(bytes, self.terms.version);
        let message = match &packet {
            Packet::Publish(publish) => Some(number(publish)),
            Packet::PubAck(ack) | Packet::PubComp(ack) => {
                self.sent.remove(&ack.packet_id.get());
                None
            }
            _ => None,
        };
        let Some(session) = &mut self.session else { return };
        match session.handle_packet(packet, self.now, &mut self.out) {
            Step::Nothing | Step::Acknowledged | Step::Settled(..) => self.send_backlog(),
            Step::Publish(incoming) => {
                if let (Some(id), Some(message)) = (incoming.packet_id, message) {
                    self.take(id, incoming.qos, message);
                }
            }
            Step::Repeated(id) => {
                let message = message.expect("a PUBLISH");
                assert_eq!(self.journal.times_taken(message), 1, "a message was never taken");
                self.acknowledge(id, QoS::ExactlyOnce, message, self.journal.latest());
            }
            other => panic!("the client did nothing wrong: {other:?}"),
        }
    }

    fn take(&mut self, id: PacketId, qos: QoS, message: Number) {
        if qos == QoS::ExactlyOnce {
            assert_eq!(self.journal.times_taken(message), 0, "a message is taken twice");
            self.session.as_mut().expect("connected").receive(id);
        }
        let durable = self.keep(Some(message));
        self.acknowledge(id, qos, message, durable);
    }

    fn acknowledge(&mut self, id: PacketId, qos: QoS, message: Number, durable: Ticket) {
        self.taking.insert(id.get(), message);
        let session = self.session.as_mut().expect("connected");
        session.acknowledge(id, qos, None, durable, &mut self.out);
        self.keep(None);
    }

    fn send_backlog(&mut self) {
        let permit = || self.access.receive(&self.peer, topic(), self.now).expect("anybody may");
        let Some(session) = &mut self.session else { return };
        while let Some(owed) = session.poll_backlog(self.now, &mut self.out) {
            let delivered = session.send_owed(owed, permit(), self.now, &mut self.out);
            assert_eq!(delivered, Delivered::Sent);
        }
        self.keep(None);
    }

    /// Writes what changed, and has the session told once what it waits for is durable.
    fn keep(&mut self, taken: Option<Number>) -> Ticket {
        let Some(session) = &mut self.session else { return Ticket::NONE };
        let ticket = self.journal.write(session.take_changes(), taken);
        session.seal(ticket);
        while let Some(awaited) = session.expect_release() {
            if !self.journal.is_durable(awaited) {
                self.awaited = Some(awaited);
                break;
            }
            session.release(awaited, &mut self.out);
        }
        self.check();
        ticket
    }

    /// Looks at what was written since the last time: nothing says what a crash could make untrue.
    fn check(&mut self) {
        let out = std::mem::take(&mut self.out);
        while self.checked < out.len() {
            let (packet, length) = first(&out[self.checked..], self.terms.version);
            self.check_packet(&packet);
            self.checked += length;
        }
        self.out = out;
    }

    fn check_packet(&mut self, packet: &Packet<'_>) {
        let kept = &self.journal.kept;
        let is_taken = |id: PacketId| kept.taken.contains(&self.taking[&id.get()]);
        match packet {
            Packet::PubAck(ack) => assert!(is_taken(ack.packet_id), "too early: {packet:?}"),
            Packet::PubRec(ack) => {
                let durable = is_taken(ack.packet_id) && kept.received.contains(&ack.packet_id);
                assert!(durable, "too early: {packet:?}");
            }
            Packet::PubComp(ack) => {
                assert!(!kept.received.contains(&ack.packet_id), "too early: {packet:?}");
            }
            Packet::PubRel(ack) => {
                assert!(!kept.is_unreleased(ack.packet_id), "too early: {packet:?}");
            }
            Packet::Publish(publish) => {
                let message = number(publish);
                let Some(id) = publish.packet_id else { return };
                if publish.qos == QoS::ExactlyOnce {
                    assert!(kept.is_bound(id, message), "too early: {packet:?}");
                }
                if let Some(before) = self.sent.insert(id.get(), message) {
                    assert_eq!(before, message, "{id:?} is taken");
                    assert!(self.terms.profile.resend_after.is_some() && message < DIRECT);
                }
                assert!(self.sent.len() <= usize::from(self.terms.window), "window exceeded");
            }
            other => panic!("a session does not send {other:?}"),
        }
    }

    fn permit(&self) -> ReceivePermit {
        self.access.receive(&self.peer, topic(), self.now).expect("anybody may")
    }
}

fn publication(qos: QoS, payload: &[u8]) -> Publication<'_> {
    let properties = Properties::EMPTY;
    Publication { topic: topic(), qos, retain: false, properties, payload, expires: None }
}

fn topic() -> TopicName<'static> {
    TopicName::parse("down").expect("valid")
}

fn granted(terms: &Terms, rules: &Rules) -> Granted {
    let mut properties = PropertiesBuf::new();
    if terms.version == Version::V5 {
        properties.push(Property::SessionExpiryInterval(3_600)).expect("valid");
        properties.push(Property::TopicAliasMaximum(terms.aliases)).expect("valid");
    }
    let connect = Connect {
        version: terms.version,
        clean_start: false,
        keep_alive: 0,
        client_id: "lamp",
        properties: properties.as_properties(),
        will: None,
        username: None,
        password: None,
    };
    negotiate(&connect, rules, || unreachable!("it has a client ID")).expect("acceptable")
}
