//! `POST /connections/{clientId}/messages` (spec section 1).

mod dry_run;
mod explanation;
mod input;
mod ledger;
mod one_of_many;
mod patient;
mod payload;
mod response;
mod turn;
mod wishes;

use std::sync::Arc;

use broker::{Dispatched, HandOver, Node, Settle, Settled, Waiter};
use engine::access::{Peer, SendPermit};
use engine::direct::DirectMessage;
use engine::metering;
use engine::outcome::DirectOutcome;
use mqtt::PropertiesBuf;
use telemetry::TraceId;

use super::Call;
use crate::deliveries::{Claim, Deliveries, Known, Record, Seat, Target};
use crate::exchange::{Begun, Exchange};
use crate::trace::CallTrace;
use input::Input;
pub(crate) use input::check_topic;
pub(crate) use ledger::Ledger;
pub(crate) use one_of_many::{Alike, OneOfMany};
use patient::Waits;
pub(crate) use payload::Payload;
use response::{AwaitsResponse, ResponseWait};

/// A checked and authorised message on its way to its device.
pub struct Dispatch<'a> {
    input: Input,
    payload: Payload<'a>,
    permit: SendPermit,
    sender: Peer,
    record: Option<Arc<Record>>,
    trace: Option<Arc<CallTrace>>,
    deliveries: Arc<Deliveries>,
}

/// Where a message is that was to be handed to its device.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    /// The connection that has it, and since when.
    pub(crate) dispatched: Option<Dispatched>,
    /// The message that the request repeats.
    pub(crate) original: Option<TraceId>,
    /// It waits for its device.
    pub(crate) waits: Option<Waits>,
    /// Where its sender waits for a response.
    pub(crate) seat: Option<Seat>,
}

/// What became of a message that was to be handed to its device.
#[derive(Debug)]
pub enum Sent {
    /// Its confirmation has to be waited for.
    Waiting(Progress),
    /// It is settled.
    Settled(Progress, Settled),
}

/// Checks the call and authorises its sender, in the order of spec 1.5. `client_id` is still
/// percent-encoded.
pub(crate) fn begin<'a>(
    node: &Arc<Node>,
    deliveries: &Arc<Deliveries>,
    client_id: &str,
    call: Call<'a>,
) -> Begun<'a> {
    let Call { head, payload, sender, trace_id, trace } = call;
    let mut ledger = Ledger::open(node, sender, payload.len(), trace_id);
    ledger.trace = trace;
    let input = Input::parse(client_id, head, &mut ledger.request);
    let checked = input.map_err(DirectOutcome::Invalid).and_then(|mut input| {
        input.take_fingerprint(payload);
        let named = input.name_response(trace_id, &mut ledger.request);
        named.map_err(DirectOutcome::Invalid)?;
        let properties = input.properties.as_properties();
        ledger.request.property_bytes = metering::property_bytes(properties);
        Dispatch::authorise(node, deliveries, &ledger, (input, Payload::Single(payload)))
    });
    if let (Some(trace), Ok(_)) = (&ledger.trace, &checked) {
        trace.authorised(node.now());
    }
    match checked {
        Ok(dispatch) if ledger.request.dry_run => Begun::Answered(dispatch.dry_run(ledger)),
        Ok(dispatch) => Begun::Direct(Exchange::new(ledger), dispatch),
        Err(outcome) => {
            Begun::Answered(Exchange::new(ledger).settle(Settled::refused(outcome, None)))
        }
    }
}

/// What is kept of the message; nothing of one that nobody confirms or repeats.
fn record(
    node: &Node,
    deliveries: &Arc<Deliveries>,
    ledger: &Ledger,
    input: &Input,
) -> Option<Arc<Record>> {
    let waits = input.confirmation.is_some() || input.wishes.wait_online.is_some();
    if !waits && input.key.is_none() {
        return None;
    }
    let principal_id = &ledger.sender.principal.id;
    let (client_id, topic) = (input.client_id.as_str(), input.topic_text());
    let known = Known {
        trace_id: ledger.trace_id(),
        target: Target::new(client_id, topic),
        principal_id: Arc::clone(principal_id),
        taken_in_millis: node.wall().millis(ledger.taken_in),
        key: input.key.as_deref().map(|text| deliveries.key(principal_id, text)),
        fingerprint: input.fingerprint,
    };
    Some(Record::new(known, deliveries))
}

fn check_response(node: &Node, input: &Input) -> Result<(), DirectOutcome> {
    let Some(wish) = &input.response else { return Ok(()) };
    wish.check(node, &input.client_id).map_err(DirectOutcome::Invalid)
}

/// Who is told of the PUBACK.
fn listener(node: &Arc<Node>, record: &Arc<Record>, input: &Input) -> Arc<dyn Settle> {
    match &input.response {
        None => Arc::clone(record) as _,
        Some(wish) => {
            let wait = ResponseWait::new(node, record, &input.client_id, wish);
            Arc::new(AwaitsResponse(wait))
        }
    }
}

fn authorise(node: &Node, ledger: &Ledger, input: &Input) -> Result<SendPermit, DirectOutcome> {
    let limit = node.rules().quotas.payload_bytes;
    if ledger.payload_bytes > limit {
        return Err(DirectOutcome::PayloadTooLarge { limit });
    }
    node.access()
        .send_direct(&ledger.sender, &input.client_id, input.topic()?, ledger.taken_in)
        .map_err(|_| DirectOutcome::SenderUnauthorized)
}

