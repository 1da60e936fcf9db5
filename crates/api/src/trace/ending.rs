//! The spans of a call that has its answer.

use std::sync::Arc;

use broker::{Node, Settled};
use engine::Moment;
use telemetry::TraceId;
use telemetry::trace::{AttributeValue, Parent, Span, SpanKind, SpanNumber};

use super::call::CallTrace;
use super::step::{Name, Passed, Step, steps};
use crate::fault::Fault;

/// The name of a call's span: method and route, as the semantic conventions for HTTP have it.
const CALL: &str = "POST /connections/{clientId}/messages";
const ROUTE: &str = "/connections/{clientId}/messages";

type Attributes = Vec<(&'static str, AttributeValue)>;

/// How a call ended.
pub(crate) struct Ending<'a> {
    /// Its trace ID in the log.
    pub(crate) trace_id: TraceId,
    /// What it was about, if it came to that.
    pub(crate) subject: Option<Subject<'a>>,
    /// How the message ended; none if the call did not come to that.
    pub(crate) settled: Option<&'a Settled>,
    /// The status of the answer; none if nobody was there to be answered.
    pub(crate) status: Option<u16>,
    /// What went wrong, if something did.
    pub(crate) failure: Option<Failure>,
    /// What the answer says of the message, `x-tenfour-delivery`.
    pub(crate) delivery: Option<&'static str>,
}

/// What a call was about.
pub(crate) struct Subject<'a> {
    pub(crate) client_id: &'a str,
    pub(crate) topic: &'a str,
    pub(crate) principal_id: &'a Arc<str>,
    pub(crate) payload_bytes: usize,
    pub(crate) confirmation: bool,
    pub(crate) dry_run: bool,
}

/// What went wrong.
pub(crate) struct Failure {
    /// The log's reason.
    pub(crate) reason: &'static str,
    /// The sentence for people.
    pub(crate) sentence: Arc<str>,
}

impl Failure {
    pub(crate) fn of(fault: &Fault) -> Self {
        Failure { reason: fault.reason, sentence: fault.message.as_str().into() }
    }
}

impl CallTrace {
    /// Whether the message was to be sent and its sender allowed to.
    pub(crate) fn is_authorised(&self) -> bool {
        self.authorised.get().is_some()
    }

    /// A request that was refused before its operation began.
    pub(crate) fn refuse(&self, node: &Node, trace_id: TraceId, fault: &Fault) {
        self.finish(
            node,
            &Ending {
                trace_id,
                subject: None,
                settled: None,
                status: Some(fault.kind.status().as_u16()),
                failure: Some(Failure::of(fault)),
                delivery: fault.truth.map(crate::truth::Truth::word),
            },
        );
    }

    /// Gives the spans of the call to whoever takes them, if it is recorded.
    pub(crate) fn finish(&self, node: &Node, ending: &Ending<'_>) {
        let Some(sink) = &self.sink else { return };
        let ended = node.now();
        // The wall clock is looked at once: within a call it must not be seen to jump.
        let end_nanos = node.unix_nanos(ended);
        let nanos = |moment: Moment| {
            let ago = u64::try_from(ended.since(moment).as_nanos()).unwrap_or(u64::MAX);
            end_nanos.saturating_sub(ago)
        };
        let mut spans = vec![self.call(ending, (nanos(self.begun), end_nanos))];
        spans.extend(self.steps(ending, ended).into_iter().map(|step| {
            let times = (nanos(step.from), nanos(step.to));
            self.step(step, ending, times)
        }));
        sink.take(spans);
    }

    fn steps(&self, ending: &Ending<'_>, ended: Moment) -> Vec<Step> {
        let passed = Passed {
            begun: self.begun,
            authorised: self.authorised.get(),
            routed: self.routed.get(),
            ended,
        };
        let is_dry_run = ending.subject.as_ref().is_some_and(|subject| subject.dry_run);
        let first = Step { name: Name::Authorise, from: self.begun, to: ended, failed: true };
        match ending.settled {
            None => vec![first],
            Some(_) if is_dry_run => match passed.authorised {
                Some(to) => vec![Step { to, failed: false, ..first }],
                None => vec![first],
            },
            Some(settled) => steps(passed, settled, self.repeats.get().is_some()),
        }
    }

