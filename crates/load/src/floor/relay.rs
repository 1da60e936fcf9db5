//! The event loop.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

use mqtt::{ConnAck, Properties, ReasonCode};
use rustls::ServerConfig;

use super::answer;
use super::connections::{Connection, Connections, Role, Token};
use super::device::{self, Device, Identity, Said};
use super::publish::Templates;
use super::request::{self, Request};
use super::wire::{After, Scratch, Wire};
use crate::poller::{Interest, Poller, Ready};

/// Tokens of the listeners; connections have smaller ones.
const MQTT: u64 = u64::MAX;
const HTTP: u64 = u64::MAX - 1;
/// How many connections may wait to be accepted.
const LISTEN_QUEUE: i32 = 4096;
/// The load generator's usual payload; other lengths make new templates.
const PAYLOAD_LEN: usize = 256;

/// Where devices and senders come in.
pub(crate) struct Listeners {
    mqtt: TcpListener,
    http: TcpListener,
}

/// The relay.
pub(crate) struct Relay {
    poller: Poller,
    listeners: Listeners,
    tls: Option<Arc<ServerConfig>>,
    connections: Connections,
    devices: HashMap<Box<[u8]>, Token, foldhash::fast::RandomState>,
    templates: Templates,
    scratch: Scratch,
}

/// The connection is over.
struct Over;

impl From<io::Error> for Over {
    fn from(_: io::Error) -> Self {
        Self
    }
}

impl Listeners {
    /// Two ports of the system's choice on the loopback interface.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn bind() -> io::Result<Self> {
        let bind = || {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            listener.set_nonblocking(true)?;
            // The standard library's queue is shorter than a burst of devices.
            rustix::net::listen(&listener, LISTEN_QUEUE)?;
            io::Result::Ok(listener)
        };
        Ok(Self { mqtt: bind()?, http: bind()? })
    }

    /// The addresses for devices and for senders.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn addresses(&self) -> io::Result<(SocketAddr, SocketAddr)> {
        Ok((self.mqtt.local_addr()?, self.http.local_addr()?))
    }
}