impl<'a> Dispatch<'a> {
    /// Authorises the sender of a message whose parameters are checked.
    fn authorise(
        node: &Node,
        deliveries: &Arc<Deliveries>,
        ledger: &Ledger,
        (input, payload): (Input, Payload<'a>),
    ) -> Result<Self, DirectOutcome> {
        let permit = authorise(node, ledger, &input)?;
        check_response(node, &input)?;
        let record = record(node, deliveries, ledger, &input);
        let (sender, deliveries) = (ledger.sender.clone(), Arc::clone(deliveries));
        let trace = ledger.trace.clone();
        Ok(Dispatch { input, payload, permit, sender, record, trace, deliveries })
    }

    /// Hands the message to its device, or joins the one that it repeats. With a confirmation,
    /// `settle` gives whoever is to be told, at most once; it may be told before this returns.
    pub fn send(self, node: &Arc<Node>, settle: impl FnOnce() -> Arc<dyn Settle>) -> Sent {
        let Some(record) = self.record.clone() else {
            let sent = self.hand_over(node, || Waiter::new(settle()));
            return answered_at_once(sent);
        };
        match self.deliveries.claim(&record, node.now()) {
            Claim::New => self.send_new(node, &record, settle),
            Claim::Repeated(original) => {
                if let Some(trace) = &self.trace {
                    trace.repeats(original.trace_id());
                }
                let original_id = Some(original.trace_id());
                let progress = Progress { original: original_id, ..Progress::default() };
                match original.join(node, settle(), self.input.patience()) {
                    Ok((dispatched, number)) => {
                        let responds = self.input.response.is_some();
                        let seat = responds.then(|| original.seat(number));
                        Sent::Waiting(Progress { dispatched, seat, ..progress })
                    }
                    Err(settled) => Sent::Settled(progress, self.input.as_asked(settled)),
                }
            }
            Claim::Conflict => {
                let outcome = DirectOutcome::IdempotencyConflict;
                Sent::Settled(Progress::default(), Settled::refused(outcome, None))
            }
        }
    }

    fn send_new(
        self,
        node: &Arc<Node>,
        record: &Arc<Record>,
        settle: impl FnOnce() -> Arc<dyn Settle>,
    ) -> Sent {
        let confirmed = self.input.confirmation.is_some();
        let patient = self.patient(node, record);
        let seat = (confirmed || patient.is_some()).then(|| record.wait(settle()));
        let seat = seat.filter(|_| self.input.response.is_some());
        let seat = seat.map(|number| record.seat(number));
        let heard = listener(node, record, &self.input);
        match self.hand_over(node, || Waiter::new(heard)) {
            Ok(dispatched) if confirmed => {
                record.dispatched(dispatched);
                let dispatched = Some(dispatched);
                Sent::Waiting(Progress { dispatched, seat, ..Progress::default() })
            }
            sent => {
                let sent = answered_at_once(sent);
                if let (Some(patient), Sent::Settled(_, settled)) = (patient, &sent)
                    && is_absent(&settled.outcome)
                {
                    if let Some(waits) = patient.wait() {
                        let waits = Some(waits);
                        return Sent::Waiting(Progress { waits, seat, ..Progress::default() });
                    }
                    let settled = Settled::refused(DirectOutcome::WaitingRoomFull, None);
                    record.end_at_once(&settled);
                    return Sent::Settled(Progress::default(), settled);
                }
                if let Sent::Settled(_, settled) = &sent {
                    record.end_at_once(settled);
                }
                sent
            }
        }
    }

    fn hand_over(
        self,
        node: &Arc<Node>,
        waiter: impl FnOnce() -> Waiter,
    ) -> Result<Dispatched, Settled> {
        let Dispatch { input, payload, permit, trace, .. } = self;
        let traced = trace.as_ref().and_then(|trace| trace.with_traceparent(&input.properties));
        let message =
            input.message(payload.bytes()).map_err(|outcome| Settled::refused(outcome, None))?;
        let message = DirectMessage {
            optional: traced.as_ref().map(PropertiesBuf::as_properties),
            ..message
        };
        let hand_over = HandOver {
            client_id: &input.client_id,
            message: &message,
            routed: trace.as_ref().map(|trace| trace.routed()),
        };
        node.send_direct(permit, hand_over, waiter)
    }
}

/// Whether the device may still come.
fn is_absent(outcome: &DirectOutcome) -> bool {
    matches!(outcome, DirectOutcome::TargetNotFound | DirectOutcome::TargetNotConnected)
}

/// The end of a message of which no confirmation is waited for.
fn answered_at_once(sent: Result<Dispatched, Settled>) -> Sent {
    let (dispatched, settled) = match sent {
        Ok(dispatched) => {
            let outcome = DirectOutcome::Dispatched;
            let settled = Settled::refused(outcome, Some(dispatched.epoch));
            (Some(dispatched), Settled { handed_over: Some(dispatched.at), ..settled })
        }
        Err(settled) => (None, settled),
    };
    Sent::Settled(Progress { dispatched, ..Progress::default() }, settled)
}

/// Checks the path label, still percent-encoded, the query and the headers; says whether they are
/// acceptable.
#[cfg(fuzzing)]
pub fn parse(label: &str, head: &crate::Head<'_>) -> bool {
    Input::parse(label, head, &mut input::Request::default()).is_ok()
}
