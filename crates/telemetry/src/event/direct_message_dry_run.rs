//! One dry run of a SendDirectMessage.

use std::net::SocketAddr;

use engine::outcome::DirectOutcome;

use super::direct_message::write_ending;
use crate::event::{Event, Party, Protocol};
use crate::line::{Line, key};
use crate::{Metrics, Status, TraceId};

/// One request that asked what a direct message would meet: exactly one for each whose credentials
/// were accepted. An event type of its own, so that nobody counts it among the deliveries. INFO if
/// the message would be sent, ERROR if not.
#[derive(Clone, Copy, Debug)]
pub struct DirectMessageDryRun<'a> {
    /// The request's.
    pub trace_id: TraceId,
    /// The receiver as the sender named it, valid or not.
    pub client_id: &'a str,
    /// Who asks.
    pub principal_id: &'a str,
    /// Where the sender's connection comes from.
    pub source: SocketAddr,
    /// The topic as the sender named it, valid or not; empty when there was none.
    pub topic: &'a str,
    /// Whether a confirmation would be asked for.
    pub confirmation: bool,
    /// How long it would be waited for, in seconds.
    pub timeout_seconds: Option<u64>,
    /// How the message would end.
    pub outcome: &'a DirectOutcome,
    /// The epoch of the receiver's connection, if there is one.
    pub connection_epoch: Option<u64>,
}

impl Event for DirectMessageDryRun<'_> {
    const TYPE: &'static str = "SendDirectMessageDryRun";

    fn trace_id(&self) -> TraceId {
        self.trace_id
    }

    fn status(&self) -> Status {
        Status::of(self.outcome.is_success())
    }

    fn protocol(&self) -> Option<Protocol> {
        Some(Protocol::Http)
    }

    fn party(&self) -> Option<Party<'_>> {
        let Self { client_id, principal_id, source, .. } = *self;
        Some(Party { client_id, principal_id, source })
    }

    fn write(&self, line: &mut Line) {
        line.boolean(key!("dryRun"), true);
        if !self.topic.is_empty() {
            line.text(key!("topicName"), self.topic);
        }
        line.boolean(key!("confirmation"), self.confirmation);
        line.number_option(key!("timeout"), self.timeout_seconds);
        write_ending(self.outcome, line);
        line.number_option(key!("connectionEpoch"), self.connection_epoch);
    }

    fn count(&self, metrics: &Metrics) {
        metrics.direct_message_dry_run(self.outcome);
    }
}
