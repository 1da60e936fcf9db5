//! One request that names many receivers.

use crate::event::{Event, Party, Protocol, Refusal, Sender, Subject};
use crate::line::{Line, key};
use crate::{Metrics, Status, TraceId};

/// A message to many, however it ended: exactly one for each request whose credentials were
/// accepted. Each receiver has an entry of its own as well, [`DirectMessage`](super::DirectMessage),
/// whose `batch` is the trace ID of this one.
#[derive(Clone, Copy, Debug)]
pub struct DirectMessages<'a> {
    /// Who sends.
    pub sender: Sender<'a>,
    /// The topic as the sender named it; empty when it could not be read.
    pub topic: &'a str,
    /// How many targets it came to; none of a request that was refused.
    pub targets: Option<usize>,
    /// To how many the message went as it was to go.
    pub succeeded: usize,
    /// How many were told something else.
    pub failed: usize,
    /// Why it was refused or did not come to its end; none for one that did, whatever became of its
    /// targets.
    pub refused: Option<Refusal<'a>>,
}

impl Event for DirectMessages<'_> {
    const TYPE: &'static str = "SendDirectMessages";

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
        if let Some(targets) = self.targets {
            line.number(key!("targets"), targets as u64);
            line.number(key!("succeeded"), self.succeeded as u64);
            line.number(key!("failed"), self.failed as u64);
        }
        Refusal::write(self.refused.as_ref(), line);
    }

    fn count(&self, _: &Metrics) {
        // The request is counted by its status, and each of its messages on its own.
    }
}
