//! The answers to requests, once what they tell is durable.

use std::sync::Arc;

use engine::access::Peer;
use engine::message::{Publication, Shared};
use engine::{Moment, Ticket};
use mqtt::{ClientId, Properties, QoS, TopicName};
use shadow::{Answer, Fault, Kind, Operation};
use telemetry::event::{self, Protocol, Refusal};
use telemetry::{FailureClass, TraceId};

use super::in_flight::InFlight;
use super::one::Shadow;
use crate::batch::Batch;
use crate::node::Node;

/// What is told of a request.
pub(crate) struct Told {
    pub(crate) operation: Operation,
    pub(crate) answers: Result<Vec<Answer>, Fault>,
    pub(crate) client_token: Option<Box<str>>,
    pub(crate) asker: Asker,
    pub(crate) asked_at: Moment,
}

impl Told {
    /// Bytes of the answers.
    pub(super) fn bytes(&self) -> usize {
        self.answers.iter().flatten().map(|answer| answer.payload.len()).sum()
    }
}

/// Who asked.
pub(crate) enum Asker {
    /// A publisher on the topic of the request, who may subscribe to the answers.
    Publisher {
        peer: Box<Peer>,
        trace_id: TraceId,
        protocol: Protocol,
        /// Ends when the request is answered.
        in_flight: Option<InFlight>,
    },
    /// A sender, who waits for the one answer that is to it.
    Sender(Box<dyn FnOnce(Result<String, Fault>) + Send>),
}

impl Node {
    /// Tells what can be told of the requests to a shadow.
    pub(super) fn empty_outbox(self: &Arc<Self>, shadow: &Shadow) {
        shadow.outbox.empty(|told, kept| self.tell(shadow, told, kept));
        self.give_up_place(shadow);
    }

    pub(super) fn tell(self: &Arc<Self>, shadow: &Shadow, told: Told, kept: bool) {
        let bytes = told.bytes();
        self.tell_asker(shadow, told, kept);
        self.shadows.unanswered.end(bytes);
    }

    fn tell_asker(self: &Arc<Self>, shadow: &Shadow, told: Told, kept: bool) {
        let Told { operation, answers, client_token, asker, asked_at } = told;
        let answers =
            answers.and_then(|answers| if kept { Ok(answers) } else { Err(Fault::Internal) });
        match asker {
            Asker::Sender(then) => {
                // Of a read over HTTP nobody else hears, nor of a request that was not done.
                let durable = match (&answers, operation) {
                    (Ok(answers), Operation::Update | Operation::Delete) => {
                        self.publish_answers(shadow, answers)
                    }
                    _ => Ticket::NONE,
                };
                let first = |answers: Vec<Answer>| answers.into_iter().next();
                let told = answers.and_then(|all| Ok(first(all).ok_or(Fault::Internal)?.payload));
                // Subscribers who are away are to hear of what the sender is told.
                self.keeper.when_durable(durable, move |kept| {
                    then(told.and_then(|told| kept.map(|()| told).map_err(|_| Fault::Internal)));
                });
            }
            Asker::Publisher { peer, trace_id, protocol, in_flight } => {
                let fault = match answers {
                    Ok(answers) => {
                        self.publish_answers(shadow, &answers);
                        None
                    }
                    Err(fault) => {
                        let now = self.clock.wall().millis(asked_at) / 1_000;
                        let payload = shadow::rejected(&fault, client_token.as_deref(), now);
                        let kind = Kind::Rejected(operation);
                        self.publish_answers(shadow, &[Answer { kind, payload }]);
                        Some(fault)
                    }
                };
                drop(in_flight);
                self.log(shadow, operation, (&peer, trace_id, protocol), fault.as_ref());
            }
        }
    }

    /// The ticket of what is kept for subscribers who are away.
    fn publish_answers(self: &Arc<Self>, shadow: &Shadow, answers: &[Answer]) -> Ticket {
        let mut durable = Ticket::NONE;
        let mut batch = Batch::new(self.now());
        for Answer { kind, payload } in answers {
            let topic = shadow.id.answer_topic(*kind);
            let Ok(topic) = TopicName::parse(&topic) else { continue };
            let message = Shared::new(Publication {
                topic,
                qos: QoS::AtLeastOnce,
                retain: false,
                properties: Properties::EMPTY,
                payload: payload.as_bytes(),
                expires: None,
            });
            // Without RETAIN no quota keeps it from being published.
            if let Ok(ticket) = self.publish(&message, None, &mut batch) {
                durable = durable.max(ticket);
            }
        }
        batch.write(self);
        durable
    }

    fn log(
        &self,
        shadow: &Shadow,
        operation: Operation,
        (peer, trace_id, protocol): (&Peer, TraceId, Protocol),
        fault: Option<&Fault>,
    ) {
        let topic = shadow.id.request_topic(operation);
        let sentence = fault.map(Fault::to_string).unwrap_or_default();
        let request = event::ShadowRequest {
            trace_id,
            protocol,
            client_id: peer.client_id.as_ref().map(ClientId::as_str),
            principal_id: &peer.principal.id,
            source: peer.source,
            shadow_name: shadow.id.title(),
            topic: &topic,
            refused: fault.map(|fault| Refusal {
                // The quota of a throttled one was counted when it was.
                class: match fault.code() {
                    500.. => FailureClass::ServerError,
                    _ => FailureClass::ClientError,
                },
                reason: fault.reason(),
                details: &sentence,
            }),
        };
        match operation {
            Operation::Get => self.telemetry.record(&event::GetThingShadow(request)),
            Operation::Update => self.telemetry.record(&event::UpdateThingShadow(request)),
            Operation::Delete => self.telemetry.record(&event::DeleteThingShadow(request)),
        }
    }
}
