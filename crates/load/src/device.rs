//! A device that acknowledges whatever it receives.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use mqtt::{Ack, AckKind, Packet, Properties, QoS, ReasonCode, decode};

use crate::failure::Failure;
use crate::link::{Link, Loss, MAX_PACKET};
use crate::plan::FleetPlan;
use crate::session::Session;

/// The time for a connection, its TLS handshake and CONNACK.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

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

/// A connected device.
pub(crate) struct Device {
    number: u32,
    link: Link,
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
            let mut link = Link::new(stream, plan.version);
            let introduced = link.introduce(&client_id, Session::Transient).await;
            introduced.map(|_| link).map_err(|what| {
                let (client_id, address) = (client_id.clone(), address.clone());
                Failure::DeviceRefused { client_id, address, what }
            })
        };
        match tokio::time::timeout(CONNECT_TIMEOUT, attempt).await {
            Ok(connected) => connected.map(|link| Self { number, link, answers: Vec::new() }),
            Err(_) => {
                let what = format!("no answer within {} s", CONNECT_TIMEOUT.as_secs());
                Err(Failure::DeviceRefused { client_id: client_id.clone(), address, what })
            }
        }
    }

    /// Answers until the connection is lost.
    pub(crate) async fn serve(mut self, arrivals: &Arrivals) {
        // There is no other way out: a device serves until it is dropped.
        let Err(loss) = self.answer_all(arrivals).await;
        arrivals.lose(self.number, &loss);
    }

    async fn answer_all(&mut self, arrivals: &Arrivals) -> Result<std::convert::Infallible, Loss> {
        loop {
            let used = self.answer(arrivals)?;
            self.link.received.drain(..used);
            if !self.answers.is_empty() {
                self.link.send(&self.answers).await?;
                self.answers.clear();
            }
            self.link.read().await?;
        }
    }

    /// Writes the answers to all packets that are complete; how many bytes those were.
    fn answer(&mut self, arrivals: &Arrivals) -> Result<usize, Loss> {
        let Link { version, received, .. } = &self.link;
        let mut used = 0;
        while let Some((packet, len)) = decode(&received[used..], *version, MAX_PACKET)? {
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
                    ack.encode(AckKind::PubAck, *version, &mut self.answers)?;
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
    use mqtt::{PacketId, Publish, TopicName, Version};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

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
        let link = Link::new(Box::new(near), Version::V5);
        let device = Device { number: 3, link, answers: Vec::new() };
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
