//! A device on an in-memory transport.

use std::sync::Arc;
use std::time::Duration;

use broker::{Entrance, Node, Serving, Transport};
use engine::directory::Principal;
use mqtt::{
    Ack, Connect, Packet, PacketId, Properties, PropertiesBuf, Property, Publish, QoS, ReasonCode,
    Subscribe, SubscribeOptions, TopicName, Version, Will,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

/// How long a test waits for what must come.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// What a device got.
#[derive(Debug, PartialEq, Eq)]
pub enum Got {
    ConnAck {
        session_present: bool,
        reason: ReasonCode,
    },
    Publish {
        topic: String,
        payload: Vec<u8>,
        id: Option<u16>,
    },
    /// A message with the RETAIN flag.
    Retained {
        topic: String,
        payload: Vec<u8>,
        id: Option<u16>,
    },
    /// A message that was sent before.
    Again {
        topic: String,
        payload: Vec<u8>,
        id: Option<u16>,
    },
    PubAck(u16),
    /// A PUBACK or PUBREC that refuses the message.
    Refused(ReasonCode),
    PubRec(u16),
    PubRel(u16),
    PubComp(u16),
    SubAck(Vec<ReasonCode>),
    Pong,
    Disconnect(ReasonCode),
    /// The end of the connection.
    End,
}

/// What a device says in its CONNECT.
#[derive(Clone, Copy)]
pub struct Wish<'a> {
    pub version: Version,
    pub clean: bool,
    pub expiry: Option<u32>,
    pub will: Option<Will<'a>>,
    /// Bytes that the transport holds in each direction.
    pub pipe: usize,
    pub receive_maximum: Option<u16>,
}

impl Default for Wish<'_> {
    fn default() -> Self {
        let (pipe, receive_maximum) = (64 * 1024, None);
        Wish { version: Version::V5, clean: true, expiry: None, will: None, pipe, receive_maximum }
    }
}

pub struct Device {
    io: DuplexStream,
    version: Version,
    inbox: Vec<u8>,
}

/// A transport into the node, served by it.
pub fn open(node: &Arc<Node>, pipe: usize) -> DuplexStream {
    let (ours, theirs) = tokio::io::duplex(pipe);
    serve(node, theirs);
    ours
}

/// Has the node serve a transport.
pub fn serve(node: &Arc<Node>, transport: impl Transport + 'static) {
    let entrance = Entrance {
        principal: Principal::anonymous(),
        source: ([127, 0, 0, 1], 1).into(),
        secure: true,
        life: None,
    };
    tokio::spawn(Serving::new(Arc::clone(node), Box::new(transport), entrance));
}

/// The bytes of a CONNECT.
pub fn connect_bytes(client_id: &str, wish: &Wish<'_>) -> Vec<u8> {
    let mut properties = PropertiesBuf::new();
    if let Some(expiry) = wish.expiry {
        properties.push(Property::SessionExpiryInterval(expiry)).expect("valid");
    }
    if let Some(maximum) = wish.receive_maximum {
        properties.push(Property::ReceiveMaximum(maximum)).expect("valid");
    }
    let connect = Connect {
        version: wish.version,
        clean_start: wish.clean,
        keep_alive: 60,
        client_id,
        properties: properties.as_properties(),
        will: wish.will,
        username: None,
        password: None,
    };
    let mut bytes = Vec::new();
    connect.encode(wish.version, &mut bytes).expect("valid");
    bytes
}

impl Device {
    /// A device over a transport on which nothing was said yet.
    pub fn over(io: DuplexStream, version: Version) -> Self {
        Device { io, version, inbox: Vec::new() }
    }

    /// Connects and must be let in; says whether an older session was there.
    pub async fn connect_with(node: &Arc<Node>, client_id: &str, wish: Wish<'_>) -> (Self, bool) {
        let mut device = Device::over(open(node, wish.pipe), wish.version);
        device.write(&connect_bytes(client_id, &wish)).await;
        let answer = device.next().await;
        let Got::ConnAck { session_present, reason: ReasonCode::Success } = answer else {
            panic!("not let in: {answer:?}")
        };
        (device, session_present)
    }

    pub async fn connect(node: &Arc<Node>, client_id: &str) -> Self {
        Device::connect_with(node, client_id, Wish::default()).await.0
    }

    /// Writes; a connection that the node has ended already takes nothing, which is no failure.
    pub async fn write(&mut self, bytes: &[u8]) {
        let _ = self.io.write_all(bytes).await;
    }

    pub async fn send(&mut self, packet: &Packet<'_>) {
        let mut bytes = Vec::new();
        packet.encode(self.version, &mut bytes).expect("valid");
        self.write(&bytes).await;
    }

    pub async fn acknowledge(&mut self, id: u16, reason: ReasonCode) {
        let packet_id = PacketId::new(id).expect("not 0");
        self.send(&Packet::PubAck(Ack { packet_id, reason, properties: Properties::EMPTY })).await;
    }

    pub async fn publish(&mut self, topic: &str, payload: &[u8], id: Option<u16>) {
        let qos = if id.is_some() { QoS::AtLeastOnce } else { QoS::AtMostOnce };
        self.publish_at(qos, topic, payload, id).await;
    }

    pub async fn publish_at(&mut self, qos: QoS, topic: &str, payload: &[u8], id: Option<u16>) {
        self.send(&Packet::Publish(Publish { qos, ..message(topic, payload, id) })).await;
    }

    /// Publishes at QoS 1 a message that lives so many seconds, and waits for the PUBACK.
    pub async fn publish_for(&mut self, seconds: u32, topic: &str, payload: &[u8]) {
        let mut properties = PropertiesBuf::default();
        properties.push(Property::MessageExpiryInterval(seconds)).expect("valid");
        let properties = properties.as_properties();
        let qos = QoS::AtLeastOnce;
        let publish = Publish { qos, properties, ..message(topic, payload, Some(78)) };
        self.send(&Packet::Publish(publish)).await;
        assert_eq!(self.next().await, Got::PubAck(78));
    }

