//! One call that is traced.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use broker::Mark;
use engine::Moment;
use engine::limits::USER_PROPERTIES_BYTES;
use mqtt::{PropertiesBuf, Property};
use telemetry::TraceId;
use telemetry::trace::{SpanNumber, SpanSink, TraceNumber, TraceParent};

use super::TRACEPARENT;

/// What is taken down of a call on its way; shared by all who take part in it.
pub(crate) struct CallTrace {
    /// Who takes its spans; nobody if it is not recorded.
    pub(super) sink: Option<Arc<dyn SpanSink>>,
    pub(super) trace: TraceNumber,
    /// The caller's span.
    pub(super) parent: Option<SpanNumber>,
    pub(super) server: SpanNumber,
    /// The span that the device's are part of.
    pub(super) write: SpanNumber,
    /// What the device learns, if it is to.
    pub(super) for_device: Option<TraceParent>,
    pub(super) path: Box<str>,
    pub(super) secure: bool,
    pub(super) source: SocketAddr,
    pub(super) begun: Moment,
    /// When the sender was found to be allowed to send.
    pub(super) authorised: Mark,
    /// When a connection had taken the message on.
    pub(super) routed: Mark,
    /// The message that this one is a repetition of.
    pub(super) repeats: OnceLock<TraceId>,
}

impl CallTrace {
    /// Takes down that the sender may send.
    pub(crate) fn authorised(&self, at: Moment) {
        self.authorised.set(at);
    }

    /// Where the broker takes down that a connection has taken the message on.
    pub(crate) fn routed(&self) -> &Mark {
        &self.routed
    }

    /// Takes down that another call has sent the message.
    pub(crate) fn repeats(&self, original: TraceId) {
        // A call repeats one message at most.
        let _ = self.repeats.set(original);
    }

    /// The properties of the message and the trace among them, if the device is to learn of it. A sender
    /// that names a trace itself has its way, and there are no more user properties than AWS's bound.
    pub(crate) fn with_traceparent(&self, properties: &PropertiesBuf) -> Option<PropertiesBuf> {
        let value = self.for_device?.to_string();
        let mut bytes = TRACEPARENT.len() + value.len();
        for (name, value) in properties.as_properties().user_properties() {
            if name == TRACEPARENT {
                return None;
            }
            bytes += name.len() + value.len();
        }
        let mut with = properties.clone();
        let pushed = with.push(Property::UserProperty(TRACEPARENT, &value));
        (pushed.is_ok() && bytes <= USER_PROPERTIES_BYTES).then_some(with)
    }
}
