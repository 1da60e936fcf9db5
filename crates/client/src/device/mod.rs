//! An MQTT client that acknowledges by hand.

mod connect;
mod error;
mod event;
mod options;
#[cfg(test)]
mod tests;
mod wire;

use std::collections::VecDeque;

use mqtt::{Ack, Disconnect, Packet, PacketId, Properties, Publish, QoS, ReasonCode, Subscribe};
use mqtt::{SubscribeOptions, TopicName, Unsubscribe};

pub use error::{ConnectError, DeviceError};
pub use event::{Connected, Ending, Event, Message, Outgoing};
pub use options::DeviceOptions;
use wire::{Incoming, Wire};

/// A connected MQTT client.
///
/// It does nothing between calls: [`next`](Self::next) has to be awaited for messages to arrive
/// and for PINGREQ to be sent in time. `next` may be dropped at any time without losing anything,
/// so it can stand in a `select!`. Dropping the device closes the connection without DISCONNECT,
/// which a server answers by publishing the will.
pub struct Device {
    wire: Wire,
    /// Messages that came while the answer to something else was awaited.
    waiting: VecDeque<Message>,
    last_packet_id: u16,
    /// Set by the end of the connection, which is reported again by every later call.
    ended: Option<Ending>,
}

impl Device {
    /// The next message, or the end of the connection, as often as it is asked for. A message of
    /// QoS 1 has to be [acknowledged](Self::acknowledge) by the caller.
    ///
    /// # Errors
    /// A connection that broke, or a server that does not keep to MQTT.
    pub async fn next(&mut self) -> Result<Event, DeviceError> {
        loop {
            if let Some(message) = self.waiting.pop_front() {
                return Ok(Event::Message(message));
            }
            match self.receive().await? {
                Incoming::Message(message) => return Ok(Event::Message(message)),
                Incoming::Ended(ending) => return Ok(Event::Disconnected(ending)),
                // An answer whose question was dropped.
                Incoming::Acknowledged { .. } | Incoming::Answered { .. } => {}
            }
        }
    }

    /// Sends PUBACK. In MQTT 5.0 a `reason` of 0x80 or more refuses the message; MQTT 3.1.1 can
    /// only accept.
    ///
    /// # Errors
    /// A reason code that PUBACK cannot carry in this version, or a connection that broke.
    pub async fn acknowledge(
        &mut self,
        packet_id: PacketId,
        reason: ReasonCode,
    ) -> Result<(), DeviceError> {
        let properties = Properties::EMPTY;
        self.wire.queue(&Packet::PubAck(Ack { packet_id, reason, properties }))?;
        self.wire.flush().await
    }

    /// Publishes a message. With QoS 1 this waits for the server's PUBACK and returns its reason
    /// code; with QoS 0 it returns `Success` once the message is written. What arrives meanwhile
    /// is kept for [`next`](Self::next).
    ///
    /// # Errors
    /// A topic or properties that cannot be sent, a connection that broke or ended.
    pub async fn publish(&mut self, message: Outgoing<'_>) -> Result<ReasonCode, DeviceError> {
        let packet_id = match message.qos {
            QoS::AtMostOnce => None,
            QoS::AtLeastOnce => Some(self.next_packet_id()),
            QoS::ExactlyOnce => return Err(DeviceError::Unsupported("QoS 2")),
        };
        let packet = Publish {
            dup: false,
            qos: message.qos,
            retain: message.retain,
            topic: Some(TopicName::parse(message.topic)?),
            packet_id,
            properties: message.properties,
            payload: message.payload,
        };
        self.wire.queue(&Packet::Publish(packet))?;
        self.wire.flush().await?;
        let Some(packet_id) = packet_id else { return Ok(ReasonCode::Success) };
        loop {
            let incoming = self.receive().await?;
            if let Incoming::Acknowledged { packet_id: id, reason } = incoming
                && id == packet_id
            {
                return Ok(reason);
            }
            self.keep(incoming)?;
        }
    }

