//! From nothing to CONNACK.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use bytes::Buf;
use mqtt::{ConnAck, Connect, Packet, PropertiesBuf, Property, Version};
use tokio::io::AsyncReadExt;
use tokio::time::{Instant, timeout_at};

use super::wire::{KeepAlive, Wire};
use super::{ConnectError, Connected, Device, DeviceError, DeviceOptions};
use crate::dial::{Duplex, dial};

/// The largest packet there can be: five bytes of fixed header and 268,435,455 more.
const LARGEST_PACKET: usize = 268_435_460;

impl Device {
    /// Connects and waits for CONNACK.
    ///
    /// # Errors
    /// Says which step failed and why: name look-up, TCP, TLS, or the server's refusal with its
    /// reason code.
    pub async fn connect(options: &DeviceOptions) -> Result<(Device, Connected), ConnectError> {
        let started = Instant::now();
        let dialed = dial(&options.endpoint, options.tls.as_ref(), options.connect_timeout).await?;
        Self::open(dialed.stream, options, started).await
    }

    /// Exchanges CONNECT and CONNACK over an open connection.
    pub(super) async fn open(
        stream: Box<dyn Duplex>,
        options: &DeviceOptions,
        started: Instant,
    ) -> Result<(Device, Connected), ConnectError> {
        let max_size = options.maximum_packet_size.map_or(LARGEST_PACKET, |bytes| bytes as usize);
        let mut wire = Wire::new(stream, options.version, max_size);
        queue_connect(&mut wire, options).map_err(ConnectError::Exchange)?;
        let deadline = started + options.connect_timeout;
        let connected = timeout_at(deadline, exchange(&mut wire, options, started))
            .await
            .map_err(|_| ConnectError::NoAnswer)??;
        wire.keep_alive = KeepAlive::new(connected.keep_alive);
        let device = Device { wire, waiting: VecDeque::new(), last_packet_id: 0, ended: None };
        Ok((device, connected))
    }
}

fn queue_connect(wire: &mut Wire, options: &DeviceOptions) -> Result<(), DeviceError> {
    let mut properties = PropertiesBuf::new();
    if options.version == Version::V5 {
        let wanted = [
            options.session_expiry.map(Property::SessionExpiryInterval),
            options.receive_maximum.map(Property::ReceiveMaximum),
            options.maximum_packet_size.map(Property::MaximumPacketSize),
        ];
        for property in wanted.into_iter().flatten() {
            properties.push(property)?;
        }
    }
    wire.queue(&Packet::Connect(Connect {
        version: options.version,
        clean_start: options.clean_start,
        keep_alive: options.keep_alive,
        client_id: &options.client_id,
        properties: properties.as_properties(),
        will: None,
        username: options.username.as_deref(),
        password: options.password.as_deref(),
    }))
}

async fn exchange(
    wire: &mut Wire,
    options: &DeviceOptions,
    started: Instant,
) -> Result<Connected, ConnectError> {
    // A server may say no to a certificate while CONNECT is being written; its reason is then what
    // can still be read, and worth more than a broken pipe.
    let written = wire.flush().await;
    loop {
        let decoded = mqtt::decode(&wire.incoming, wire.version, wire.max_size);
        match decoded.map_err(|error| ConnectError::Exchange(error.into()))? {
            Some((Packet::ConnAck(answer), len)) => {
                let connected = judge(&answer, options, started.elapsed())?;
                wire.incoming.advance(len);
                return Ok(connected);
            }
            Some((other, _)) => {
                return Err(ConnectError::Exchange(DeviceError::Unexpected(other.name())));
            }
            None => {}
        }
        match wire.stream.read_buf(&mut wire.incoming).await {
            Ok(0) => {
                written.map_err(ConnectError::Exchange)?;
                return Err(ConnectError::Closed);
            }
            Ok(_) => {}
            Err(error) => return Err(broken(error)),
        }
    }
}

fn judge(
    answer: &ConnAck<'_>,
    options: &DeviceOptions,
    elapsed: Duration,
) -> Result<Connected, ConnectError> {
    let properties = answer.properties;
    if answer.reason.is_error() {
        let text = properties.reason_string().map(str::to_owned);
        return Err(ConnectError::Refused { reason: answer.reason, text });
    }
    Ok(Connected {
        session_present: answer.session_present,
        assigned_client_id: properties.assigned_client_identifier().map(str::to_owned),
        keep_alive: properties.server_keep_alive().unwrap_or(options.keep_alive),
        receive_maximum: properties.receive_maximum(),
        maximum_packet_size: properties.maximum_packet_size(),
        session_expiry: properties.session_expiry_interval(),
        elapsed,
    })
}

/// What a failed read means before CONNACK.
fn broken(error: io::Error) -> ConnectError {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match tls {
        Some(reason) => ConnectError::CertificateRejected(reason.clone()),
        None if error.kind() == io::ErrorKind::UnexpectedEof => ConnectError::Closed,
        None => ConnectError::Exchange(error.into()),
    }
}
