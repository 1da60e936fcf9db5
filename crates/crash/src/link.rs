//! One connection of a client.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use mqtt::{
    Ack, Connect, Disconnect, Packet, PacketId, Properties, PropertiesBuf, Property, Publish, QoS,
    ReasonCode, Version, decode,
};

use crate::stage::PATIENCE;

/// Above every packet of the load.
const MAX_PACKET: usize = 64 * 1024;
/// Longer than a run.
const SESSION_SECONDS: u32 = 24 * 60 * 60;

/// Why a connection is over.
#[derive(Debug)]
pub(crate) enum Lost {
    /// The server is gone, or was when it was called.
    Gone,
    /// The server said or did what it must not.
    Wrong(String),
}

/// What the server said.
#[derive(Debug)]
pub(crate) enum Heard {
    Message(Came),
    PubAck(u16, ReasonCode),
    PubRec(u16, ReasonCode),
    PubRel(u16),
    PubComp(u16),
    SubAck(Vec<ReasonCode>),
    UnsubAck,
}

/// A message that came.
#[derive(Debug)]
pub(crate) struct Came {
    pub(crate) topic: String,
    pub(crate) payload: Vec<u8>,
    pub(crate) qos: QoS,
    pub(crate) retain: bool,
    /// 0 at QoS 0.
    pub(crate) id: u16,
}

/// A connection that the server accepted.
pub(crate) struct Link {
    pub(crate) version: Version,
    stream: TcpStream,
    received: Vec<u8>,
    used: usize,
}