    /// Subscribes to topic filters, each with the highest QoS wanted, and returns the server's
    /// reason code for each. What arrives meanwhile is kept for [`next`](Self::next).
    ///
    /// # Errors
    /// Filters that cannot be sent, a connection that broke or ended.
    pub async fn subscribe(
        &mut self,
        filters: &[(&str, QoS)],
    ) -> Result<Vec<ReasonCode>, DeviceError> {
        if filters.iter().any(|(_, qos)| *qos == QoS::ExactlyOnce) {
            return Err(DeviceError::Unsupported("QoS 2"));
        }
        let packet_id = self.next_packet_id();
        let with_qos = |qos| SubscribeOptions { qos, ..SubscribeOptions::default() };
        let filters = filters.iter().map(|(filter, qos)| (*filter, with_qos(*qos))).collect();
        let packet = Subscribe { packet_id, properties: Properties::EMPTY, filters };
        self.wire.queue(&Packet::Subscribe(packet))?;
        self.answer(packet_id).await
    }

    /// Gives subscriptions up. The reason codes are those of the server; MQTT 3.1.1 has none, and
    /// the list is empty. What arrives meanwhile is kept for [`next`](Self::next).
    ///
    /// # Errors
    /// Filters that cannot be sent, a connection that broke or ended.
    pub async fn unsubscribe(&mut self, filters: &[&str]) -> Result<Vec<ReasonCode>, DeviceError> {
        let packet_id = self.next_packet_id();
        let filters = filters.to_vec();
        let packet = Unsubscribe { packet_id, properties: Properties::EMPTY, filters };
        self.wire.queue(&Packet::Unsubscribe(packet))?;
        self.answer(packet_id).await
    }

    /// Says goodbye and closes the connection.
    ///
    /// # Errors
    /// A connection that broke before.
    pub async fn disconnect(mut self) -> Result<(), DeviceError> {
        if self.ended.is_some() {
            return Ok(());
        }
        let reason = ReasonCode::Success;
        self.wire
            .queue(&Packet::Disconnect(Disconnect { reason, properties: Properties::EMPTY }))?;
        self.wire.flush().await?;
        self.wire.close().await
    }

    /// The server's answer to a SUBSCRIBE or UNSUBSCRIBE.
    async fn answer(&mut self, packet_id: PacketId) -> Result<Vec<ReasonCode>, DeviceError> {
        self.wire.flush().await?;
        loop {
            match self.receive().await? {
                Incoming::Answered { packet_id: id, reasons } if id == packet_id => {
                    return Ok(reasons);
                }
                incoming @ (Incoming::Message(_)
                | Incoming::Acknowledged { .. }
                | Incoming::Answered { .. }
                | Incoming::Ended(_)) => self.keep(incoming)?,
            }
        }
    }

    /// Deals with what is not the awaited answer.
    fn keep(&mut self, incoming: Incoming) -> Result<(), DeviceError> {
        match incoming {
            Incoming::Message(message) => self.waiting.push_back(message),
            Incoming::Ended(ending) => return Err(DeviceError::Ended(ending)),
            // The answer to something that was given up.
            Incoming::Acknowledged { .. } | Incoming::Answered { .. } => {}
        }
        Ok(())
    }

    async fn receive(&mut self) -> Result<Incoming, DeviceError> {
        if let Some(ending) = &self.ended {
            return Ok(Incoming::Ended(ending.clone()));
        }
        let incoming = self.wire.receive().await?;
        if let Incoming::Ended(ending) = &incoming {
            self.ended = Some(ending.clone());
        }
        Ok(incoming)
    }

    /// Identifiers in turn. One request is under way at a time, so none is in use.
    fn next_packet_id(&mut self) -> PacketId {
        self.last_packet_id = self.last_packet_id.checked_add(1).unwrap_or(1);
        PacketId::new(self.last_packet_id).expect("1 follows the highest")
    }
}

impl std::fmt::Debug for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Device")
            .field("waiting", &self.waiting.len())
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}
