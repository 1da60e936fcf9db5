//! One connection: first a handshake that waits, then a socket that never does.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use mqtt::{Packet, ReasonCode, decode};

use super::plan::PubsubPlan;
use crate::failure::Failure;
use crate::link::Allowed;
use crate::session::Session;
use crate::subscription;

/// The time for each answer of the handshake.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// Above every message there can be.
pub(crate) const MAX_PACKET: usize = 512 * 1024;

/// A client of the broker.
pub(crate) struct Peer {
    stream: TcpStream,
    /// The beginning of a packet that is not complete yet.
    pub(crate) partial: Vec<u8>,
    /// What the socket has not taken yet.
    unsent: Vec<u8>,
}

impl Peer {
    /// Connects with a new session.
    ///
    /// # Errors
    /// No connection, or the broker does not accept the client.
    pub(crate) fn connect(plan: &PubsubPlan, client_id: &str) -> Result<(Self, Allowed), Failure> {
        let address = plan.endpoint.to_string();
        let stream =
            TcpStream::connect((plan.endpoint.host(), plan.endpoint.port())).map_err(|source| {
                let (who, address) = (client_id.to_owned(), address.clone());
                Failure::Unreachable { who, address, source }
            })?;
        let refused = |what: String| {
            let (client_id, address) = (client_id.to_owned(), address.clone());
            Failure::DeviceRefused { client_id, address, what }
        };
        let mut peer = Self { stream, partial: Vec::new(), unsent: Vec::new() };
        let connected = peer.introduce(plan, client_id);
        connected.map(|allowed| (peer, allowed)).map_err(refused)
    }

    /// Subscribes to a topic.
    ///
    /// # Errors
    /// When the broker does not grant it with the plan's QoS.
    pub(crate) fn subscribe(&mut self, plan: &PubsubPlan, topic: &str) -> Result<(), Failure> {
        self.try_subscribe(plan, topic).map_err(|what| Failure::DeviceRefused {
            client_id: format!("the subscription to {topic}"),
            address: plan.endpoint.to_string(),
            what,
        })
    }

    /// From now on nothing waits.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn stop_waiting(&self) -> io::Result<()> {
        self.stream.set_nonblocking(true)
    }

    /// One read; `None` if there is nothing to read.
    ///
    /// # Errors
    /// A broken connection, or one that the broker has closed.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        match self.stream.read(buffer) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => Ok(Some(count)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Sends what it can and keeps the rest for [`flush`](Self::flush).
    ///
    /// # Errors
    /// A broken connection.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        if !self.unsent.is_empty() {
            self.unsent.extend_from_slice(bytes);
            return Ok(());
        }
        let sent = written(self.stream.write(bytes))?;
        self.unsent.extend_from_slice(&bytes[sent..]);
        Ok(())
    }

    /// Sends what was left over, now that there is room.
    ///
    /// # Errors
    /// A broken connection.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        while !self.unsent.is_empty() {
            match written(self.stream.write(&self.unsent))? {
                0 => return Ok(()),
                sent => drop(self.unsent.drain(..sent)),
            }
        }
        Ok(())
    }

    fn introduce(&mut self, plan: &PubsubPlan, client_id: &str) -> Result<Allowed, String> {
        let session = Session::Transient;
        let packet = session.connect(plan.version, client_id).map_err(|error| error.to_string())?;
        self.stream.set_nodelay(true).map_err(|error| error.to_string())?;
        let timeout = self.stream.set_read_timeout(Some(ANSWER_TIMEOUT));
        timeout.map_err(|error| error.to_string())?;
        self.ask(plan, &packet, |answer| {
            let Packet::ConnAck(connack) = answer else {
                return Err(format!("{} came instead of CONNACK", answer.name()));
            };
            if connack.reason != ReasonCode::Success {
                return Err(format!("the broker answered {}", connack.reason));
            }
            session.check(connack.session_present)?;
            let maximum = connack.properties.receive_maximum().unwrap_or(u16::MAX);
            Ok(Allowed { unacknowledged: maximum.into() })
        })
    }

    fn try_subscribe(&mut self, plan: &PubsubPlan, topic: &str) -> Result<(), String> {
        let packet = subscription::request(topic, plan.qos, plan.version);
        let packet = packet.map_err(|error| error.to_string())?;
        self.ask(plan, &packet, |answer| subscription::check(answer, plan.qos))
    }

    /// Sends a packet and waits for the next one that comes.
    fn ask<T>(
        &mut self,
        plan: &PubsubPlan,
        packet: &[u8],
        understand: impl FnOnce(&Packet<'_>) -> Result<T, String>,
    ) -> Result<T, String> {
        self.stream.write_all(packet).map_err(|error| error.to_string())?;
        let mut buffer = [0; 1024];
        loop {
            let decoded = decode(&self.partial, plan.version, MAX_PACKET);
            if let Some((answer, len)) = decoded.map_err(|error| error.to_string())? {
                let understood = understand(&answer);
                self.partial.drain(..len);
                return understood;
            }
            let read = match self.stream.read(&mut buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    Err(format!("no answer within {} s", ANSWER_TIMEOUT.as_secs()))
                }
                other => other.map_err(|error| error.to_string()),
            }?;
            if read == 0 {
                return Err("the broker closed the connection".to_owned());
            }
            self.partial.extend_from_slice(&buffer[..read]);
        }
    }
}

impl AsFd for Peer {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

/// How much was written, which may be nothing.
fn written(result: io::Result<usize>) -> io::Result<usize> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
        other => other,
    }
}
