//! A request to a shadow, from whoever asks to its answer in the outbox.

use std::sync::Arc;

use engine::access::{Peer, ShadowPermit};
use engine::message::Publication;
use engine::{Moment, Ticket};
use shadow::{Answer, Fault, Kept, Operation, Rejected, Request, RequestTopic, ShadowId};
use telemetry::event::Protocol;
use telemetry::{Quota, TraceId};

use super::one::{Shadow, State};
use super::tell::{Asker, Told};
use crate::node::Node;

/// Who published on a topic of requests.
#[derive(Clone, Copy)]
pub(crate) struct Publisher<'a> {
    pub(crate) trace_id: TraceId,
    pub(crate) peer: &'a Peer,
    /// The epoch of its connection; none over HTTP.
    pub(crate) epoch: Option<u64>,
}

/// A request on its way.
struct Asked {
    operation: Operation,
    request: Result<Request, Rejected>,
    asker: Asker,
    /// Whether its connection has as many requests under way as it may.
    crowded: bool,
    now: Moment,
}

/// There is no room for what would be kept.
struct NoRoom;

impl Node {
    /// Does what a message on a topic of requests asks for; nothing on every other topic. Answers
    /// are published when what they tell is durable. The ticket of what changed.
    pub(crate) fn ask_shadow_by_message(
        self: &Arc<Self>,
        publication: &Publication<'_>,
        publisher: Publisher<'_>,
    ) -> Ticket {
        let topic = publication.topic.as_str();
        if !topic.starts_with(shadow::PREFIX) {
            return Ticket::NONE;
        }
        let Some(RequestTopic { id, operation }) = RequestTopic::parse(topic) else {
            return Ticket::NONE;
        };
        let most = self.rules.quotas.shadow_requests_in_flight;
        let in_flights = &self.shadows.in_flights;
        let in_flight = publisher.epoch.map(|epoch| in_flights.begin(epoch, id.thing(), most));
        let crowded = matches!(in_flight, Some(None));
        let asker = Asker::Publisher {
            peer: Box::new(publisher.peer.clone()),
            trace_id: publisher.trace_id,
            protocol: publisher.epoch.map_or(Protocol::Http, |_| Protocol::Mqtt),
            in_flight: in_flight.flatten(),
        };
        let request = Request::parse(operation, publication.payload);
        self.ask(&id, Asked { operation, request, asker, crowded, now: self.now() })
    }

    /// Does what a sender asks of a shadow. `then` is called once, with the document that answers it
    /// or with the fault, as soon as what it tells is durable: on another thread, where it must not
    /// wait.
    pub fn ask_shadow(
        self: &Arc<Self>,
        _permit: ShadowPermit,
        topic: &RequestTopic,
        request: Result<Request, Rejected>,
        then: impl FnOnce(Result<String, Fault>) + Send + 'static,
    ) {
        let (operation, asker) = (topic.operation, Asker::Sender(Box::new(then)));
        let now = self.now();
        self.ask(&topic.id, Asked { operation, request, asker, crowded: false, now });
    }

    fn ask(self: &Arc<Self>, id: &ShadowId, asked: Asked) -> Ticket {
        let mut exceeded = None;
        let mut has_room = true;
        loop {
            let shadow = self.shadows.place(id);
            let mut state = shadow.lock();
            if state.removed {
                continue;
            }
            let exceeded = *exceeded.get_or_insert_with(|| self.exceeded(&shadow, &asked));
            if exceeded == Some(Quota::ShadowRequestsInFlight) {
                // Too much waits in outboxes already.
                drop(state);
                self.answer_at_once(&shadow, asked.told(Err(Fault::TooManyRequests)));
                return Ticket::NONE;
            }
            let done = match (exceeded, &asked.request) {
                (Some(_), _) => Err(Fault::TooManyRequests),
                (None, Err(rejected)) => Err(rejected.fault.clone()),
                (None, Ok(request)) => {
                    let millis = self.clock.wall().millis(asked.now);
                    state.kept().handle(id, request, millis)
                }
            };
            let (answers, kept) = match done {
                Ok(done) => (Ok(done.answers), done.kept),
                Err(fault) => (Err(fault), None),
            };
            let changed =
                kept.map_or(Ok(Ticket::NONE), |kept| self.change(&shadow, &mut state, kept));
            let (answers, changed) = match changed {
                Ok(changed) => (answers, changed),
                Err(NoRoom) if has_room => {
                    drop(state);
                    has_room = self.make_room_for_shadow();
                    continue;
                }
                Err(NoRoom) => {
                    self.telemetry.metrics().throttled(Quota::ShadowBytes);
                    (Err(Fault::TooManyRequests), Ticket::NONE)
                }
            };
            // What it tells may be of a change that is not durable yet.
            let awaited = state.durable;
            let told = asked.told(answers);
            self.shadows.unanswered.begin(told.bytes());
            let number = shadow.outbox.add(told);
            drop(state);
            self.answer_after(awaited, &shadow, number);
            return changed;
        }
    }

    /// The quota that keeps a request from being done.
    fn exceeded(&self, shadow: &Shadow, asked: &Asked) -> Option<Quota> {
        let quotas = &self.rules.quotas;
        let exceeded = if asked.crowded || self.shadows.unanswered.is_full() {
            Some(Quota::ShadowRequestsInFlight)
        } else if self.budgets.shadows.take(quotas.shadow_requests, asked.now).is_err() {
            Some(Quota::ShadowRequests)
        } else if shadow.requests.take(quotas.requests_per_shadow, asked.now).is_err() {
            Some(Quota::RequestsPerShadow)
        } else {
            None
        };
        exceeded.inspect(|quota| self.telemetry.metrics().throttled(*quota))
    }

    /// Keeps something else of a shadow. Called with its lock held, so that the journal's order is
    /// that of the changes.
    fn change(&self, shadow: &Shadow, state: &mut State, kept: Kept) -> Result<Ticket, NoRoom> {
        if !self.shadows.change_room(&shadow.id, state.kept(), &kept) {
            return Err(NoRoom);
        }
        let durable = self.keeper.keep_shadow(&shadow.id, &kept);
        shadow.keep(state, kept, durable);
        Ok(durable)
    }

    /// Has an answer told that waits for nothing, before or after others.
    fn answer_at_once(self: &Arc<Self>, shadow: &Arc<Shadow>, told: Told) {
        self.shadows.unanswered.begin(told.bytes());
        let (node, shadow) = (Arc::clone(self), Arc::clone(shadow));
        self.runtime.spawn(async move {
            node.tell(&shadow, told, true);
            node.give_up_place(&shadow);
        });
    }

    /// Has the answer of that number told once the ticket is durable, or never will be.
    fn answer_after(self: &Arc<Self>, awaited: Ticket, shadow: &Arc<Shadow>, number: u64) {
        let (node, shadow) = (Arc::downgrade(self), Arc::clone(shadow));
        self.keeper.when_durable(awaited, move |durable| {
            shadow.outbox.settle(number, durable.is_ok());
            let Some(node) = node.upgrade() else { return };
            let runtime = node.runtime.clone();
            runtime.spawn(async move { node.empty_outbox(&shadow) });
        });
    }
}

impl Asked {
    fn told(self, answers: Result<Vec<Answer>, Fault>) -> Told {
        let Asked { operation, request, asker, now, crowded: _ } = self;
        let client_token = match request {
            Ok(request) => request.client_token,
            Err(rejected) => rejected.client_token,
        };
        Told { operation, answers, client_token, asker, asked_at: now }
    }
}