impl Link {
    /// Connects for a session that outlives the connection; in MQTT 3.1.1 a clean one does not. Also
    /// whether the server goes on with a session.
    pub(crate) fn open(
        address: SocketAddr,
        version: Version,
        client_id: &str,
        clean_start: bool,
    ) -> Result<(Self, bool), Lost> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        let mut link = Link { version, stream, received: Vec::new(), used: 0 };
        let mut properties = PropertiesBuf::new();
        if version == Version::V5 {
            let pushed = properties.push(Property::SessionExpiryInterval(SESSION_SECONDS));
            pushed.expect("a number is a property");
        }
        link.send(&Packet::Connect(Connect {
            version,
            clean_start,
            keep_alive: 0,
            client_id,
            properties: properties.as_properties(),
            will: None,
            username: None,
            password: None,
        }))?;
        let present = link.connack()?;
        Ok((link, present))
    }

    pub(crate) fn send(&mut self, packet: &Packet<'_>) -> Result<(), Lost> {
        let mut bytes = Vec::new();
        packet.encode(self.version, &mut bytes).expect("the packets of the load are well-formed");
        Ok(self.stream.write_all(&bytes)?)
    }

    /// PUBLISH.
    pub(crate) fn publish(&mut self, message: &Came, dup: bool) -> Result<(), Lost> {
        let topic = mqtt::TopicName::parse(&message.topic).expect("the topics of the load are");
        self.send(&Packet::Publish(Publish {
            dup,
            qos: message.qos,
            retain: message.retain,
            topic: Some(topic),
            packet_id: PacketId::new(message.id),
            properties: Properties::EMPTY,
            payload: &message.payload,
        }))
    }

    /// PUBACK, PUBREC, PUBREL or PUBCOMP.
    pub(crate) fn acknowledge(
        &mut self,
        kind: fn(Ack<'static>) -> Packet<'static>,
        id: u16,
    ) -> Result<(), Lost> {
        let packet_id = PacketId::new(id).expect("packet IDs begin at 1");
        let ack = Ack { packet_id, reason: ReasonCode::Success, properties: Properties::EMPTY };
        self.send(&kind(ack))
    }

    /// DISCONNECT, then the server's end of the connection.
    pub(crate) fn leave(mut self) {
        let reason = ReasonCode::Success;
        let goodbye = Packet::Disconnect(Disconnect { reason, properties: Properties::EMPTY });
        if self.send(&goodbye).is_ok() {
            // Whatever comes until then is for nobody.
            let mut rest = [0; 4096];
            while matches!(self.stream.read(&mut rest), Ok(1..)) {}
        }
    }

    /// What the server says within that time; nothing if it is silent.
    pub(crate) fn hear(&mut self, patience: Duration) -> Result<Option<Heard>, Lost> {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(heard) = self.take()? {
                return Ok(Some(heard));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || !self.read(left)? {
                return Ok(None);
            }
        }
    }

    /// Waits for more; false if the time is up.
    fn read(&mut self, patience: Duration) -> Result<bool, Lost> {
        self.received.drain(..self.used);
        self.used = 0;
        self.stream.set_read_timeout(Some(patience))?;
        let mut fresh = [0; 16 * 1024];
        match self.stream.read(&mut fresh) {
            Ok(0) => Err(Lost::Gone),
            Ok(count) => {
                self.received.extend_from_slice(&fresh[..count]);
                Ok(true)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn connack(&mut self) -> Result<bool, Lost> {
        loop {
            if let Some(present) = self.take_connack()? {
                return Ok(present);
            }
            if !self.read(PATIENCE)? {
                return Err(Lost::Wrong(format!("no CONNACK came within {PATIENCE:?}")));
            }
        }
    }

    fn take_connack(&mut self) -> Result<Option<bool>, Lost> {
        let decoded = decode(&self.received, self.version, MAX_PACKET);
        let decoded = decoded.map_err(|error| Lost::Wrong(error.to_string()))?;
        let Some((packet, length)) = decoded else { return Ok(None) };
        let Packet::ConnAck(connack) = packet else {
            return Err(Lost::Wrong(format!("{} came before CONNACK", packet.name())));
        };
        if connack.reason != ReasonCode::Success {
            return Err(Lost::Wrong(format!("CONNECT was answered {}", connack.reason)));
        }
        self.used = length;
        Ok(Some(connack.session_present))
    }

    fn take(&mut self) -> Result<Option<Heard>, Lost> {
        let decoded = decode(&self.received[self.used..], self.version, MAX_PACKET);
        let decoded = decoded.map_err(|error| Lost::Wrong(error.to_string()))?;
        let Some((packet, length)) = decoded else { return Ok(None) };
        let heard = heard(packet);
        self.used += length;
        heard.map(Some)
    }
}

fn heard(packet: Packet<'_>) -> Result<Heard, Lost> {
    Ok(match packet {
        Packet::Publish(publish) => Heard::Message(Came {
            topic: publish.topic.map_or_else(String::new, |topic| topic.as_str().to_owned()),
            payload: publish.payload.to_vec(),
            qos: publish.qos,
            retain: publish.retain,
            id: publish.packet_id.map_or(0, PacketId::get),
        }),
        Packet::PubAck(ack) => Heard::PubAck(ack.packet_id.get(), ack.reason),
        Packet::PubRec(ack) => Heard::PubRec(ack.packet_id.get(), ack.reason),
        Packet::PubRel(ack) => Heard::PubRel(ack.packet_id.get()),
        Packet::PubComp(ack) => Heard::PubComp(ack.packet_id.get()),
        Packet::SubAck(suback) => Heard::SubAck(suback.reasons),
        Packet::UnsubAck(_) => Heard::UnsubAck,
        Packet::Disconnect(disconnect) => {
            return Err(Lost::Wrong(format!("the server disconnected: {}", disconnect.reason)));
        }
        Packet::Connect(_)
        | Packet::ConnAck(_)
        | Packet::Subscribe(_)
        | Packet::Unsubscribe(_)
        | Packet::PingReq
        | Packet::PingResp
        | Packet::Auth(_) => {
            return Err(Lost::Wrong(format!("{} came, which nobody asked for", packet.name())));
        }
    })
}

impl From<io::Error> for Lost {
    fn from(_: io::Error) -> Self {
        Lost::Gone
    }
}
