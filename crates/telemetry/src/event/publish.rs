//! Messages of publish and subscribe. Direct messages have none of these (spec 8.2).

use std::net::SocketAddr;

use crate::event::{Event, Party, Protocol, Series};
use crate::line::{Line, key};
use crate::{Metrics, Status, TraceId, Verdict};

/// A PUBLISH of a device.
#[derive(Clone, Copy, Debug)]
pub struct PublishIn<'a> {
    /// The connection's.
    pub trace_id: TraceId,
    /// The publisher.
    pub client_id: &'a str,
    /// Who the publisher proved to be.
    pub principal_id: &'a str,
    /// Where the publisher connects from.
    pub source: SocketAddr,
    /// The topic.
    pub topic: &'a str,
    /// Whether it is to be retained.
    pub retain: bool,
    /// What it is measured by (spec 9), in bytes. Counted, not logged.
    pub bytes: usize,
    /// Accepted or refused.
    pub outcome: Verdict<'a>,
}

impl Event for PublishIn<'_> {
    const TYPE: &'static str = "Publish-In";
    const SERIES: Option<Series> = Some(Series::PublishIn);

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
        line.text(key!("topicName"), self.topic);
        if self.retain {
            line.word(key!("retain"), "True");
        }
        line.verdict(&self.outcome);
    }

    fn count(&self, metrics: &Metrics) {
        metrics.publish_in(&self.outcome, self.bytes);
    }
}

/// A PUBLISH to one subscriber.
#[derive(Clone, Copy, Debug)]
pub struct PublishOut<'a> {
    /// The subscriber's connection's.
    pub trace_id: TraceId,
    /// The subscriber.
    pub client_id: &'a str,
    /// Who the subscriber proved to be.
    pub principal_id: &'a str,
    /// Where the subscriber connects from.
    pub source: SocketAddr,
    /// The topic.
    pub topic: &'a str,
    /// What it is measured by (spec 9), in bytes. Counted, not logged.
    pub bytes: usize,
    /// Sent or not.
    pub outcome: Verdict<'a>,
}

impl Event for PublishOut<'_> {
    const TYPE: &'static str = "Publish-Out";
    const SERIES: Option<Series> = Some(Series::PublishOut);

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
        line.text(key!("topicName"), self.topic);
        line.verdict(&self.outcome);
    }

    fn count(&self, metrics: &Metrics) {
        metrics.publish_out(&self.outcome, self.bytes);
    }
}
