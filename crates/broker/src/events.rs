//! What happened on a connection, as the log and the metrics hear of it.

use std::sync::Arc;

use engine::access::Peer;
use engine::close::CloseReason;
use engine::message::Publication;
use engine::metering;
use engine::session::{Delivered, Granted, Refusal};
use mqtt::{ClientId, Connect, Properties, QoS, ReasonCode, Subscribe, Unsubscribe, Version};
use telemetry::{FailureClass, Quota, TraceId, Verdict, event};

use crate::accept::Entrance;
use crate::connection::Connection;
use crate::device::Device;
use crate::leave::Ending;
use crate::node::Node;

/// Why a CONNECT was refused.
pub(crate) enum ConnectEnd {
    /// It did not come, or not whole, in time.
    TimedOut,
    /// What came was no CONNECT.
    Malformed(ReasonCode),
    /// Its terms cannot be granted.
    Refused(Refusal),
    /// The policies do not allow it.
    Denied,
    /// A rate or a number of connections is exceeded.
    Throttled(Quota),
    /// The node shuts down.
    Draining,
}

/// How a PUBLISH fared.
#[derive(Clone, Copy)]
pub(crate) enum PublishEnd {
    Success,
    /// It waits for its turn.
    Queued,
    Denied,
    /// RETAIN on a topic of the server.
    Reserved,
    Throttled(Quota),
    TooLarge,
    NotWritable,
}

impl From<Delivered> for PublishEnd {
    fn from(delivered: Delivered) -> Self {
        match delivered {
            Delivered::Sent => PublishEnd::Success,
            Delivered::Queued => PublishEnd::Queued,
            Delivered::Throttled => PublishEnd::Throttled(Quota::PublishesPerConnection),
            Delivered::QueueFull => PublishEnd::Throttled(Quota::QueuedMessages),
            Delivered::TooLarge => PublishEnd::TooLarge,
            Delivered::NotWritable => PublishEnd::NotWritable,
        }
    }
}

/// A PUBLISH that came in.
#[derive(Clone, Copy)]
pub(crate) struct Arrival<'a> {
    pub(crate) topic: &'a str,
    pub(crate) retain: bool,
    /// What it is measured by (spec 9).
    pub(crate) bytes: usize,
}

/// Whose connection an event belongs to.
#[derive(Clone, Copy)]
pub(crate) struct Link<'a> {
    pub(crate) trace_id: TraceId,
    pub(crate) peer: &'a Peer,
}

impl<'a> Link<'a> {
    pub(crate) fn client_id(self) -> &'a str {
        self.peer.client_id.as_ref().map_or("", ClientId::as_str)
    }

    /// The name of the thing that the device's certificate is attached to exclusively.
    pub(crate) fn exclusive_thing(self) -> Option<&'a str> {
        let is_exclusive = self.peer.principal.grants.load().exclusive_thing.is_some();
        self.peer.thing.as_ref().filter(|_| is_exclusive).map(|thing| thing.name.as_str())
    }
}

impl Node {
    pub(crate) fn connect_succeeded(
        &self,
        link: Link<'_>,
        granted: &Granted,
        epoch: u64,
        connections: u64,
    ) {
        self.lifecycle.connected(link, epoch, connections, self.wall_millis());
        self.telemetry.record(&event::Connect {
            trace_id: link.trace_id,
            client_id: link.client_id(),
            principal_id: &link.peer.principal.id,
            source: link.peer.source,
            version: granted.version,
            outcome: Verdict::Success,
            thing_name: link.peer.thing.as_ref().map(|thing| thing.name.as_str()),
            keep_alive: granted.keep_alive_seconds,
            session_expiry: granted.session_expiry_seconds,
            clean_session: granted.clean_start,
            epoch: Some(epoch),
        });
    }

