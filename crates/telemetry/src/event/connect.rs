//! A CONNECT, accepted or refused.

use std::net::SocketAddr;

use mqtt::Version;
use serde::Serialize;

use crate::event::{Event, Protocol};
use crate::member;
use crate::{Metrics, Status, TraceId, Verdict};

/// A CONNECT of a device that proved who it is. A success counts one more open connection, which
/// [`Disconnect`](crate::event::Disconnect) takes back: there is exactly one for each.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Connect<'a> {
    /// The connection's.
    #[serde(skip)]
    pub trace_id: TraceId,
    /// The client ID, assigned by the broker if need be.
    #[serde(serialize_with = "member::text")]
    pub client_id: &'a str,
    /// Who the device proved to be.
    #[serde(serialize_with = "member::text")]
    pub principal_id: &'a str,
    /// Where it connects from.
    #[serde(flatten, serialize_with = "member::source")]
    pub source: SocketAddr,
    /// The MQTT version (`mqttVersion`, ours).
    #[serde(rename = "mqttVersion", serialize_with = "member::version")]
    pub version: Version,
    /// Accepted or refused.
    #[serde(flatten, serialize_with = "member::verdict")]
    pub outcome: Verdict<'a>,
    /// The thing it speaks for, if it does.
    #[serde(serialize_with = "member::text_option", skip_serializing_if = "Option::is_none")]
    pub thing_name: Option<&'a str>,
    /// The keep-alive in force, in seconds.
    #[serde(rename = "keepAliveDuration")]
    pub keep_alive: u16,
    /// Life of the session without a connection, in seconds.
    pub session_expiry: u32,
    /// Whether the session starts anew.
    pub clean_session: bool,
    /// The connection's epoch; `None` when it was refused.
    #[serde(rename = "connectionEpoch", skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u64>,
}

impl Event for Connect<'_> {
    const TYPE: &'static str = "Connect";

    fn trace_id(&self) -> TraceId {
        self.trace_id
    }

    fn status(&self) -> Status {
        self.outcome.status()
    }

    fn protocol(&self) -> Option<Protocol> {
        Some(Protocol::Mqtt)
    }

    fn count(&self, metrics: &Metrics) {
        metrics.connect(&self.outcome);
    }
}
