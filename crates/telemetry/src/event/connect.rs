//! A CONNECT, accepted or refused.

use std::net::SocketAddr;

use mqtt::Version;

use crate::event::{Event, Party, Protocol};
use crate::line::{Line, key};
use crate::{Metrics, Status, TraceId, Verdict};

/// A CONNECT of a device that proved who it is. A success counts one more open connection, which
/// [`Disconnect`](crate::event::Disconnect) takes back: there is exactly one for each.
#[derive(Clone, Copy, Debug)]
pub struct Connect<'a> {
    /// The connection's.
    pub trace_id: TraceId,
    /// The client ID, assigned by the broker if need be.
    pub client_id: &'a str,
    /// Who the device proved to be.
    pub principal_id: &'a str,
    /// Where it connects from.
    pub source: SocketAddr,
    /// The MQTT version (`mqttVersion`, ours).
    pub version: Version,
    /// Accepted or refused.
    pub outcome: Verdict<'a>,
    /// The thing it speaks for, if it does.
    pub thing_name: Option<&'a str>,
    /// The keep-alive in force, in seconds.
    pub keep_alive: u16,
    /// Life of the session without a connection, in seconds.
    pub session_expiry: u32,
    /// Whether the session starts anew.
    pub clean_session: bool,
    /// The connection's epoch; `None` when it was refused.
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

    fn party(&self) -> Option<Party<'_>> {
        let Self { client_id, principal_id, source, .. } = *self;
        Some(Party { client_id, principal_id, source })
    }

    fn write(&self, line: &mut Line) {
        let version = match self.version {
            Version::V311 => "3.1.1",
            Version::V5 => "5.0",
        };
        line.word(key!("mqttVersion"), version);
        line.verdict(&self.outcome);
        line.text_option(key!("thingName"), self.thing_name);
        line.number(key!("keepAliveDuration"), self.keep_alive.into());
        line.number(key!("sessionExpiry"), self.session_expiry.into());
        line.boolean(key!("cleanSession"), self.clean_session);
        line.number_option(key!("connectionEpoch"), self.epoch);
    }

    fn count(&self, metrics: &Metrics) {
        metrics.connect(&self.outcome);
    }
}
