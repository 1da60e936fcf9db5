//! One connection: a CONNECT, then packets of the client and commands of the broker.

#![no_main]

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use engine::access::{Access, Peer};
use engine::close::CloseReason;
use engine::direct::DirectMessage;
use engine::directory::Principal;
use engine::limits::{Bounds, Quotas};
use engine::message::{Publication, Shared};
use engine::profile::{AWS, STANDARD};
use engine::session::{Delivery, Lifetime, Rules, Session, Step, negotiate};
use engine::{Moment, Ticket};
use libfuzzer_sys::fuzz_target;
use mqtt::{ClientId, Packet, Properties, QoS, TopicName, Version};

/// The largest packet taken in.
const LIMIT: usize = 256 * 1024;

// The first byte chooses the profile; then comes a CONNECT; then operations, each a byte that says
// what and, for bytes from the client, a packet.
fuzz_target!(|bytes: &[u8]| {
    let Some((choice, bytes)) = bytes.split_first() else { return };
    let profile = if choice & 1 == 0 { &AWS } else { &STANDARD };
    let quotas = Quotas { outbound_unacknowledged: 4, ..Quotas::default() };
    let bounds = Bounds { outbound_buffer_bytes: 4_096, ..Bounds::default() };
    let rules = Arc::new(Rules::new(profile, quotas, &bounds));
    let Ok(Some((Packet::Connect(connect), length))) = mqtt::decode(bytes, Version::V5, LIMIT)
    else {
        return;
    };
    let version = connect.version;
    let assign = || ClientId::parse("auto-1").expect("a constant");
    let mut out = Vec::new();
    match negotiate(&connect, &rules, assign) {
        Err(refusal) => {
            refusal.refuse(version, None, &mut out);
            read_all(&out, version);
        }
        Ok(granted) => {
            granted.accept(choice & 2 != 0, &rules, &mut out);
            let lifetime = if choice & 4 == 0 { Lifetime::Connection } else { Lifetime::Process };
            let session = Session::new(rules, &granted, lifetime, None, Moment::START, None);
            let (waiting, late) = (HashSet::new(), HashSet::new());
            let run = Run { session, version, now: Moment::START, out, sent: 0, waiting, late };
            run.drive(&bytes[length..]);
        }
    }
});

struct Run {
    session: Session<usize>,
    version: Version,
    now: Moment,
    out: Vec<u8>,
    /// How many confirmed direct messages were sent: the number of the next waiter.
    sent: usize,
    /// The waiters the session should have, in time.
    waiting: HashSet<usize>,
    /// Those whose time has passed and whose PUBACK may still come.
    late: HashSet<usize>,
}

impl Run {
    fn drive(mut self, mut bytes: &[u8]) {
        let access =
            Access::new(policy::Scope::new("us-west-2", "123456789012"), 0, Arc::default());
        let peer = Peer {
            principal: Principal::anonymous(),
            source: SocketAddr::from(([127, 0, 0, 1], 1)),
            secure: true,
            client_id: None,
            thing: None,
        };
        while let Some((operation, rest)) = bytes.split_first() {
            bytes = rest;
            let argument = operation >> 2;
            match operation & 3 {
                0 => match self.receive(bytes) {
                    Some(length) => bytes = &bytes[length..],
                    None => break,
                },
                1 => self.send(&access, &peer, argument),
                2 => self.now = self.now.after(Duration::from_millis(u64::from(argument) * 50)),
                _ => self.out.clear(),
            }
            self.send_backlog(&access, &peer);
            if !self.look_at_deadlines() {
                break;
            }
        }
        self.session.farewell(CloseReason::ServerShutdown, &mut self.out);
        read_all(&self.out, self.version);
    }

    /// One packet from the client; gives its length, or nothing at the end of the connection.
    fn receive(&mut self, bytes: &[u8]) -> Option<usize> {
        let Ok(Some((packet, length))) = mqtt::decode(bytes, self.version, LIMIT) else {
            return None;
        };
        match self.session.handle_packet(packet, self.now, &mut self.out) {
            Step::Settled(waiter, _) => {
                assert!(self.waiting.remove(&waiter) != self.late.remove(&waiter));
            }
            Step::Publish(incoming) => {
                if let Some(packet_id) = incoming.packet_id {
                    if incoming.qos == QoS::ExactlyOnce {
                        self.session.receive(packet_id);
                    }
                    let qos = incoming.qos;
                    self.session.acknowledge(packet_id, qos, None, Ticket::NONE, &mut self.out);
                }
            }
            Step::Repeated(packet_id) => {
                let qos = QoS::ExactlyOnce;
                self.session.acknowledge(packet_id, qos, None, Ticket::NONE, &mut self.out);
            }
            Step::Nothing
            | Step::Acknowledged
            | Step::Throttled(_)
            | Step::Subscribe(_)
            | Step::Unsubscribe(_) => {}
            Step::Disconnect { .. } | Step::Close(_) => return None,
        }
        Some(length)
    }

    fn send(&mut self, access: &Access, peer: &Peer, argument: u8) {
        let topic = TopicName::parse("commands/reboot").expect("a constant");
        let permit = access.receive(peer, topic, self.now).expect("anybody may");
        let payload = vec![0; usize::from(argument) * 16];
        let (payload, properties) = (payload.as_slice(), Properties::EMPTY);
        if argument & 1 == 0 {
            let of_it = [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce];
            let qos = of_it[usize::from(argument >> 1) % of_it.len()];
            let (retain, expires) = (false, None);
            let message =
                Shared::new(Publication { topic, qos, retain, properties, payload, expires });
            let delivery = Delivery { message: &message, qos, retain, identifiers: &[] };
            self.session.deliver(&delivery, permit, self.now, &mut self.out);
            return;
        }
        let confirmation = (argument & 2 == 0).then(|| Duration::from_secs(1));
        let message = DirectMessage {
            topic,
            payload,
            properties,
            optional: None,
            confirmation,
            deadline: None,
        };
        let waiter = self.sent;
        let sent = self.session.send_direct(&message, permit, || waiter, self.now, &mut self.out);
        if sent.is_ok() && confirmation.is_some() {
            self.sent += 1;
            self.waiting.insert(waiter);
        }
    }

    fn send_backlog(&mut self, access: &Access, peer: &Peer) {
        while let Some(owed) = self.session.poll_backlog(self.now, &mut self.out) {
            let topic = owed.entry().message.topic.clone();
            let permit = access.receive(peer, topic.as_name(), self.now).expect("anybody may");
            self.session.send_owed(owed, permit, self.now, &mut self.out);
        }
    }

    fn look_at_deadlines(&mut self) -> bool {
        while let Some((_, &mut waiter)) = self.session.poll_expired(self.now) {
            assert!(self.waiting.remove(&waiter) && self.late.insert(waiter));
        }
        assert_eq!(self.session.has_waiters(), !self.waiting.is_empty());
        let unacknowledged = self.waiting.len() + self.late.len();
        assert!((unacknowledged..=4).contains(&self.session.inflight()));
        self.session.handle_timeout(self.now, &mut self.out).is_none()
    }
}

/// Everything the client is sent is whole and well-formed.
fn read_all(mut bytes: &[u8], version: Version) {
    while !bytes.is_empty() {
        let (_, length) = mqtt::decode(bytes, version, LIMIT).expect("well-formed").expect("whole");
        bytes = &bytes[length..];
    }
}