    pub(crate) fn connect_failed(
        &self,
        entrance: &Entrance,
        connect: Option<&Connect<'_>>,
        end: &ConnectEnd,
    ) {
        if let (Some(connect), ConnectEnd::Denied) = (connect, end) {
            let principal_id = &entrance.principal.id;
            self.lifecycle.connect_failed(connect.client_id, principal_id, self.wall_millis());
        }
        self.telemetry.record(&event::Connect {
            trace_id: TraceId::random(),
            client_id: connect.map_or("", |connect| connect.client_id),
            principal_id: &entrance.principal.id,
            source: entrance.source,
            version: connect.map_or(Version::V311, |connect| connect.version),
            outcome: end.verdict(),
            thing_name: None,
            keep_alive: connect.map_or(0, |connect| connect.keep_alive),
            session_expiry: 0,
            clean_session: connect.is_none_or(|connect| connect.clean_start),
            epoch: None,
        });
    }

    pub(crate) fn disconnected(
        &self,
        device: &Arc<Device>,
        connection: &Connection,
        reason: CloseReason,
        ending: Ending,
    ) {
        let link = Link { trace_id: connection.trace_id, peer: &connection.peer };
        let (epoch, connections) = (connection.epoch, ending.connections);
        self.lifecycle.disconnected(link, epoch, connections, reason, self.wall_millis());
        self.telemetry.record(&event::Disconnect {
            trace_id: connection.trace_id,
            client_id: device.client_id.as_str(),
            principal_id: &connection.peer.principal.id,
            source: connection.peer.source,
            reason,
            details: matches!(reason, CloseReason::NotInUse(_)).then(|| reason.sentence()),
            epoch: connection.epoch,
        });
    }

    pub(crate) fn publish_in(&self, link: Link<'_>, arrival: &Arrival<'_>, end: PublishEnd) {
        let Arrival { topic, retain, bytes } = *arrival;
        self.telemetry.record(&event::PublishIn {
            trace_id: link.trace_id,
            client_id: link.client_id(),
            principal_id: &link.peer.principal.id,
            source: link.peer.source,
            topic,
            retain,
            bytes,
            outcome: end.verdict("iot:Publish is not allowed on this topic."),
        });
    }

    /// `version` is that of the subscriber's connection.
    pub(crate) fn publish_out(
        &self,
        link: Link<'_>,
        version: Version,
        message: &Publication<'_>,
        end: PublishEnd,
    ) {
        if matches!(end, PublishEnd::Queued) {
            // It gets its entry when it is sent.
            return;
        }
        let topic = message.topic.as_str();
        let properties = match version {
            Version::V5 => message.properties,
            Version::V311 => Properties::EMPTY,
        };
        self.telemetry.record(&event::PublishOut {
            trace_id: link.trace_id,
            client_id: link.client_id(),
            principal_id: &link.peer.principal.id,
            source: link.peer.source,
            topic,
            bytes: metering::message_bytes(topic, properties, message.payload.len()),
            outcome: end.verdict("iot:Receive is not allowed on this topic."),
        });
    }

    /// A message was queued for a session without a connection; or discarded because of a quota.
    pub(crate) fn queued(
        &self,
        device: &Arc<Device>,
        topic: &str,
        qos: QoS,
        exceeded: Option<Quota>,
    ) {
        self.telemetry.record(&event::Queued {
            trace_id: TraceId::random(),
            client_id: device.client_id.as_str(),
            topic,
            qos,
            outcome: exceeded.map_or(Verdict::Success, |quota| Verdict::Failure {
                class: FailureClass::Throttle(quota),
                code: None,
                details: "Throttled while queueing offline message",
            }),
        });
    }

    fn wall_millis(&self) -> u64 {
        self.clock.wall().millis(self.now())
    }

    pub(crate) fn subscribed(
        &self,
        link: Link<'_>,
        version: Version,
        subscribe: &Subscribe<'_>,
        reasons: &[ReasonCode],
    ) {
        let answers = subscribe.filters.iter().zip(reasons);
        let granted = answers.clone().filter(|(_, code)| !code.is_error());
        let granted: Vec<&str> = granted.map(|((text, _), _)| *text).collect();
        self.lifecycle.filters("subscribed", link, &granted, self.wall_millis());
        let filters: Vec<_> = answers.map(|((text, _), code)| (*text, *code)).collect();
        self.telemetry.record(&event::Subscribe {
            trace_id: link.trace_id,
            client_id: link.client_id(),
            principal_id: &link.peer.principal.id,
            source: link.peer.source,
            filters: event::Filters::new(version, &filters),
            outcome: subscribe_verdict(reasons),
        });
    }

