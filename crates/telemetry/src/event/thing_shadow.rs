//! Requests to Device Shadows, over MQTT and over HTTP.

use std::net::SocketAddr;

use crate::event::{Event, Party, Protocol, Refusal, Subject};
use crate::line::{Line, key};
use crate::metrics::label;
use crate::{Metrics, Status, TraceId};

/// What was asked; AWS's words in its metrics (spec 8.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ShadowOperation {
    /// To read a shadow.
    Get,
    /// To change a shadow.
    Update,
    /// To delete a shadow.
    Delete,
    /// To list the named shadows of a thing.
    List,
}

impl ShadowOperation {
    fn word(self) -> &'static str {
        match self {
            ShadowOperation::Get => "GetThingShadow",
            ShadowOperation::Update => "UpdateThingShadow",
            ShadowOperation::Delete => "DeleteThingShadow",
            ShadowOperation::List => "ListThingShadow",
        }
    }
}

label!(ShadowOperation, |operation: &ShadowOperation| operation.word(), {
    Get,
    Update,
    Delete,
    List,
});

/// One request, however it ended: exactly one entry for each message on a topic of requests, and for
/// each HTTP request whose credentials were accepted.
#[derive(Clone, Copy, Debug)]
pub struct ShadowRequest<'a> {
    /// The request's, or the connection's.
    pub trace_id: TraceId,
    /// How it came.
    pub protocol: Protocol,
    /// Whose connection it came on; none over HTTP.
    pub client_id: Option<&'a str>,
    /// Who asks.
    pub principal_id: &'a str,
    /// From where.
    pub source: SocketAddr,
    /// The name of the shadow, or of the thing for the classic one (`deviceShadowName`).
    pub shadow_name: &'a str,
    /// The topic that such a request has over MQTT; empty when its names cannot be names.
    pub topic: &'a str,
    /// Why it was refused; none for a success.
    pub refused: Option<Refusal<'a>>,
}

impl ShadowRequest<'_> {
    fn subject(&self) -> Subject<'_> {
        let Self { client_id, principal_id, source, .. } = *self;
        Subject { client_id, principal_id: Some(principal_id), source: Some(source) }
    }

    fn write(&self, line: &mut Line) {
        if let Some(client_id) = self.client_id {
            line.text(key!("clientId"), client_id);
        }
        line.text(key!("principalId"), self.principal_id);
        line.source(self.source);
        line.text(key!("deviceShadowName"), self.shadow_name);
        if !self.topic.is_empty() {
            line.text(key!("topicName"), self.topic);
        }
        Refusal::write(self.refused.as_ref(), line);
    }
}

macro_rules! shadow_event {
    ($(#[$doc:meta] $name:ident: $type:literal, $operation:ident;)+) => {$(
        #[$doc]
        #[derive(Clone, Copy, Debug)]
        pub struct $name<'a>(pub ShadowRequest<'a>);

        impl Event for $name<'_> {
            const TYPE: &'static str = $type;

            fn trace_id(&self) -> TraceId {
                self.0.trace_id
            }

            fn status(&self) -> Status {
                Refusal::status(self.0.refused.as_ref())
            }

            fn protocol(&self) -> Option<Protocol> {
                Some(self.0.protocol)
            }

            fn party(&self) -> Option<Party<'_>> {
                None
            }

        fn subject(&self) -> Subject<'_> {
            self.0.subject()
        }

            fn write(&self, line: &mut Line) {
                self.0.write(line);
            }

            fn count(&self, metrics: &Metrics) {
                metrics.shadow_request(ShadowOperation::$operation, self.status());
            }
        }
    )+};
}

shadow_event! {
    /// A shadow was read, or was to be.
    GetThingShadow: "GetThingShadow", Get;
    /// A shadow was changed, or was to be.
    UpdateThingShadow: "UpdateThingShadow", Update;
    /// A shadow was deleted, or was to be.
    DeleteThingShadow: "DeleteThingShadow", Delete;
    /// The named shadows of a thing were listed, or were to be; the thing is the shadow's name.
    ListNamedShadowsForThing: "ListNamedShadowsForThing", List;
}
