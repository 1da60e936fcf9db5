//! A device that acknowledges whatever it receives.

use std::fmt::Write as _;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use mqtt::{
    Ack, AckKind, Connect, DecodeError, EncodeError, Packet, Properties, QoS, ReasonCode, Version,
    decode,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::failure::Failure;
use crate::plan::FleetPlan;
use crate::transport::Duplex;

/// Longer than any run, so that no device has to ping. Devices connect, wait, and only answer.
const KEEP_ALIVE_SECONDS: u16 = 7200;
/// The time for a connection, its TLS handshake and CONNACK.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Above every direct message there can be: 128 KiB of payload and 8 KiB of properties twice.
const MAX_PACKET: usize = 256 * 1024;
/// What is reserved for reading: a message of the usual size and its topic.
const READ_CAPACITY: usize = 512;

/// Appends the client ID of device `number`.
pub(crate) fn push_client_id(text: &mut String, number: u32) {
    write!(text, "load-{number}").expect("a String takes everything");
}

/// What happened to the devices of one thread.
#[derive(Default)]
pub(crate) struct Arrivals {
    received: AtomicU64,
    lost: AtomicU64,
    first_loss: Mutex<Option<String>>,
}

impl Arrivals {
    /// Messages received.
    pub(crate) fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// Connections lost.
    pub(crate) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// How the first one was lost.
    pub(crate) fn first_loss(&self) -> Option<String> {
        self.first_loss.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn lose(&self, number: u32, loss: &Loss) {
        self.lost.fetch_add(1, Ordering::Relaxed);
        let mut first = self.first_loss.lock().unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert_with(|| format!("load-{number}: {loss}"));
    }
}

/// How a connection ended.
#[derive(Debug, thiserror::Error)]
enum Loss {
    #[error("the server closed the connection")]
    Closed,
    #[error("the server disconnected it: {0}")]
    Disconnected(ReasonCode),
    #[error("the server sent {0}, which nothing here asks for")]
    Unexpected(&'static str),
    #[error("the server sent what is not MQTT: {0}")]
    Decode(#[from] DecodeError),
    #[error("an answer cannot be written: {0}")]
    Encode(#[from] EncodeError),
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// A connected device.
pub(crate) struct Device {
    number: u32,
    version: Version,
    stream: Box<dyn Duplex>,
    received: Vec<u8>,
    answers: Vec<u8>,
}

impl Device {
    /// Connects device `number` with a new session.
    ///
    /// # Errors
    /// No connection, or the server does not accept the device.
    pub(crate) async fn connect(plan: &FleetPlan, number: u32) -> Result<Self, Failure> {
        let mut client_id = String::new();
        push_client_id(&mut client_id, number);
        let address = plan.connector.endpoint().to_string();
        let attempt = async {
            let unreachable = |source| {
                let (who, address) = (client_id.clone(), address.clone());
                Failure::Unreachable { who, address, source }
            };
            let stream = plan.connector.connect().await.map_err(unreachable)?;
            let introduced = Self::introduced(stream, plan.version, &client_id).await;
            introduced.map_err(|what| {
                let (client_id, address) = (client_id.clone(), address.clone());
                Failure::DeviceRefused { client_id, address, what }
            })
        };
        match tokio::time::timeout(CONNECT_TIMEOUT, attempt).await {
            Ok(connected) => connected.map(|device| Self { number, ..device }),
            Err(_) => {
                let what = format!("no answer within {} s", CONNECT_TIMEOUT.as_secs());
                Err(Failure::DeviceRefused { client_id: client_id.clone(), address, what })
            }
        }
    }

    /// A device with a new session on an open connection.
    ///
    /// # Errors
    /// When the server does not accept it, and what would help.
    pub(crate) async fn introduced(
        stream: Box<dyn Duplex>,
        version: Version,
        client_id: &str,
    ) -> Result<Self, String> {
        let (received, answers) = (Vec::with_capacity(READ_CAPACITY), Vec::new());
        let mut device = Self { number: 0, version, stream, received, answers };
        device.introduce(client_id).await.map(|()| device)
    }

    /// Says goodbye.
    ///
    /// # Errors
    /// When the connection is broken.
    pub(crate) async fn leave(mut self) -> io::Result<()> {
        // DISCONNECT without a reason is the same in both versions.
        self.stream.write_all(&[0xE0, 0]).await?;
        // Over TLS this sends what is buffered, and TLS's own goodbye.
        self.stream.shutdown().await
    }

    /// Answers until the connection is lost.
    pub(crate) async fn serve(mut self, arrivals: &Arrivals) {
        // There is no other way out: a device serves until it is dropped.
        let Err(loss) = self.answer_all(arrivals).await;
        arrivals.lose(self.number, &loss);
    }

    async fn introduce(&mut self, client_id: &str) -> Result<(), String> {
        let connect = Connect {
            version: self.version,
            clean_start: true,
            keep_alive: KEEP_ALIVE_SECONDS,
            client_id,
            properties: Properties::EMPTY,
            will: None,
            username: None,
            password: None,
        };
        let mut packet = Vec::new();
        connect.encode(self.version, &mut packet).map_err(|error| error.to_string())?;
        self.stream.write_all(&packet).await.map_err(|error| error.to_string())?;
        let (reason, used) = self.connack().await.map_err(|loss| loss.to_string())?;
        self.received.drain(..used);
        if reason == ReasonCode::Success {
            return Ok(());
        }
        Err(format!(
            "the server answered {reason} (a plain listener needs --open, connecting so fast \
             --unlimited, and a certificate a policy for load-*)"
        ))
    }

    async fn connack(&mut self) -> Result<(ReasonCode, usize), Loss> {
        loop {
            self.read().await?;
            match decode(&self.received, self.version, MAX_PACKET)? {
                None => {}
                Some((Packet::ConnAck(connack), used)) => return Ok((connack.reason, used)),
                Some((other, _)) => return Err(Loss::Unexpected(other.name())),
            }
        }
    }

    async fn answer_all(&mut self, arrivals: &Arrivals) -> Result<std::convert::Infallible, Loss> {
        loop {
            let used = self.answer(arrivals)?;
            self.received.drain(..used);
            if !self.answers.is_empty() {
                self.stream.write_all(&self.answers).await?;
                // TLS keeps what the socket did not take until it is asked to flush.
                self.stream.flush().await?;
                self.answers.clear();
            }
            self.read().await?;
        }
    }

    async fn read(&mut self) -> Result<(), Loss> {
        match self.stream.read_buf(&mut self.received).await? {
            0 => Err(Loss::Closed),
            _ => Ok(()),
        }
    }

    /// Writes the answers to all packets that are complete; how many bytes those were.
    fn answer(&mut self, arrivals: &Arrivals) -> Result<usize, Loss> {
        let mut used = 0;
        while let Some((packet, len)) = decode(&self.received[used..], self.version, MAX_PACKET)? {
            used += len;
            match packet {
                Packet::Publish(publish) => {
                    arrivals.received.fetch_add(1, Ordering::Relaxed);
                    let Some(packet_id) = publish.packet_id else { continue };
                    if publish.qos == QoS::ExactlyOnce {
                        return Err(Loss::Unexpected("PUBLISH with QoS 2"));
                    }
                    let (reason, properties) = (ReasonCode::Success, Properties::EMPTY);
                    let ack = Ack { packet_id, reason, properties };
                    ack.encode(AckKind::PubAck, self.version, &mut self.answers)?;
                }
                Packet::Disconnect(disconnect) => {
                    return Err(Loss::Disconnected(disconnect.reason));
                }
                Packet::Connect(_)
                | Packet::ConnAck(_)
                | Packet::PubAck(_)
                | Packet::PubRec(_)
                | Packet::PubRel(_)
                | Packet::PubComp(_)
                | Packet::Subscribe(_)
                | Packet::SubAck(_)
                | Packet::Unsubscribe(_)
                | Packet::UnsubAck(_)
                | Packet::PingReq
                | Packet::PingResp
                | Packet::Auth(_) => return Err(Loss::Unexpected(packet.name())),
            }
        }
        Ok(used)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mqtt::{PacketId, Publish, TopicName};

    fn publish(qos: QoS, id: Option<u16>) -> Vec<u8> {
        let publish = Publish {
            dup: false,
            qos,
            retain: false,
            topic: Some(TopicName::parse("a").unwrap()),
            packet_id: id.map(|id| PacketId::new(id).unwrap()),
            properties: Properties::EMPTY,
            payload: b"x",
        };
        let mut bytes = Vec::new();
        publish.encode(Version::V5, &mut bytes).unwrap();
        bytes
    }

    /// What a device makes of `bytes`: what it answers, how many messages it counts, how it ends.
    async fn answers_to(bytes: &[u8]) -> (Vec<u8>, u64, String) {
        let (near, far) = tokio::io::duplex(1024);
        let (mut from_device, mut to_device) = tokio::io::split(far);
        let device = Device {
            number: 3,
            version: Version::V5,
            stream: Box::new(near),
            received: Vec::new(),
            answers: Vec::new(),
        };
        let arrivals = Arrivals::default();
        to_device.write_all(bytes).await.unwrap();
        to_device.shutdown().await.unwrap();
        device.serve(&arrivals).await;
        let mut answers = Vec::new();
        from_device.read_to_end(&mut answers).await.unwrap();
        assert_eq!(arrivals.lost(), 1);
        (answers, arrivals.received(), arrivals.first_loss().unwrap())
    }

    #[tokio::test]
    async fn messages_are_counted_and_those_with_qos_1_acknowledged() {
        let bytes = [
            publish(QoS::AtLeastOnce, Some(7)),
            publish(QoS::AtMostOnce, None),
            publish(QoS::AtLeastOnce, Some(8)),
        ];
        let (answers, received, loss) = answers_to(&bytes.concat()).await;
        assert_eq!(answers, [0x40, 2, 0, 7, 0x40, 2, 0, 8]);
        assert_eq!(received, 3);
        assert!(loss.starts_with("load-3: ") && loss.contains("closed"), "{loss}");
    }

    #[tokio::test]
    async fn what_nothing_asked_for_ends_the_connection() {
        for (bytes, word) in [
            (publish(QoS::ExactlyOnce, Some(1)), "QoS 2"),
            (vec![0xD0, 0], "PINGRESP"),
            (vec![0xE0, 1, 0x8B], "ServerShuttingDown"),
            (vec![0x00, 0], "not MQTT"),
        ] {
            let (_, _, loss) = answers_to(&bytes).await;
            assert!(loss.contains(word), "{loss}");
        }
    }
}
