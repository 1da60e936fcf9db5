//! What happens to a device.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use mqtt::{PacketId, Properties, PropertiesBuf, QoS, ReasonCode};

/// Something that happened on the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A message arrived.
    Message(Message),
    /// The connection is over.
    Disconnected(Ending),
}

/// A message from the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The topic it was published to.
    pub topic: String,
    /// The application's bytes.
    pub payload: Bytes,
    /// QoS 0 or 1.
    pub qos: QoS,
    /// What to [acknowledge](crate::Device::acknowledge) it with; there is one for QoS 1.
    pub packet_id: Option<PacketId>,
    /// Content type, response topic, user properties and the like; empty in MQTT 3.1.1.
    pub properties: PropertiesBuf,
    /// Whether it is a retained message.
    pub retain: bool,
    /// Whether it may have been sent before.
    pub dup: bool,
}

/// How a connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The server sent DISCONNECT, MQTT 5.0.
    Told {
        /// Why.
        reason: ReasonCode,
        /// The server's words, if it has any.
        text: Option<String>,
    },
    /// The server closed the connection without a word, as MQTT 3.1.1 servers do.
    Closed,
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ending::Told { reason, text: None } => write!(f, "the server said {reason}"),
            Ending::Told { reason, text: Some(text) } => {
                write!(f, "the server said {reason}: {text}")
            }
            Ending::Closed => f.write_str("the server closed the connection without a reason"),
        }
    }
}

/// A message to publish.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// Where to.
    pub topic: &'a str,
    /// The application's bytes.
    pub payload: &'a [u8],
    /// QoS 0 or 1.
    pub qos: QoS,
    /// Whether the server shall keep it for later subscribers.
    pub retain: bool,
    /// Content type and the like; ignored in MQTT 3.1.1.
    pub properties: Properties<'a>,
}

/// What the server said in CONNACK.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connected {
    /// Whether an earlier session goes on.
    pub session_present: bool,
    /// The client ID the server chose for a device that brought none.
    pub assigned_client_id: Option<String>,
    /// The keep-alive time in force, in seconds: the server's, or else the device's own.
    pub keep_alive: u16,
    /// The most unacknowledged messages the device may have under way.
    pub receive_maximum: Option<u16>,
    /// The largest packet the server takes, in bytes.
    pub maximum_packet_size: Option<u32>,
    /// How long the server keeps the session, in seconds, if it is not what the device asked for.
    pub session_expiry: Option<u32>,
    /// The time from the first step to CONNACK.
    pub elapsed: Duration,
}
