//! The device's side of the wire: buffers, keep-alive, and packets made into what they mean.

use std::io;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use mqtt::{Packet, PacketId, Properties, PropertiesBuf, QoS, ReasonCode, Version};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, sleep_until};

use super::{DeviceError, Ending, Message};
use crate::dial::Duplex;

/// Room for most packets; an idle device holds no more.
const READ_BYTES: usize = 4096;

/// A packet from the server and what it means.
#[derive(Debug)]
pub(super) enum Incoming {
    Message(Message),
    /// PUBACK.
    Acknowledged {
        packet_id: PacketId,
        reason: ReasonCode,
    },
    /// SUBACK or UNSUBACK.
    Answered {
        packet_id: PacketId,
        reasons: Vec<ReasonCode>,
    },
    Ended(Ending),
}

pub(super) struct Wire {
    pub(super) stream: Box<dyn Duplex>,
    pub(super) version: Version,
    /// What was read and not yet decoded.
    pub(super) incoming: BytesMut,
    /// What is to be written; the first `written` bytes of it are.
    outgoing: Vec<u8>,
    written: usize,
    /// The largest packet accepted, in bytes.
    pub(super) max_size: usize,
    pub(super) keep_alive: KeepAlive,
}

/// When to send PINGREQ, and whether PINGRESP is due.
#[derive(Debug)]
pub(super) struct KeepAlive {
    /// Three quarters of the keep-alive time; `None`: there is no limit.
    period: Option<Duration>,
    /// When something was last written.
    last_write: Instant,
    awaits_answer: bool,
}

impl KeepAlive {
    pub(super) fn new(seconds: u16) -> Self {
        let period = (seconds != 0).then(|| Duration::from_secs(seconds.into()) * 3 / 4);
        Self { period, last_write: Instant::now(), awaits_answer: false }
    }

    /// Returns when the next PINGREQ is due, and never if there is no limit.
    async fn due(&self) {
        match self.period {
            Some(period) => sleep_until(self.last_write + period).await,
            None => std::future::pending().await,
        }
    }
}

impl Wire {
    pub(super) fn new(stream: Box<dyn Duplex>, version: Version, max_size: usize) -> Self {
        Self {
            stream,
            version,
            incoming: BytesMut::new(),
            outgoing: Vec::new(),
            written: 0,
            max_size,
            keep_alive: KeepAlive::new(0),
        }
    }

    /// Appends a packet to what is to be written.
    pub(super) fn queue(&mut self, packet: &Packet<'_>) -> Result<(), DeviceError> {
        Ok(packet.encode(self.version, &mut self.outgoing)?)
    }

    /// Writes what is to be written. May be dropped: what is left is written by the next call.
    pub(super) async fn flush(&mut self) -> Result<(), DeviceError> {
        if self.outgoing.is_empty() {
            return Ok(());
        }
        while let Some(rest) = self.outgoing.get(self.written..).filter(|rest| !rest.is_empty()) {
            match self.stream.write(rest).await? {
                0 => return Err(io::Error::from(io::ErrorKind::WriteZero).into()),
                count => self.written += count,
            }
        }
        self.stream.flush().await?;
        self.outgoing.clear();
        self.written = 0;
        self.keep_alive.last_write = Instant::now();
        Ok(())
    }

    /// The next packet that means something to the caller. May be dropped without loss.
    pub(super) async fn receive(&mut self) -> Result<Incoming, DeviceError> {
        loop {
            if let Some(incoming) = self.take()? {
                return Ok(incoming);
            }
            self.flush().await?;
            if !self.read_or_ping().await? {
                return Ok(Incoming::Ended(Ending::Closed));
            }
        }
    }

    pub(super) async fn close(&mut self) -> Result<(), DeviceError> {
        Ok(self.stream.shutdown().await?)
    }

    /// Reads once, or queues the PINGREQ that is due. Returns false at the end of the stream.
    async fn read_or_ping(&mut self) -> Result<bool, DeviceError> {
        let Self { stream, incoming, keep_alive, .. } = self;
        // A large packet is read in growing steps.
        incoming.reserve(READ_BYTES.max(incoming.len()));
        tokio::select! {
            count = stream.read_buf(incoming) => return match count {
                Ok(count) => Ok(count != 0),
                // Some servers close TCP without closing TLS first.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
                Err(error) => Err(error.into()),
            },
            () = keep_alive.due() => {}
        }
        if std::mem::replace(&mut self.keep_alive.awaits_answer, true) {
            return Err(DeviceError::Silent);
        }
        self.queue(&Packet::PingReq)?;
        Ok(true)
    }

    /// The first whole packet of what was read that means something.
    fn take(&mut self) -> Result<Option<Incoming>, DeviceError> {
        loop {
            let decoded = mqtt::decode(&self.incoming, self.version, self.max_size)?;
            let Some((packet, len)) = decoded else { return Ok(None) };
            let name = packet.name();
            let incoming = match packet {
                Packet::Publish(publish) => {
                    let payload_len = publish.payload.len();
                    let message = message_without_payload(&publish)?;
                    let packet = self.incoming.split_to(len).freeze();
                    // The payload is the end of the packet; this shares the buffer.
                    let payload = packet.slice(len - payload_len..);
                    return Ok(Some(Incoming::Message(Message { payload, ..message })));
                }
                Packet::PingResp => {
                    self.keep_alive.awaits_answer = false;
                    None
                }
                Packet::PubAck(ack) => {
                    Some(Incoming::Acknowledged { packet_id: ack.packet_id, reason: ack.reason })
                }
                Packet::SubAck(answer) => Some(Incoming::Answered {
                    packet_id: answer.packet_id,
                    reasons: answer.reasons,
                }),
                Packet::UnsubAck(answer) => Some(Incoming::Answered {
                    packet_id: answer.packet_id,
                    reasons: answer.reasons,
                }),
                Packet::Disconnect(end) if self.version == Version::V5 => {
                    let text = end.properties.reason_string().map(str::to_owned);
                    Some(Incoming::Ended(Ending::Told { reason: end.reason, text }))
                }
                Packet::Connect(_)
                | Packet::ConnAck(_)
                | Packet::PubRec(_)
                | Packet::PubRel(_)
                | Packet::PubComp(_)
                | Packet::Subscribe(_)
                | Packet::Unsubscribe(_)
                | Packet::PingReq
                | Packet::Disconnect(_)
                | Packet::Auth(_) => return Err(DeviceError::Unexpected(name)),
            };
            self.incoming.advance(len);
            if incoming.is_some() {
                return Ok(incoming);
            }
        }
    }
}

fn message_without_payload(publish: &mqtt::Publish<'_>) -> Result<Message, DeviceError> {
    // This client never allows aliases and never subscribes with QoS 2.
    let topic = publish.topic.ok_or(DeviceError::Unexpected("PUBLISH with a topic alias"))?;
    if publish.qos == QoS::ExactlyOnce {
        return Err(DeviceError::Unexpected("PUBLISH with QoS 2"));
    }
    Ok(Message {
        topic: topic.as_str().to_owned(),
        payload: Bytes::new(),
        qos: publish.qos,
        packet_id: publish.packet_id,
        properties: owned(publish.properties)?,
        retain: publish.retain,
        dup: publish.dup,
    })
}

fn owned(properties: Properties<'_>) -> Result<PropertiesBuf, DeviceError> {
    let mut copy = PropertiesBuf::new();
    for property in properties.iter() {
        copy.push(property)?;
    }
    Ok(copy)
}
