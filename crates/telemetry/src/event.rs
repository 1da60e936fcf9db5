//! What can happen: one struct an event, from which come its log entry and its counts.

mod authn_error;
mod client_operation;
mod connect;
mod control_request;
mod direct_message;
mod direct_message_dry_run;
mod direct_messages;
mod disconnect;
mod http_publish;
mod publish;
mod queued;
mod registry_reload;
mod retained_message;
mod sender;
mod server;
mod subscribe;
mod thing_shadow;
mod traces;
mod webhook;

pub use authn_error::{AuthenticationType, AuthnError};
pub use client_operation::{ClientOperation, DeleteConnection, GetConnection, ListSubscriptions};
pub use connect::Connect;
pub use control_request::ControlRequest;
pub use direct_message::DirectMessage;
pub use direct_message_dry_run::DirectMessageDryRun;
pub use direct_messages::DirectMessages;
pub use disconnect::Disconnect;
pub use http_publish::HttpPublish;
pub use publish::{PublishIn, PublishOut};
pub use queued::Queued;
pub use registry_reload::RegistryReload;
pub use retained_message::{GetRetainedMessage, ListRetainedMessage};
pub use sender::{Refusal, Sender};
pub use server::Server;
pub use subscribe::{Filters, Subscribe, Unsubscribe};
pub use thing_shadow::{
    DeleteThingShadow, GetThingShadow, ListNamedShadowsForThing, ShadowOperation, ShadowRequest,
    UpdateThingShadow,
};
pub use traces::{SpanDrop, Traces};
pub use webhook::{Webhook, WebhookDrop};

pub use crate::draft::Series;
pub use crate::line::Line;
pub use crate::member::Party;
pub use crate::thresholds::Subject;
use crate::{Level, Metrics, Status, TraceId};

/// Something that happened.
pub trait Event {
    /// The entry's `eventType`.
    const TYPE: &'static str;

    /// For an event that a connection has for each message. No two types have the same series, and
    /// in a series all successes have the same level and protocol.
    const SERIES: Option<Series> = None;

    /// The request or connection it belongs to; a new one for what belongs to none.
    fn trace_id(&self) -> TraceId;

    /// Whether it went well.
    fn status(&self) -> Status;

    /// The importance of the entry.
    fn level(&self) -> Level {
        self.status().level()
    }

    /// The entry's `protocol`, for what came by one.
    fn protocol(&self) -> Option<Protocol>;

    /// Whom it is about, which its entry tells first; `None` if there is nobody, or if the event
    /// tells it in its own way.
    fn party(&self) -> Option<Party<'_>>;

    /// Whom it is about, for the threshold of its entry: what the entry tells of it.
    fn subject(&self) -> Subject<'_> {
        self.party().map_or_else(Subject::default, Subject::from)
    }

    /// Appends the members of its entry that follow (spec 8.2).
    fn write(&self, line: &mut Line);

    /// Counts it. Called whatever the log's level is.
    fn count(&self, metrics: &Metrics);
}

/// The types of all events, in the order of the alphabet.
pub const TYPES: [&str; 25] = [
    Connect::TYPE,
    AuthnError::TYPE,
    ControlRequest::TYPE,
    DeleteConnection::TYPE,
    DeleteThingShadow::TYPE,
    Disconnect::TYPE,
    GetConnection::TYPE,
    GetRetainedMessage::TYPE,
    GetThingShadow::TYPE,
    ListNamedShadowsForThing::TYPE,
    ListRetainedMessage::TYPE,
    ListSubscriptions::TYPE,
    PublishIn::TYPE,
    PublishOut::TYPE,
    Queued::TYPE,
    RegistryReload::TYPE,
    DirectMessage::TYPE,
    DirectMessageDryRun::TYPE,
    DirectMessages::TYPE,
    Server::TYPE,
    Subscribe::TYPE,
    Traces::TYPE,
    Unsubscribe::TYPE,
    UpdateThingShadow::TYPE,
    Webhook::TYPE,
];

/// How somebody talks to the broker (`protocol`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// MQTT, over TCP, TLS or WebSocket.
    Mqtt,
    /// HTTP.
    Http,
}
