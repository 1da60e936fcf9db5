//! The end of a connection.

use std::net::SocketAddr;

use engine::close::CloseReason;

use crate::event::{Event, Party, Protocol};
use crate::line::{Line, key};
use crate::member::Ending;
use crate::{Metrics, Status, TraceId};

/// The end of a connection whose [`Connect`](crate::event::Connect) succeeded.
///
/// A failure is an end because somebody broke a rule or something broke; a device that left, was
/// lost or fell silent is the ordinary course of things.
#[derive(Clone, Copy, Debug)]
pub struct Disconnect<'a> {
    /// The connection's.
    pub trace_id: TraceId,
    /// The client ID.
    pub client_id: &'a str,
    /// Who the device proved to be.
    pub principal_id: &'a str,
    /// Where it connected from.
    pub source: SocketAddr,
    /// Why it ended: `disconnectReason`, and on a failure `reason` and `mqttReasonCode`.
    pub reason: CloseReason,
    /// The sentence for people, if there is more to say.
    pub details: Option<&'a str>,
    /// The connection's epoch.
    pub epoch: u64,
}

impl Event for Disconnect<'_> {
    const TYPE: &'static str = "Disconnect";

    fn trace_id(&self) -> TraceId {
        self.trace_id
    }

    fn status(&self) -> Status {
        match self.reason {
            CloseReason::ClientInitiated { .. }
            | CloseReason::ConnectionLost
            | CloseReason::TakenOver
            | CloseReason::KeepAliveTimeout
            | CloseReason::ServerShutdown
            | CloseReason::WebSocketExpired => Status::Success,
            CloseReason::ClientError(_)
            | CloseReason::Forbidden
            | CloseReason::NotInUse(_)
            | CloseReason::WriteStalled
            | CloseReason::MissedAck
            | CloseReason::ServerError
            | CloseReason::StoreFailed => Status::Failure,
        }
    }

    fn protocol(&self) -> Option<Protocol> {
        Some(Protocol::Mqtt)
    }

    fn party(&self) -> Option<Party<'_>> {
        let Self { client_id, principal_id, source, .. } = *self;
        Some(Party { client_id, principal_id, source })
    }

    fn write(&self, line: &mut Line) {
        let word = self.reason.disconnect_reason();
        line.word(key!("disconnectReason"), word);
        if self.status() == Status::Failure {
            line.ending(&Ending {
                reason: Some(word),
                details: None,
                mqtt_reason_code: self.reason.disconnect_code().map(|code| code as u8),
            });
        }
        line.text_option(key!("details"), self.details);
        line.number(key!("connectionEpoch"), self.epoch);
    }

    fn count(&self, metrics: &Metrics) {
        metrics.disconnect(self.reason);
    }
}