    pub(crate) fn unsubscribed(
        &self,
        link: Link<'_>,
        unsubscribe: &Unsubscribe<'_>,
        reasons: &[ReasonCode],
    ) {
        let answers = unsubscribe.filters.iter().zip(reasons);
        let were = answers.filter(|(_, code)| **code == ReasonCode::Success);
        let were: Vec<&str> = were.map(|(text, _)| *text).collect();
        self.lifecycle.filters("unsubscribed", link, &were, self.wall_millis());
        self.telemetry.record(&event::Unsubscribe {
            trace_id: link.trace_id,
            client_id: link.client_id(),
            principal_id: &link.peer.principal.id,
            source: link.peer.source,
            filters: &unsubscribe.filters,
            outcome: Verdict::Success,
        });
    }
}

impl ConnectEnd {
    fn verdict(&self) -> Verdict<'_> {
        let (class, code, details) = match self {
            ConnectEnd::TimedOut => {
                (FailureClass::ClientError, None, "No whole CONNECT came in time.")
            }
            ConnectEnd::Malformed(code) => {
                (FailureClass::ClientError, Some(*code), "What came was not a valid CONNECT.")
            }
            ConnectEnd::Refused(refusal) => {
                (FailureClass::ClientError, Some(refusal.code), refusal.details)
            }
            ConnectEnd::Denied => (
                FailureClass::AuthError,
                Some(ReasonCode::NotAuthorized),
                "iot:Connect is not allowed on this client ID.",
            ),
            ConnectEnd::Throttled(quota) => (
                FailureClass::Throttle(*quota),
                Some(ReasonCode::QuotaExceeded),
                "A quota on connections is exceeded.",
            ),
            ConnectEnd::Draining => (
                FailureClass::ServerError,
                Some(ReasonCode::ServerUnavailable),
                "The server is shutting down.",
            ),
        };
        Verdict::Failure { class, code, details }
    }
}

impl PublishEnd {
    fn verdict(self, denied: &'static str) -> Verdict<'static> {
        let (class, code, details) = match self {
            PublishEnd::Success | PublishEnd::Queued => return Verdict::Success,
            PublishEnd::Reserved => {
                let details = "Messages on a topic of the server are not retained.";
                (FailureClass::ClientError, ReasonCode::TopicNameInvalid, details)
            }
            PublishEnd::Denied => (FailureClass::AuthError, ReasonCode::NotAuthorized, denied),
            PublishEnd::Throttled(quota) => {
                let details = "A quota on publishes is exceeded; the message was discarded.";
                (FailureClass::Throttle(quota), ReasonCode::QuotaExceeded, details)
            }
            PublishEnd::TooLarge => {
                let details = "The message is larger than the client's Maximum Packet Size.";
                (FailureClass::ClientError, ReasonCode::PacketTooLarge, details)
            }
            PublishEnd::NotWritable => {
                let details = "The client does not read what is sent to it; discarded.";
                (FailureClass::ClientError, ReasonCode::QuotaExceeded, details)
            }
        };
        Verdict::Failure { class, code: Some(code), details }
    }
}

/// A SUBSCRIBE failed if none of its filters was granted.
fn subscribe_verdict(reasons: &[ReasonCode]) -> Verdict<'static> {
    let refused = reasons.iter().copied().find(|code| code.is_error());
    let granted = reasons.iter().any(|code| !code.is_error());
    let Some(code) = refused.filter(|_| !granted) else { return Verdict::Success };
    let (class, details) = if code == ReasonCode::NotAuthorized {
        (FailureClass::AuthError, "iot:Subscribe is not allowed on the filters.")
    } else if code == ReasonCode::QuotaExceeded {
        (FailureClass::Throttle(Quota::Subscribes), "A quota on subscriptions is exceeded.")
    } else {
        (FailureClass::ClientError, "The filters are not valid here.")
    };
    Verdict::Failure { class, code: Some(code), details }
}
