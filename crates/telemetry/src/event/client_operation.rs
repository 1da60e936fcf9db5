//! Operations over HTTP on one client: GetConnection, DeleteConnection, ListSubscriptions.

use crate::event::{Event, Party, Protocol, Refusal, Sender};
use crate::line::{Line, key};
use crate::{Metrics, Status, TraceId};

/// What the entries of these operations have in common.
#[derive(Clone, Copy, Debug)]
pub struct ClientOperation<'a> {
    /// Who asks.
    pub sender: Sender<'a>,
    /// The client as the sender named it, valid or not; empty when it could not be read.
    pub client_id: &'a str,
    /// Why it was refused; none for a success.
    pub refused: Option<Refusal<'a>>,
}

impl ClientOperation<'_> {
    fn status(&self) -> Status {
        Refusal::status(self.refused.as_ref())
    }

    /// The client, and who asks.
    fn party(&self) -> Option<Party<'_>> {
        let Sender { principal_id, source, .. } = self.sender;
        Some(Party { client_id: self.client_id, principal_id, source })
    }

    fn write(&self, line: &mut Line) {
        Refusal::write(self.refused.as_ref(), line);
    }

    /// A request is counted by its status; here, by the quota if one was the ground.
    fn count(&self, metrics: &Metrics) {
        if let Some(quota) = Refusal::verdict(self.refused.as_ref()).quota() {
            metrics.throttled(quota);
        }
    }
}

/// One GetConnection, however it ended: exactly one for each request whose credentials were
/// accepted.
#[derive(Clone, Copy, Debug)]
pub struct GetConnection<'a>(pub ClientOperation<'a>);

impl Event for GetConnection<'_> {
    const TYPE: &'static str = "GetConnection";

    fn trace_id(&self) -> TraceId {
        self.0.sender.trace_id
    }

    fn status(&self) -> Status {
        self.0.status()
    }

    fn protocol(&self) -> Option<Protocol> {
        Some(Protocol::Http)
    }

    fn party(&self) -> Option<Party<'_>> {
        self.0.party()
    }

    fn write(&self, line: &mut Line) {
        self.0.write(line);
    }

    fn count(&self, metrics: &Metrics) {
        self.0.count(metrics);
    }
}

/// One DeleteConnection, in the same way. The end of the connection is an event of its own.
#[derive(Clone, Copy, Debug)]
pub struct DeleteConnection<'a>(pub ClientOperation<'a>);

impl Event for DeleteConnection<'_> {
    const TYPE: &'static str = "DeleteConnection";

    fn trace_id(&self) -> TraceId {
        self.0.sender.trace_id
    }

    fn status(&self) -> Status {
        self.0.status()
    }

    fn protocol(&self) -> Option<Protocol> {
        Some(Protocol::Http)
    }

    fn party(&self) -> Option<Party<'_>> {
        self.0.party()
    }

    fn write(&self, line: &mut Line) {
        self.0.write(line);
    }

    fn count(&self, metrics: &Metrics) {
        self.0.count(metrics);
    }
}

/// One ListSubscriptions, in the same way.
#[derive(Clone, Copy, Debug)]
pub struct ListSubscriptions<'a> {
    /// Of which client, and who asks.
    pub operation: ClientOperation<'a>,
    /// How many filters the page may have; none if that could not be read.
    pub max_results: Option<usize>,
}

impl Event for ListSubscriptions<'_> {
    const TYPE: &'static str = "ListSubscriptions";

    fn trace_id(&self) -> TraceId {
        self.operation.sender.trace_id
    }

    fn status(&self) -> Status {
        self.operation.status()
    }

    fn protocol(&self) -> Option<Protocol> {
        Some(Protocol::Http)
    }

    fn party(&self) -> Option<Party<'_>> {
        self.operation.party()
    }

    fn write(&self, line: &mut Line) {
        line.number_option(key!("maxResults"), self.max_results.map(|most| most as u64));
        self.operation.write(line);
    }

    fn count(&self, metrics: &Metrics) {
        self.operation.count(metrics);
    }
}
