//! Messages of publish and subscribe. Direct messages have none of these (spec 8.2).

use std::net::SocketAddr;

use serde::Serialize;

use crate::event::{Event, Protocol};
use crate::member;
use crate::{Metrics, Status, TraceId, Verdict};

/// A PUBLISH of a device.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PublishIn<'a> {
    /// The connection's.
    #[serde(skip)]
    pub trace_id: TraceId,
    /// The publisher.
    #[serde(serialize_with = "member::text")]
    pub client_id: &'a str,
    /// Who the publisher proved to be.
    #[serde(serialize_with = "member::text")]
    pub principal_id: &'a str,
    /// Where the publisher connects from.
    #[serde(flatten, serialize_with = "member::source")]
    pub source: SocketAddr,
    /// The topic.
    #[serde(rename = "topicName", serialize_with = "member::text")]
    pub topic: &'a str,
    /// Whether it is to be retained.
    #[serde(serialize_with = "member::true_text", skip_serializing_if = "member::is_unset")]
    pub retain: bool,
    /// Accepted or refused.
    #[serde(flatten, serialize_with = "member::verdict")]
    pub outcome: Verdict<'a>,
}

impl Event for PublishIn<'_> {
    const TYPE: &'static str = "Publish-In";

    fn trace_id(&self) -> TraceId {
        self.trace_id
    }

    fn status(&self) -> Status {
        self.outcome.status()
    }

    fn protocol(&self) -> Option<Protocol> {
        Some(Protocol::Mqtt)
    }

    fn count(&self, metrics: &Metrics) {
        metrics.publish_in(&self.outcome);
    }
}

/// A PUBLISH to one subscriber.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PublishOut<'a> {
    /// The subscriber's connection's.
    #[serde(skip)]
    pub trace_id: TraceId,
    /// The subscriber.
    #[serde(serialize_with = "member::text")]
    pub client_id: &'a str,
    /// Who the subscriber proved to be.
    #[serde(serialize_with = "member::text")]
    pub principal_id: &'a str,
    /// Where the subscriber connects from.
    #[serde(flatten, serialize_with = "member::source")]
    pub source: SocketAddr,
    /// The topic.
    #[serde(rename = "topicName", serialize_with = "member::text")]
    pub topic: &'a str,
    /// Sent or not.
    #[serde(flatten, serialize_with = "member::verdict")]
    pub outcome: Verdict<'a>,
}

impl Event for PublishOut<'_> {
    const TYPE: &'static str = "Publish-Out";

    fn trace_id(&self) -> TraceId {
        self.trace_id
    }

    fn status(&self) -> Status {
        self.outcome.status()
    }

    fn protocol(&self) -> Option<Protocol> {
        Some(Protocol::Mqtt)
    }

    fn count(&self, metrics: &Metrics) {
        metrics.publish_out(&self.outcome);
    }
}