    fn call(&self, ending: &Ending<'_>, (start_nanos, end_nanos): (u64, u64)) -> Span {
        Span {
            trace: self.trace,
            number: self.server,
            parent: self.parent.map(|number| Parent { number, is_remote: true }),
            name: CALL,
            kind: SpanKind::Server,
            start_nanos,
            end_nanos,
            attributes: self.attributes(ending),
            failure: ending.failure.as_ref().map(|failure| Arc::clone(&failure.sentence)),
        }
    }

    fn step(&self, step: Step, ending: &Ending<'_>, (start_nanos, end_nanos): (u64, u64)) -> Span {
        let failure = ending.failure.as_ref().filter(|_| step.failed);
        let mut attributes = match (&ending.subject, step.name) {
            (Some(subject), Name::Write) => messaging(subject),
            (Some(_) | None, _) => Vec::new(),
        };
        attributes.extend(failure.into_iter().flat_map(reasons));
        let is_write = step.name == Name::Write;
        Span {
            trace: self.trace,
            number: if is_write { self.write } else { SpanNumber::random() },
            parent: Some(Parent { number: self.server, is_remote: false }),
            name: step.name.word(),
            kind: if is_write { SpanKind::Producer } else { SpanKind::Internal },
            start_nanos,
            end_nanos,
            attributes,
            failure: failure.map(|failure| Arc::clone(&failure.sentence)),
        }
    }

    /// By OpenTelemetry's semantic conventions for HTTP servers and for messaging, and our own. The query
    /// is left out: it may hold a signature.
    fn attributes(&self, ending: &Ending<'_>) -> Attributes {
        let scheme = if self.secure { "https" } else { "http" };
        let mut attributes = vec![
            ("http.request.method", AttributeValue::Word("POST")),
            ("http.route", AttributeValue::Word(ROUTE)),
            ("url.path", text(&self.path)),
            ("url.scheme", AttributeValue::Word(scheme)),
            ("client.address", text(&self.source.ip().to_string())),
            ("tenfour.trace_id", text(&ending.trace_id.to_string())),
        ];
        if let Some(status) = ending.status {
            attributes.push(("http.response.status_code", AttributeValue::Number(status.into())));
        }
        if let Some(subject) = &ending.subject {
            attributes.extend(messaging(subject));
            let principal_id = AttributeValue::Text(Arc::clone(subject.principal_id));
            attributes.push(("tenfour.principal_id", principal_id));
            let confirmation = AttributeValue::Truth(subject.confirmation);
            attributes.push(("tenfour.confirmation", confirmation));
            if subject.dry_run {
                attributes.push(("tenfour.dry_run", AttributeValue::Truth(true)));
            }
        }
        if let Some(epoch) = ending.settled.and_then(|settled| settled.epoch) {
            attributes.push(("tenfour.connection_epoch", number(epoch)));
        }
        if let Some(original) = self.repeats.get() {
            attributes.push(("tenfour.repeats", text(&original.to_string())));
        }
        if let Some(delivery) = ending.delivery {
            attributes.push(("tenfour.delivery", AttributeValue::Word(delivery)));
        }
        attributes.extend(ending.failure.iter().flat_map(reasons));
        attributes
    }
}

fn messaging(subject: &Subject<'_>) -> Attributes {
    vec![
        ("messaging.system", AttributeValue::Word("mqtt")),
        ("messaging.operation.name", AttributeValue::Word("send")),
        ("messaging.operation.type", AttributeValue::Word("send")),
        ("messaging.destination.name", text(subject.topic)),
        ("messaging.client.id", text(subject.client_id)),
        ("messaging.message.body.size", number(subject.payload_bytes)),
    ]
}

fn reasons(failure: &Failure) -> [(&'static str, AttributeValue); 2] {
    let reason = AttributeValue::Word(failure.reason);
    [("error.type", reason.clone()), ("tenfour.reason", reason)]
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::Text(text.into())
}

fn number(number: impl TryInto<i64>) -> AttributeValue {
    AttributeValue::Number(number.try_into().unwrap_or(i64::MAX))
}
