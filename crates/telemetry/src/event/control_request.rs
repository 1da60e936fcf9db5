//! Requests to the control plane.

use crate::event::{Event, Party, Protocol, Refusal, Sender, Subject};
use crate::line::{Line, key};
use crate::{Metrics, Status, TraceId};

/// One request to the control plane, however it ended: exactly one for each request whose
/// credentials were accepted. AWS tells of these in CloudTrail.
#[derive(Clone, Copy, Debug)]
pub struct ControlRequest<'a> {
    /// Who asks.
    pub sender: Sender<'a>,
    /// The operation's name in the service model.
    pub operation: &'static str,
    /// The ARN of what it is about, `*` for nothing in particular; empty if the request was refused
    /// before that was known.
    pub resource: &'a str,
    /// Why it was refused; none for a success.
    pub refused: Option<Refusal<'a>>,
}

impl Event for ControlRequest<'_> {
    const TYPE: &'static str = "ControlPlane";

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
        line.word(key!("operation"), self.operation);
        if !self.resource.is_empty() {
            line.text(key!("resource"), self.resource);
        }
        Refusal::write(self.refused.as_ref(), line);
    }

    fn count(&self, _: &Metrics) {
        // A request is counted by its status.
    }
}