impl Relay {
    /// With nobody connected. With `tls`, both listeners speak it.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn new(listeners: Listeners, tls: Option<Arc<ServerConfig>>) -> io::Result<Self> {
        let poller = Poller::new()?;
        poller.add(&listeners.mqtt, MQTT, Interest::Reading)?;
        poller.add(&listeners.http, HTTP, Interest::Reading)?;
        Ok(Self {
            poller,
            listeners,
            tls,
            connections: Connections::default(),
            devices: HashMap::default(),
            templates: Templates::new(PAYLOAD_LEN).map_err(io::Error::other)?,
            scratch: Scratch::new(),
        })
    }

    /// Relays until the process ends.
    ///
    /// # Errors
    /// When no sockets can be waited for any more.
    pub(crate) fn run(mut self) -> io::Result<Infallible> {
        loop {
            for index in 0..self.poller.wait(None)? {
                match self.poller.ready(index) {
                    Ready { token: MQTT, .. } => self.accept_devices(),
                    Ready { token: HTTP, .. } => self.accept_senders(),
                    Ready { token, hung_up, .. } => {
                        let token = Token::from_u64(token);
                        if self.handle_bytes(token, hung_up).is_err() {
                            self.close(token);
                        }
                    }
                }
            }
        }
    }

    fn accept_devices(&mut self) {
        while let Ok((stream, _)) = self.listeners.mqtt.accept() {
            self.take_in(stream, Role::Device(Device::new()));
        }
    }

    fn accept_senders(&mut self) {
        while let Ok((stream, _)) = self.listeners.http.accept() {
            self.take_in(stream, Role::Sender);
        }
    }

    /// A connection that cannot be set up is closed, which its peer sees.
    fn take_in(&mut self, stream: TcpStream, role: Role) {
        let ready = stream.set_nonblocking(true).and_then(|()| stream.set_nodelay(true));
        let wire = match (&self.tls, ready) {
            (_, Err(_)) => return,
            (None, Ok(())) => Wire::plain(stream),
            (Some(config), Ok(())) => match Wire::tls(stream, config) {
                Ok(wire) => wire,
                Err(_) => return,
            },
        };
        let token = self.connections.insert(Connection { wire, partial: Vec::new(), role });
        let Some(connection) = self.connections.get(token) else { return };
        if self.poller.add(&connection.wire, token.to_u64(), Interest::Reading).is_err() {
            self.connections.remove(token);
        }
    }

    /// Reads what came, one read unless there is more than fits or an end behind it.
    fn handle_bytes(&mut self, token: Token, hung_up: bool) -> Result<(), Over> {
        let mut scratch = std::mem::take(&mut self.scratch);
        let result = loop {
            // It may have been closed by an earlier event of the same round.
            let Some(connection) = self.connections.get(token) else { break Ok(()) };
            let (bytes, after) = match connection.wire.read(&mut scratch) {
                Ok(read) => read,
                Err(_) => break Err(Over),
            };
            if let Err(over) = self.handle_read(token, bytes) {
                break Err(over);
            }
            match after {
                After::Ended => break Err(Over),
                After::Drained if !hung_up => break Ok(()),
                After::Drained if bytes.is_empty() => break Ok(()),
                After::Drained | After::Full => {}
            }
        };
        self.scratch = scratch;
        result
    }

    /// Handles what is complete and keeps the rest.
    fn handle_read(&mut self, token: Token, bytes: &[u8]) -> Result<(), Over> {
        let Some(connection) = self.connections.get(token) else { return Ok(()) };
        if connection.partial.is_empty() {
            let used = self.handle_all(token, bytes)?;
            if let (false, Some(connection)) = (used == bytes.len(), self.connections.get(token)) {
                connection.partial.extend_from_slice(&bytes[used..]);
            }
            return Ok(());
        }
        let mut all = std::mem::take(&mut connection.partial);
        all.extend_from_slice(bytes);
        let used = self.handle_all(token, &all)?;
        all.drain(..used);
        if let Some(connection) = self.connections.get(token) {
            connection.partial = all;
        }
        Ok(())
    }

    /// Handles what is complete: how many bytes that was.
    fn handle_all(&mut self, token: Token, bytes: &[u8]) -> Result<usize, Over> {
        let mut used = 0;
        loop {
            let rest = &bytes[used..];
            let Some(connection) = self.connections.get(token) else { return Ok(bytes.len()) };
            match &mut connection.role {
                Role::Sender => {
                    let request = request::parse(rest).map_err(|request::Malformed| Over)?;
                    let Some(request) = request else { return Ok(used) };
                    used += request.len;
                    self.deliver(token, &request)?;
                }
                Role::Device(device) => {
                    let said = device::next(rest, device.identity.as_ref());
                    let Some((said, len)) = said else { return Ok(used) };
                    used += len;
                    self.handle_packet(token, said)?;
                }
            }
        }
    }

    /// Writes a PUBLISH to the device; the sender waits for its PUBACK or is answered now.
    fn deliver(&mut self, sender: Token, request: &Request<'_>) -> Result<(), Over> {
        if request.payload_len != self.templates.payload_len() {
            self.templates = Templates::new(request.payload_len).map_err(|_| Over)?;
        }
        let Some(&to) = self.devices.get(request.client_id) else {
            return self.answer(sender, answer::NOT_FOUND);
        };
        let connection = self.connections.get(to);
        let Some(Connection { wire, role: Role::Device(device), .. }) = connection else {
            return self.answer(sender, answer::NOT_FOUND);
        };
        let Some(Identity { version, .. }) = device.identity else {
            return self.answer(sender, answer::NOT_FOUND);
        };
        let publish = match request.confirmed {
            true => self.templates.at_least_once(version, device.expect_ack(sender)),
            false => self.templates.at_most_once(version),
        };
        if wire.send(publish).is_err() {
            // Whoever waits for this device is told, this sender among them if it waits.
            self.close(to);
            if request.confirmed {
                return Ok(());
            }
            return self.answer(sender, answer::GONE);
        }
        match request.confirmed {
            true => Ok(()),
            false => self.answer(sender, answer::OK),
        }
    }

    fn handle_packet(&mut self, token: Token, said: Said) -> Result<(), Over> {
        match said {
            Said::Acknowledged(id) => {
                let connection = self.connections.get(token);
                let Some(Connection { role: Role::Device(device), .. }) = connection else {
                    return Err(Over);
                };
                let sender = device.acknowledged(id).ok_or(Over)?;
                if self.answer(sender, answer::OK).is_err() {
                    self.close(sender);
                }
                Ok(())
            }
            Said::Connect(identity) => self.introduce(token, identity),
            Said::Ping => self.answer(token, &[0xD0, 0]),
            Said::Goodbye => Err(Over),
        }
    }

    /// The device has a name from now on; an older connection with the same name ends.
    fn introduce(&mut self, token: Token, identity: Identity) -> Result<(), Over> {
        let (reason, properties) = (ReasonCode::Success, Properties::EMPTY);
        let connack = ConnAck { session_present: false, reason, properties };
        let mut bytes = Vec::new();
        connack.encode(identity.version, &mut bytes).map_err(|_| Over)?;
        if let Some(older) = self.devices.insert(identity.client_id.clone(), token) {
            self.close(older);
            // Closing the older one has taken the name away.
            self.devices.insert(identity.client_id.clone(), token);
        }
        match self.connections.get(token) {
            Some(Connection { role: Role::Device(device), wire, .. }) => {
                device.identity = Some(identity);
                Ok(wire.send(&bytes)?)
            }
            Some(Connection { role: Role::Sender, .. }) | None => Err(Over),
        }
    }

    /// Sends bytes to whoever has this token, if it is still there.
    fn answer(&mut self, token: Token, bytes: &[u8]) -> Result<(), Over> {
        let Some(connection) = self.connections.get(token) else { return Ok(()) };
        Ok(connection.wire.send(bytes)?)
    }

    /// Ends a connection; senders who waited for it learn that nobody will answer.
    fn close(&mut self, token: Token) {
        let Some(Connection { role, .. }) = self.connections.remove(token) else { return };
        let Role::Device(device) = role else { return };
        if let Some(identity) = &device.identity
            && self.devices.get(&identity.client_id) == Some(&token)
        {
            self.devices.remove(&identity.client_id);
        }
        for sender in device.into_waiting() {
            if self.answer(sender, answer::GONE).is_err() {
                self.close(sender);
            }
        }
    }
}
