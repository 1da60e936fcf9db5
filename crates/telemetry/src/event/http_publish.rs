//! One Publish over HTTP.

use crate::event::{Event, Party, Protocol, Refusal, Sender, Subject};
use crate::line::{Line, key};
use crate::{Metrics, Status, TraceId};

/// A publish over HTTP, however it ended: exactly one for each request whose credentials were
/// accepted. Its type is that of a device's publish; its protocol is not.
#[derive(Clone, Copy, Debug)]
pub struct HttpPublish<'a> {
    /// Who publishes.
    pub sender: Sender<'a>,
    /// The topic as the sender named it, valid or not; empty when it could not be read.
    pub topic: &'a str,
    /// Whether it is to be retained.
    pub retain: bool,
    /// What it is measured by (spec 9), in bytes. Counted, not logged.
    pub bytes: usize,
    /// Why it was refused; none for a success.
    pub refused: Option<Refusal<'a>>,
}

impl Event for HttpPublish<'_> {
    const TYPE: &'static str = "Publish-In";

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
        if self.retain {
            line.word(key!("retain"), "True");
        }
        Refusal::write(self.refused.as_ref(), line);
    }

    fn count(&self, metrics: &Metrics) {
        metrics.publish_in(&Refusal::verdict(self.refused.as_ref()), self.bytes);
    }
}
