//! Messages for sessions without a connection.

use mqtt::QoS;

use crate::event::{Event, Party, Protocol, Subject};
use crate::line::{Line, key};
use crate::{Metrics, Status, TraceId, Verdict};

/// A message was queued for a session without a connection, or was not.
#[derive(Clone, Copy, Debug)]
pub struct Queued<'a> {
    /// Its own: the connection is over.
    pub trace_id: TraceId,
    /// Whose session it is.
    pub client_id: &'a str,
    /// The topic.
    pub topic: &'a str,
    /// At what quality of service.
    pub qos: QoS,
    /// Queued or discarded.
    pub outcome: Verdict<'a>,
}

impl Event for Queued<'_> {
    const TYPE: &'static str = "Queued";

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
        None
    }

    fn subject(&self) -> Subject<'_> {
        Subject { client_id: Some(self.client_id), ..Subject::default() }
    }

    fn write(&self, line: &mut Line) {
        line.text(key!("clientId"), self.client_id);
        line.text(key!("topicName"), self.topic);
        line.word(key!("qos"), if self.qos == QoS::ExactlyOnce { "2" } else { "1" });
        line.verdict(&self.outcome);
    }

    fn count(&self, metrics: &Metrics) {
        metrics.queued(&self.outcome);
    }
}
