//! What devices want to hear, and no longer.

use std::net::SocketAddr;

use mqtt::ReasonCode;

use crate::event::{Event, Party, Protocol};
use crate::line::Line;
use crate::{Metrics, Status, TraceId, Verdict};

/// A SUBSCRIBE.
#[derive(Clone, Copy, Debug)]
pub struct Subscribe<'a> {
    /// The connection's.
    pub trace_id: TraceId,
    /// The subscriber.
    pub client_id: &'a str,
    /// Who the subscriber proved to be.
    pub principal_id: &'a str,
    /// Where the subscriber connects from.
    pub source: SocketAddr,
    /// What is asked for, with the answers.
    pub filters: Filters<'a>,
    /// Of the packet as a whole: a success may have filters that were refused.
    pub outcome: Verdict<'a>,
}

/// The filters of a SUBSCRIBE as they are logged: `topicName`, and with MQTT 5 `subscriptions`.
#[derive(Clone, Copy, Debug)]
pub struct Filters<'a> {
    topic_name: &'a [(&'a str, ReasonCode)],
    subscriptions: &'a [(&'a str, ReasonCode)],
}

impl<'a> Filters<'a> {
    /// Filters with the codes of their SUBACK, for a subscriber of that version.
    pub fn new(version: mqtt::Version, filters: &'a [(&'a str, ReasonCode)]) -> Self {
        let subscriptions = match version {
            mqtt::Version::V311 => &[],
            mqtt::Version::V5 => filters,
        };
        Filters { topic_name: filters, subscriptions }
    }
}

impl Event for Subscribe<'_> {
    const TYPE: &'static str = "Subscribe";

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
        line.joined(self.filters.topic_name.iter().map(|(filter, _)| *filter));
        line.subscriptions(self.filters.subscriptions);
        line.verdict(&self.outcome);
    }

    fn count(&self, metrics: &Metrics) {
        metrics.subscribe(&self.outcome);
    }
}

/// An UNSUBSCRIBE.
#[derive(Clone, Copy, Debug)]
pub struct Unsubscribe<'a> {
    /// The connection's.
    pub trace_id: TraceId,
    /// The subscriber.
    pub client_id: &'a str,
    /// Who the subscriber proved to be.
    pub principal_id: &'a str,
    /// Where the subscriber connects from.
    pub source: SocketAddr,
    /// What it no longer wants to hear.
    pub filters: &'a [&'a str],
    /// Accepted or refused.
    pub outcome: Verdict<'a>,
}

impl Event for Unsubscribe<'_> {
    const TYPE: &'static str = "Unsubscribe";

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
        line.joined(self.filters.iter().copied());
        line.verdict(&self.outcome);
    }

    fn count(&self, metrics: &Metrics) {
        metrics.unsubscribe(&self.outcome);
    }
}
