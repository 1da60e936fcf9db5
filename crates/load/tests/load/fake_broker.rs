//! A broker of a few lines, with a thread for each connection.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use mqtt::{
    Ack, AckKind, ConnAck, Connect, Packet, PacketId, Properties, Publish, QoS, ReasonCode, SubAck,
    Subscribe, TopicName, Version, decode,
};

/// What the broker does that others do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Habit {
    /// Nothing.
    Good,
    /// Every tenth message is lost.
    Loses,
    /// Every tenth message comes twice.
    Doubles,
    /// No session is there when its client comes again.
    Forgets,
    /// PUBREL is not answered.
    NeverCompletes,
}

/// Starts one; its threads end with the test's process.
pub fn start(habit: Habit) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let broker = Arc::new(Mutex::new(Broker { habit, count: 0, sessions: HashMap::new() }));
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let broker = Arc::clone(&broker);
            thread::spawn(move || serve(stream, &broker));
        }
    });
    address
}

struct Broker {
    habit: Habit,
    /// Messages so far.
    count: u64,
    /// By client ID.
    sessions: HashMap<String, Session>,
}

/// What a client has, there or not.
struct Session {
    stream: Option<TcpStream>,
    /// The other end of its last connection.
    client: SocketAddr,
    version: Version,
    kept: bool,
    topics: Vec<String>,
    last_id: u16,
    /// Topic and payload of what came while nobody was there; QoS 1.
    queue: Vec<(String, Vec<u8>)>,
}

/// One connection, until it ends.
fn serve(mut stream: TcpStream, broker: &Mutex<Broker>) {
    stream.set_nodelay(true).unwrap();
    let client = stream.peer_addr().unwrap();
    let (mut bytes, mut version, mut client_id) = (Vec::new(), Version::V5, String::new());
    let mut buffer = [0; 4096];
    while let Some(read) = stream.read(&mut buffer).ok().filter(|read| *read > 0) {
        bytes.extend_from_slice(&buffer[..read]);
        let mut used = 0;
        while let Some((packet, len)) = decode(&bytes[used..], version, 1 << 20).unwrap() {
            used += len;
            let mut broker = broker.lock().unwrap();
            if let Packet::Connect(connect) = packet {
                version = connect.version;
                client_id = connect.client_id.to_owned();
                broker.welcome(&connect, (&stream, client));
            } else {
                broker.handle(&packet, &client_id);
            }
        }
        bytes.drain(..used);
    }
    let mut broker = broker.lock().unwrap();
    let session = broker.sessions.get_mut(&client_id);
    if session.is_some_and(|session| session.leave(client)) {
        broker.sessions.remove(&client_id);
    }
}

impl Broker {
    fn welcome(&mut self, connect: &Connect<'_>, (stream, client): (&TcpStream, SocketAddr)) {
        let expiry = connect.properties.session_expiry_interval().unwrap_or(0);
        let kept = expiry > 0 && self.habit != Habit::Forgets;
        let earlier = self.sessions.remove(connect.client_id).filter(|_| !connect.clean_start);
        let session_present = earlier.is_some();
        let mut session = earlier.unwrap_or(Session {
            stream: None,
            client,
            version: connect.version,
            kept,
            topics: Vec::new(),
            last_id: 0,
            queue: Vec::new(),
        });
        (session.stream, session.client) = (Some(stream.try_clone().unwrap()), client);
        let (reason, properties) = (ReasonCode::Success, Properties::EMPTY);
        let connack = ConnAck { session_present, reason, properties };
        let mut out = Vec::new();
        connack.encode(connect.version, &mut out).unwrap();
        session.send(&out);
        for (topic, payload) in std::mem::take(&mut session.queue) {
            session.deliver(&topic, &payload, QoS::AtLeastOnce);
        }
        self.sessions.insert(connect.client_id.to_owned(), session);
    }

