//! The end of a connection.

use std::net::SocketAddr;

use engine::close::CloseReason;
use serde::{Serialize, Serializer};

use crate::event::{Event, Protocol};
use crate::member::{self, Ending};
use crate::{Metrics, Status, TraceId};

/// The end of a connection whose [`Connect`](crate::event::Connect) succeeded.
///
/// A failure is an end because somebody broke a rule or something broke; a device that left, was
/// lost or fell silent is the ordinary course of things.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Disconnect<'a> {
    /// The connection's.
    #[serde(skip)]
    pub trace_id: TraceId,
    /// The client ID.
    #[serde(serialize_with = "member::text")]
    pub client_id: &'a str,
    /// Who the device proved to be.
    #[serde(serialize_with = "member::text")]
    pub principal_id: &'a str,
    /// Where it connected from.
    #[serde(flatten, serialize_with = "member::source")]
    pub source: SocketAddr,
    /// Why it ended: `disconnectReason`, and on a failure `reason` and `mqttReasonCode`.
    #[serde(flatten, serialize_with = "ending")]
    pub reason: CloseReason,
    /// The sentence for people, if there is more to say.
    #[serde(serialize_with = "member::text_option", skip_serializing_if = "Option::is_none")]
    pub details: Option<&'a str>,
    /// The connection's epoch.
    #[serde(rename = "connectionEpoch")]
    pub epoch: u64,
}

impl Event for Disconnect<'_> {
    const TYPE: &'static str = "Disconnect";

    fn trace_id(&self) -> TraceId {
        self.trace_id
    }

    fn status(&self) -> Status {
        status(self.reason)
    }

    fn protocol(&self) -> Option<Protocol> {
        Some(Protocol::Mqtt)
    }

    fn count(&self, metrics: &Metrics) {
        metrics.disconnect(self.reason);
    }
}

fn status(reason: CloseReason) -> Status {
    match reason {
        CloseReason::ClientInitiated { .. }
        | CloseReason::ConnectionLost
        | CloseReason::TakenOver
        | CloseReason::KeepAliveTimeout
        | CloseReason::ServerShutdown
        | CloseReason::WebSocketExpired => Status::Success,
        CloseReason::ClientError(_)
        | CloseReason::Forbidden
        | CloseReason::WriteStalled
        | CloseReason::ServerError => Status::Failure,
    }
}

fn ending<S: Serializer>(reason: &CloseReason, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Closed<'a> {
        disconnect_reason: &'static str,
        #[serde(flatten)]
        failure: Ending<'a>,
    }
    let word = reason.disconnect_reason();
    let failure = match status(*reason) {
        Status::Success => Ending::default(),
        Status::Failure => Ending {
            reason: Some(word),
            details: None,
            mqtt_reason_code: reason.disconnect_code().map(|code| code as u8),
        },
    };
    Closed { disconnect_reason: word, failure }.serialize(serializer)
}
