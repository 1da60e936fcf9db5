//! A connection on which MQTT is spoken.

use std::io;

use mqtt::{DecodeError, EncodeError, Packet, ReasonCode, Version, decode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::session::{Farewell, Session};
use crate::transport::Duplex;

/// Above every direct message there can be: 128 KiB of payload and 8 KiB of properties twice.
pub(crate) const MAX_PACKET: usize = 256 * 1024;
/// What is reserved for reading: a message of the usual size and its topic.
const READ_CAPACITY: usize = 512;

/// How a connection ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Loss {
    /// Without a word.
    #[error("the server closed the connection")]
    Closed,
    /// With a word.
    #[error("the server disconnected it: {0}")]
    Disconnected(ReasonCode),
    /// By this side, which cannot go on.
    #[error("the server sent {0}, which nothing here asks for")]
    Unexpected(&'static str),
    /// By this side, which cannot read.
    #[error("the server sent what is not MQTT: {0}")]
    Decode(#[from] DecodeError),
    /// By this side, which cannot write.
    #[error("an answer cannot be written: {0}")]
    Encode(#[from] EncodeError),
    /// By the system.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// A client's side of a connection that the server has accepted.
pub(crate) struct Link {
    /// What is spoken.
    pub(crate) version: Version,
    stream: Box<dyn Duplex>,
    /// What has come and is not used yet.
    pub(crate) received: Vec<u8>,
}

/// What a server allows whom it accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Allowed {
    /// Messages with QoS 1 and 2 that may be unacknowledged.
    pub(crate) unacknowledged: u32,
}

impl Link {
    /// On an open connection, without having said anything.
    pub(crate) fn new(stream: Box<dyn Duplex>, version: Version) -> Self {
        Self { version, stream, received: Vec::with_capacity(READ_CAPACITY) }
    }

    /// Sends CONNECT and waits for CONNACK.
    ///
    /// # Errors
    /// When the server does not accept the client, and what would help, or has another session for
    /// it than the one it asks for.
    pub(crate) async fn introduce(
        &mut self,
        client_id: &str,
        session: Session,
    ) -> Result<Allowed, String> {
        let packet = session.connect(self.version, client_id).map_err(|error| error.to_string())?;
        self.send(&packet).await.map_err(|error| error.to_string())?;
        let (connack, used) = self.connack().await.map_err(|loss| loss.to_string())?;
        self.received.drain(..used);
        if connack.reason != ReasonCode::Success {
            return Err(format!(
                "the server answered {} (a plain listener needs --open, connecting so fast \
                 --unlimited, and a certificate a policy for load-*)",
                connack.reason
            ));
        }
        session.check(connack.session_present)?;
        Ok(connack.allowed)
    }

    /// Sends all of it.
    ///
    /// # Errors
    /// When the connection is broken.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await?;
        // TLS keeps what the socket did not take until it is asked to flush.
        self.stream.flush().await
    }

    /// Waits for more.
    ///
    /// # Errors
    /// When nothing more will come.
    pub(crate) async fn read(&mut self) -> Result<(), Loss> {
        match self.stream.read_buf(&mut self.received).await? {
            0 => Err(Loss::Closed),
            _ => Ok(()),
        }
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

    /// Says goodbye and waits until the server has closed the connection, so that it knows.
    ///
    /// # Errors
    /// When it says anything more.
    pub(crate) async fn part(mut self, farewell: Farewell) -> Result<(), Loss> {
        let mut packet = Vec::new();
        farewell.encode(self.version, &mut packet)?;
        self.send(&packet).await?;
        self.stream.shutdown().await?;
        match self.read().await {
            Ok(()) => Err(Loss::Unexpected("more after DISCONNECT")),
            // However it ends, it has.
            Err(_) => Ok(()),
        }
    }

    async fn connack(&mut self) -> Result<(Accepted, usize), Loss> {
        loop {
            self.read().await?;
            match decode(&self.received, self.version, MAX_PACKET)? {
                None => {}
                Some((Packet::ConnAck(connack), used)) => {
                    let unacknowledged = connack.properties.receive_maximum().unwrap_or(u16::MAX);
                    let accepted = Accepted {
                        reason: connack.reason,
                        session_present: connack.session_present,
                        allowed: Allowed { unacknowledged: unacknowledged.into() },
                    };
                    return Ok((accepted, used));
                }
                Some((other, _)) => return Err(Loss::Unexpected(other.name())),
            }
        }
    }
}

/// What a CONNACK said.
struct Accepted {
    reason: ReasonCode,
    session_present: bool,
    allowed: Allowed,
}