    fn handle(&mut self, packet: &Packet<'_>, client_id: &str) {
        let never_completes = self.habit == Habit::NeverCompletes;
        if let Packet::Publish(publish) = packet {
            self.forward(publish);
        }
        let session = self.sessions.get_mut(client_id).unwrap();
        match packet {
            Packet::Subscribe(subscribe) => session.subscribe(subscribe),
            Packet::Publish(publish) => match publish.qos {
                QoS::AtMostOnce => {}
                QoS::AtLeastOnce => {
                    session.acknowledge(AckKind::PubAck, publish.packet_id.unwrap());
                }
                QoS::ExactlyOnce => {
                    session.acknowledge(AckKind::PubRec, publish.packet_id.unwrap());
                }
            },
            Packet::PubRec(ack) => session.acknowledge(AckKind::PubRel, ack.packet_id),
            Packet::PubRel(ack) if !never_completes => {
                session.acknowledge(AckKind::PubComp, ack.packet_id);
            }
            Packet::PubAck(_) | Packet::PubRel(_) | Packet::PubComp(_) | Packet::Disconnect(_) => {}
            Packet::PingReq => session.send(&[0xD0, 0]),
            Packet::Connect(_)
            | Packet::ConnAck(_)
            | Packet::SubAck(_)
            | Packet::Unsubscribe(_)
            | Packet::UnsubAck(_)
            | Packet::PingResp
            | Packet::Auth(_) => panic!("a {} from a client", packet.name()),
        }
    }

    fn forward(&mut self, publish: &Publish<'_>) {
        self.count += 1;
        let times = match self.habit {
            Habit::Loses if self.count.is_multiple_of(10) => 0,
            Habit::Doubles if self.count.is_multiple_of(10) => 2,
            Habit::Loses
            | Habit::Doubles
            | Habit::Good
            | Habit::Forgets
            | Habit::NeverCompletes => 1,
        };
        let topic = publish.topic.unwrap().as_str();
        for session in self.sessions.values_mut() {
            if session.topics.iter().any(|own| own == topic) {
                for _ in 0..times {
                    session.deliver(topic, publish.payload, publish.qos);
                }
            }
        }
    }
}

impl Session {
    /// A connection is over: whether the session is too. It may have another connection by now.
    fn leave(&mut self, client: SocketAddr) -> bool {
        let own = self.client == client;
        if own {
            self.stream = None;
        }
        own && !self.kept
    }

    fn subscribe(&mut self, subscribe: &Subscribe<'_>) {
        let (topic, options) = subscribe.filters[0];
        let granted = match options.qos {
            QoS::AtMostOnce => ReasonCode::Success,
            QoS::AtLeastOnce => ReasonCode::GrantedQoS1,
            QoS::ExactlyOnce => ReasonCode::GrantedQoS2,
        };
        self.topics.push(topic.to_owned());
        let (packet_id, properties) = (subscribe.packet_id, Properties::EMPTY);
        let suback = SubAck { packet_id, properties, reasons: vec![granted] };
        let mut out = Vec::new();
        suback.encode(self.version, &mut out).unwrap();
        self.send(&out);
    }

    fn acknowledge(&mut self, kind: AckKind, packet_id: PacketId) {
        let (reason, properties) = (ReasonCode::Success, Properties::EMPTY);
        let mut out = Vec::new();
        Ack { packet_id, reason, properties }.encode(kind, self.version, &mut out).unwrap();
        self.send(&out);
    }

    /// Now, or when its client is there again.
    fn deliver(&mut self, topic: &str, payload: &[u8], qos: QoS) {
        if self.stream.is_none() {
            return self.queue.push((topic.to_owned(), payload.to_owned()));
        }
        self.last_id = self.last_id.checked_add(1).unwrap_or(1);
        let publish = Publish {
            dup: false,
            qos,
            retain: false,
            topic: Some(TopicName::parse(topic).unwrap()),
            packet_id: PacketId::new(self.last_id).filter(|_| qos != QoS::AtMostOnce),
            properties: Properties::EMPTY,
            payload,
        };
        let mut out = Vec::new();
        publish.encode(self.version, &mut out).unwrap();
        self.send(&out);
    }

    fn send(&mut self, bytes: &[u8]) {
        // The generator may have gone away at the end of a run.
        let _ = self.stream.as_mut().unwrap().write_all(bytes);
    }
}
