//! A device over memory.

use std::collections::BTreeMap;

use mqtt::{Ack, Connect, Packet, PacketId, Properties, ReasonCode, Version};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use crate::fixture::Fixture;

/// A device, and what came to it over all its connections.
#[derive(Default)]
pub struct Device {
    io: Option<DuplexStream>,
    inbox: Vec<u8>,
    pub unacknowledged: Vec<PacketId>,
    /// How often a payload came.
    pub got: BTreeMap<Vec<u8>, usize>,
}

impl Device {
    /// Connects, in the place of the connection that it has.
    pub async fn connect(&mut self, fixture: &Fixture) {
        self.connect_as(fixture, "lamp").await;
    }

    pub async fn connect_as(&mut self, fixture: &Fixture, client_id: &str) {
        self.ping().await;
        let mut ours = fixture.accept();
        let connect = Connect {
            version: Version::V5,
            clean_start: true,
            keep_alive: 60,
            client_id,
            properties: Properties::EMPTY,
            will: None,
            username: None,
            password: None,
        };
        let mut bytes = Vec::new();
        connect.encode(Version::V5, &mut bytes).expect("valid");
        ours.write_all(&bytes).await.expect("an open connection");
        self.io = Some(ours);
        (self.inbox, self.unacknowledged) = (Vec::new(), Vec::new());
        self.ping().await;
    }

    /// Its connection ends.
    pub async fn leave(&mut self) {
        self.ping().await;
        self.io = None;
    }

    /// Acknowledges the oldest message that it has not, if there is one.
    pub async fn acknowledge(&mut self) {
        self.ping().await;
        let Some(io) = &mut self.io else { return };
        if self.unacknowledged.is_empty() {
            return;
        }
        let packet_id = self.unacknowledged.remove(0);
        let reason = ReasonCode::Success;
        let ack = Packet::PubAck(Ack { packet_id, reason, properties: Properties::EMPTY });
        let mut bytes = Vec::new();
        ack.encode(Version::V5, &mut bytes).expect("valid");
        // The node may have ended the connection.
        let _ = io.write_all(&bytes).await;
        self.ping().await;
    }

    /// A round trip: everything that was sent before is here.
    pub async fn ping(&mut self) {
        let Some(io) = &mut self.io else { return };
        if io.write_all(&[0xc0, 0]).await.is_err() {
            return;
        }
        while !self.take_packets() {
            let Some(io) = &mut self.io else { return };
            if matches!(io.read_buf(&mut self.inbox).await, Ok(0) | Err(_)) {
                self.io = None;
            }
        }
    }

    /// Takes what came; says whether a PINGRESP was among it.
    fn take_packets(&mut self) -> bool {
        let mut answered = false;
        while let Some((packet, length)) =
            mqtt::decode(&self.inbox, Version::V5, 1 << 20).expect("well-formed")
        {
            if let Packet::Publish(publish) = &packet {
                *self.got.entry(publish.payload.to_vec()).or_default() += 1;
                self.unacknowledged.extend(publish.packet_id);
            }
            answered |= matches!(packet, Packet::PingResp);
            self.inbox.drain(..length);
        }
        answered
    }
}