    /// Publishes at QoS 1 with RETAIN and waits for the PUBACK.
    pub async fn retain(&mut self, topic: &str, payload: &[u8]) {
        self.send_retained(topic, payload, 77).await;
        assert_eq!(self.next().await, Got::PubAck(77));
    }

    /// Publishes at QoS 1 with RETAIN.
    pub async fn send_retained(&mut self, topic: &str, payload: &[u8], id: u16) {
        let (retain, qos) = (true, QoS::AtLeastOnce);
        self.send(&Packet::Publish(Publish { retain, qos, ..message(topic, payload, Some(id)) }))
            .await;
    }

    /// Acknowledges a message at QoS 2, or goes on with one of its own.
    pub async fn say(&mut self, packet: fn(Ack<'static>) -> Packet<'static>, id: u16) {
        let packet_id = PacketId::new(id).expect("not 0");
        let properties = Properties::EMPTY;
        self.send(&packet(Ack { packet_id, reason: ReasonCode::Success, properties })).await;
    }

    /// Subscribes at QoS 1 and gives the SUBACK's codes.
    pub async fn subscribe(&mut self, filters: &[&str]) -> Vec<ReasonCode> {
        self.subscribe_at(QoS::AtLeastOnce, filters).await;
        let answer = self.next().await;
        let Got::SubAck(reasons) = answer else { panic!("no SUBACK: {answer:?}") };
        reasons
    }

    /// Sends a SUBSCRIBE.
    pub async fn subscribe_at(&mut self, qos: QoS, filters: &[&str]) {
        let options = SubscribeOptions { qos, ..SubscribeOptions::default() };
        self.send(&Packet::Subscribe(Subscribe {
            packet_id: PacketId::new(1).expect("not 0"),
            properties: Properties::EMPTY,
            filters: filters.iter().map(|filter| (*filter, options)).collect(),
        }))
        .await;
    }

    /// Reads at most so many bytes, for later.
    pub async fn read_some(&mut self, bytes: usize) {
        let mut some = vec![0; bytes];
        let length = self.io.read(&mut some).await.expect("an open connection");
        self.inbox.extend_from_slice(&some[..length]);
    }

    /// The next thing the node says.
    pub async fn next(&mut self) -> Got {
        tokio::time::timeout(PATIENCE, self.read()).await.expect("something in time")
    }

    /// The next thing the node says, however long it takes.
    pub async fn read(&mut self) -> Got {
        loop {
            let decoded = mqtt::decode(&self.inbox, self.version, 1 << 20).expect("well-formed");
            if let Some((packet, length)) = decoded {
                let got = got(&packet);
                self.inbox.drain(..length);
                return got;
            }
            match self.io.read_buf(&mut self.inbox).await {
                Ok(0) | Err(_) => return Got::End,
                Ok(_) => {}
            }
        }
    }

    /// The packet identifier of the direct message that comes next.
    pub async fn next_id(&mut self) -> u16 {
        let got = self.next().await;
        let Got::Publish { id: Some(id), .. } = got else { panic!("no QoS 1 message: {got:?}") };
        id
    }

    /// A round trip that passes so many messages.
    pub async fn ping_after(&mut self, messages: usize) {
        for _ in 0..messages {
            self.next_id().await;
        }
        self.ping().await;
    }

    /// A round trip, after which everything sent before has been dealt with.
    pub async fn ping(&mut self) {
        self.send(&Packet::PingReq).await;
        assert_eq!(self.next().await, Got::Pong);
    }
}

fn message<'a>(topic: &'a str, payload: &'a [u8], id: Option<u16>) -> Publish<'a> {
    Publish {
        dup: false,
        qos: QoS::AtMostOnce,
        retain: false,
        topic: TopicName::parse(topic).ok(),
        packet_id: id.and_then(PacketId::new),
        properties: Properties::EMPTY,
        payload,
    }
}

fn got(packet: &Packet<'_>) -> Got {
    match packet {
        Packet::ConnAck(connack) => {
            Got::ConnAck { session_present: connack.session_present, reason: connack.reason }
        }
        Packet::Publish(publish) => {
            let topic = publish.topic.expect("no aliases").as_str().to_owned();
            let payload = publish.payload.to_vec();
            let id = publish.packet_id.map(PacketId::get);
            match (publish.dup, publish.retain) {
                (false, false) => Got::Publish { topic, payload, id },
                (false, true) => Got::Retained { topic, payload, id },
                (true, _) => Got::Again { topic, payload, id },
            }
        }
        Packet::PubAck(ack) | Packet::PubRec(ack) if ack.reason.is_error() => {
            Got::Refused(ack.reason)
        }
        Packet::PubRec(ack) => Got::PubRec(ack.packet_id.get()),
        Packet::PubRel(ack) => Got::PubRel(ack.packet_id.get()),
        Packet::PubComp(ack) => Got::PubComp(ack.packet_id.get()),
        Packet::PubAck(ack) => Got::PubAck(ack.packet_id.get()),
        Packet::SubAck(suback) => Got::SubAck(suback.reasons.clone()),
        Packet::PingResp => Got::Pong,
        Packet::Disconnect(disconnect) => Got::Disconnect(disconnect.reason),
        Packet::Connect(_)
        | Packet::Subscribe(_)
        | Packet::Unsubscribe(_)
        | Packet::UnsubAck(_)
        | Packet::PingReq
        | Packet::Auth(_) => panic!("unexpected: {packet:?}"),
    }
}
