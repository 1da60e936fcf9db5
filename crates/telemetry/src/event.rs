//! What can happen: one struct an event, from which come its log entry and its counts.

mod authn_error;
mod connect;
mod direct_message;
mod disconnect;
mod publish;
mod registry_reload;
mod server;
mod subscribe;

use serde::Serialize;

pub use authn_error::{AuthenticationType, AuthnError};
pub use connect::Connect;
pub use direct_message::DirectMessage;
pub use disconnect::Disconnect;
pub use publish::{PublishIn, PublishOut};
pub use registry_reload::RegistryReload;
pub use server::Server;
pub use subscribe::{Filters, Subscribe, Unsubscribe};

use crate::{Level, Metrics, Status, TraceId};

/// Something that happened. Serialised, it is the members of its log entry that follow the ones
/// every entry has (spec 8.2).
pub trait Event: Serialize {
    /// The entry's `eventType`.
    const TYPE: &'static str;

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

    /// Counts it. Called whatever the log's level is.
    fn count(&self, metrics: &Metrics);
}

/// How somebody talks to the broker (`protocol`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Protocol {
    /// MQTT, over TCP, TLS or WebSocket.
    Mqtt,
    /// HTTP.
    Http,
}
