//! How a device connects.

use std::time::Duration;

use mqtt::Version;

use crate::endpoint::Endpoint;
use crate::tls::Tls;

/// How a device connects. [`DeviceOptions::new`] has the usual values.
#[derive(Clone)]
pub struct DeviceOptions {
    /// Where the server is.
    pub endpoint: Endpoint,
    /// Its MQTT client ID. Empty: the server chooses one (MQTT 5.0).
    pub client_id: String,
    /// The MQTT version.
    pub version: Version,
    /// The longest silence of the device in seconds, after which the server gives it up; 0: no
    /// limit. PINGREQ is sent after three quarters of it.
    pub keep_alive: u16,
    /// Start a new session.
    pub clean_start: bool,
    /// TLS, with the client certificate if the server wants one; `None`: plain TCP.
    pub tls: Option<Tls>,
    /// The MQTT user name.
    pub username: Option<String>,
    /// The MQTT password.
    pub password: Option<Vec<u8>>,
    /// The most unacknowledged messages the server may have under way, MQTT 5.0.
    pub receive_maximum: Option<u16>,
    /// The largest packet the device takes, in bytes, MQTT 5.0. A larger one from the server is an
    /// error in both versions.
    pub maximum_packet_size: Option<u32>,
    /// How long the server keeps the session after the connection, in seconds, MQTT 5.0.
    pub session_expiry: Option<u32>,
    /// The time for everything up to CONNACK.
    pub connect_timeout: Duration,
}

impl DeviceOptions {
    /// MQTT 5.0 over plain TCP with a new session, a keep-alive time of 60 s and 10 s to connect.
    pub fn new(endpoint: Endpoint, client_id: impl Into<String>) -> Self {
        Self {
            endpoint,
            client_id: client_id.into(),
            version: Version::V5,
            keep_alive: 60,
            clean_start: true,
            tls: None,
            username: None,
            password: None,
            receive_maximum: None,
            maximum_packet_size: None,
            session_expiry: None,
            connect_timeout: Duration::from_secs(10),
        }
    }
}

impl std::fmt::Debug for DeviceOptions {
    /// Leaves user name and password out.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DeviceOptions")
            .field("endpoint", &self.endpoint)
            .field("client_id", &self.client_id)
            .field("version", &self.version)
            .field("tls", &self.tls)
            .finish_non_exhaustive()
    }
}
