//! Retained messages that are read over HTTP.

use mqtt::QoS;

use crate::event::{Event, Party, Protocol, Refusal, Sender, Subject};
use crate::line::{Line, key};
use crate::{Metrics, Status, TraceId};

/// One GetRetainedMessage, however it ended: exactly one for each request whose credentials were
/// accepted.
#[derive(Clone, Copy, Debug)]
pub struct GetRetainedMessage<'a> {
    /// Who asks.
    pub sender: Sender<'a>,
    /// The topic as the sender named it, valid or not; empty when it could not be read.
    pub topic: &'a str,
    /// At what quality of service the message was published, and when, in milliseconds since 1970;
    /// none if it was not found.
    pub found: Option<(QoS, u64)>,
    /// Why it was refused; none for a success.
    pub refused: Option<Refusal<'a>>,
}

impl Event for GetRetainedMessage<'_> {
    const TYPE: &'static str = "GetRetainedMessage";

    fn trace_id(&self) -> TraceId {
        self.sender.trace_id
    }

    fn status(&self) -> Status {
        Refusal::status(self.refused.as_ref())
    }

    fn protocol(&self) -> Option<Protocol> {
        Some(Protocol::Http)
    }

    fn party(&self) -> Option<Party<'_>> {
        None
    }

    fn subject(&self) -> Subject<'_> {
        self.sender.subject()
    }

    fn write(&self, line: &mut Line) {
        self.sender.write(line);
        if !self.topic.is_empty() {
            line.text(key!("topicName"), self.topic);
        }
        if let Some((qos, modified_millis)) = self.found {
            line.word(key!("qos"), qos_word(qos));
            line.date(key!("lastModifiedDate"), modified_millis);
        }
        Refusal::write(self.refused.as_ref(), line);
    }

    fn count(&self, _: &Metrics) {
        // A request is counted by its status, and a read has no quota.
    }
}

/// A text in the log, not a number (spec 8.2).
fn qos_word(qos: QoS) -> &'static str {
    match qos {
        QoS::AtMostOnce => "0",
        QoS::AtLeastOnce => "1",
        QoS::ExactlyOnce => "2",
    }
}

/// One ListRetainedMessages, however it ended: exactly one for each request whose credentials were
/// accepted.
#[derive(Clone, Copy, Debug)]
pub struct ListRetainedMessage<'a> {
    /// Who asks.
    pub sender: Sender<'a>,
    /// Why it was refused; none for a success.
    pub refused: Option<Refusal<'a>>,
}

impl Event for ListRetainedMessage<'_> {
    /// Without an s, as AWS has it (spec 8.2).
    const TYPE: &'static str = "ListRetainedMessage";

    fn trace_id(&self) -> TraceId {
        self.sender.trace_id
    }

    fn status(&self) -> Status {
        Refusal::status(self.refused.as_ref())
    }

    fn protocol(&self) -> Option<Protocol> {
        Some(Protocol::Http)
    }

    fn party(&self) -> Option<Party<'_>> {
        None
    }

    fn subject(&self) -> Subject<'_> {
        self.sender.subject()
    }

    fn write(&self, line: &mut Line) {
        self.sender.write(line);
        Refusal::write(self.refused.as_ref(), line);
    }

    fn count(&self, _: &Metrics) {
        // A request is counted by its status, and a read has no quota.
    }
}
