//! The same message to many clients, one after the other.

use std::sync::Arc;
use std::time::Duration;

use broker::Node;
use bytes::Bytes;
use engine::access::Peer;
use engine::metering;
use engine::outcome::DirectOutcome;
use mqtt::{ClientId, PropertiesBuf};
use telemetry::TraceId;

use super::input::{Input, Request, with_expiry};
use super::wishes::Wishes;
use super::{Dispatch, Ledger, Payload};
use crate::deliveries::Deliveries;
use crate::exchange::Exchange;

/// What all of them are sent; checked.
pub(crate) struct Alike {
    pub(crate) topic: Arc<str>,
    /// How long to wait for each PUBACK; none asks for no confirmation.
    pub(crate) confirmation: Option<Duration>,
    pub(crate) properties: PropertiesBuf,
    pub(crate) payload: Bytes,
    /// By when a byte has to be on the wire, from when the request was taken in.
    pub(crate) deadline: Option<Duration>,
    /// How long to wait for a client to connect.
    pub(crate) wait_online: Option<Duration>,
}

/// One of them.
pub(crate) struct OneOfMany {
    pub(crate) client_id: ClientId,
    pub(crate) sender: Peer,
    /// Its idempotency key.
    pub(crate) key: Option<Box<str>>,
    /// The trace ID of the request that names all.
    pub(crate) batch: TraceId,
    /// How long ago that was taken in.
    pub(crate) waited: Duration,
}

impl Alike {
    /// Authorises the message to one of them, which has a trace ID and a log entry of its own.
    pub(crate) fn begin(
        &self,
        node: &Arc<Node>,
        deliveries: &Arc<Deliveries>,
        one: OneOfMany,
    ) -> (Exchange, Result<Dispatch<'_>, DirectOutcome>) {
        let OneOfMany { client_id, sender, key, batch, waited } = one;
        let mut ledger = Ledger::open(node, sender, self.payload.len(), TraceId::random());
        ledger.batch = Some(batch);
        ledger.request = Request {
            client_id: Some(client_id.to_shared()),
            topic: Some(Arc::clone(&self.topic)),
            confirmation: self.confirmation.is_some(),
            timeout_seconds: self.confirmation.map(|timeout| timeout.as_secs()),
            dry_run: false,
            property_bytes: metering::property_bytes(self.properties.as_properties()),
        };
        let checked = self.input(client_id, key, waited).and_then(|input| {
            Dispatch::authorise(node, deliveries, &ledger, (input, Payload::Shared(&self.payload)))
        });
        (Exchange::new(ledger), checked)
    }

    fn input(
        &self,
        client_id: ClientId,
        key: Option<Box<str>>,
        waited: Duration,
    ) -> Result<Input, DirectOutcome> {
        let deadline = match self.deadline {
            Some(deadline) if deadline <= waited => return Err(DirectOutcome::DeadlineExceeded),
            deadline => deadline.map(|deadline| deadline - waited),
        };
        let mut input = Input {
            client_id,
            topic: Arc::clone(&self.topic),
            confirmation: self.confirmation,
            // The whole deadline: a repetition is the same message whenever its turn comes.
            properties: with_expiry(self.properties.clone(), self.deadline),
            key,
            fingerprint: 0,
            wishes: Wishes { deadline, wait_online: self.wait_online, response: None },
            response: None,
        };
        input.take_fingerprint(&self.payload);
        Ok(input)
    }
}
