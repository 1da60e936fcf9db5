//! Why a device is not connected, or no longer.

use std::io;

use mqtt::{DecodeError, EncodeError, ReasonCode, TopicError};

use super::Ending;
use crate::dial::DialError;

/// Why a device could not connect.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// There is no connection to the server.
    #[error(transparent)]
    Dial(#[from] DialError),
    /// The server does not accept the client certificate. With TLS 1.3 this is known only after
    /// the handshake.
    #[error("the server rejected the client certificate: {0}")]
    CertificateRejected(rustls::Error),
    /// The server refused in CONNACK.
    #[error("the server refused the connection: {reason}{}", colon(.text))]
    Refused {
        /// Why.
        reason: ReasonCode,
        /// The server's words, if it has any.
        text: Option<String>,
    },
    /// The server closed the connection instead of sending CONNACK.
    #[error("the server closed the connection without an answer to CONNECT")]
    Closed,
    /// CONNACK did not come in time.
    #[error("the server accepted the connection but did not answer CONNECT in time")]
    NoAnswer,
    /// CONNECT could not be exchanged.
    #[error(transparent)]
    Exchange(DeviceError),
}

/// Why a device cannot go on, or could not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Io(#[from] io::Error),
    /// The server sent something that is no MQTT.
    #[error("the server does not keep to MQTT: {0}")]
    Malformed(#[from] DecodeError),
    /// The server sent a packet that has no place here.
    #[error("the server sent an unexpected {0}")]
    Unexpected(&'static str),
    /// The server did not answer PINGREQ.
    #[error("the server did not answer PINGREQ")]
    Silent,
    /// A packet cannot be written as asked.
    #[error("cannot be sent: {0}")]
    Unsendable(#[from] EncodeError),
    /// The topic to publish to is none.
    #[error("cannot be published: {0}")]
    Topic(#[from] TopicError),
    /// This client does not do that.
    #[error("this client does not support {0}")]
    Unsupported(&'static str),
    /// The connection ended while an answer was awaited.
    #[error("{0}")]
    Ended(Ending),
}

fn colon(text: &Option<String>) -> String {
    text.as_ref().map(|text| format!(": {text}")).unwrap_or_default()
}
