//! What devices want to hear, and no longer.

use std::net::SocketAddr;

use mqtt::ReasonCode;
use serde::Serialize;

use crate::event::{Event, Protocol};
use crate::member;
use crate::{Metrics, Status, TraceId, Verdict};

/// A SUBSCRIBE.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Subscribe<'a> {
    /// The connection's.
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
    /// What is asked for, with the answers.
    #[serde(flatten)]
    pub filters: Filters<'a>,
    /// Of the packet as a whole: a success may have filters that were refused.
    #[serde(flatten, serialize_with = "member::verdict")]
    pub outcome: Verdict<'a>,
}

/// The filters of a SUBSCRIBE as they are logged: `topicName`, and with MQTT 5 `subscriptions`.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Filters<'a> {
    #[serde(serialize_with = "member::joined_answered")]
    topic_name: &'a [(&'a str, ReasonCode)],
    #[serde(serialize_with = "member::answered", skip_serializing_if = "<[_]>::is_empty")]
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

    fn count(&self, metrics: &Metrics) {
        metrics.subscribe(&self.outcome);
    }
}

/// An UNSUBSCRIBE.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Unsubscribe<'a> {
    /// The connection's.
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
    /// What it no longer wants to hear.
    #[serde(rename = "topicName", serialize_with = "member::joined")]
    pub filters: &'a [&'a str],
    /// Accepted or refused.
    #[serde(flatten, serialize_with = "member::verdict")]
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

    fn count(&self, metrics: &Metrics) {
        metrics.unsubscribe(&self.outcome);
    }
}
