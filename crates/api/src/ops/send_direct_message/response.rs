//! What the device publishes in answer, in the answer of the call.

use std::sync::{Arc, Weak};
use std::time::Duration;

use broker::{Awaiting, Expectation, Expected, Node, OnTheWire, Settle, Settled};
use engine::message::Message;
use engine::outcome::{DirectOutcome, Invalid};
use mqtt::{ClientId, PropertiesBuf, Property, Version};
use parking_lot::Mutex;
use telemetry::TraceId;

use super::input::{Input, Request};
use crate::deliveries::Record;
use crate::ops::topic as topics;

/// What stands for the trace ID of the call in `topic` and `responseTopic`.
const PLACEHOLDER: &str = "{traceId}";

/// What is added to the topic where no response topic is given.
const SUFFIX: &str = "/response";

/// The response that a sender waits for.
#[derive(Clone, Debug)]
pub(super) struct ResponseWish {
    topic: Arc<str>,
    correlation_data: Box<[u8]>,
    /// How long after the PUBACK.
    within: Duration,
    /// No other call has the topic.
    unique: bool,
}

impl Input {
    /// Puts the trace ID of the call in its places, and into the message how it is to be answered.
    ///
    /// # Errors
    /// What has become of the topics is no topic.
    pub(super) fn name_response(
        &mut self,
        trace_id: TraceId,
        request: &mut Request,
    ) -> Result<(), Invalid> {
        let Some(within) = self.wishes.response else { return Ok(()) };
        let trace_id = trace_id.to_string();
        let filled = |text: &str| -> Arc<str> { text.replace(PLACEHOLDER, &trace_id).into() };
        let topic = filled(self.topic_text());
        topics::addressed(&topic).map_err(|what| Invalid::Topic(format!("The topic {what}.")))?;
        let asked = self.properties.as_properties();
        let response_topic = match asked.response_topic() {
            Some(asked) => filled(asked),
            None => format!("{topic}{SUFFIX}").into(),
        };
        topics::addressed(&response_topic).map_err(|what| {
            Invalid::Mqtt5Property(format!(
                "responseTopic {what}; without the parameter it is the topic and {SUFFIX}."
            ))
        })?;
        let asked_data = asked.correlation_data();
        let correlation_data = asked_data.unwrap_or(trace_id.as_bytes()).into();
        let unique = response_topic.contains(&trace_id);
        let wish = ResponseWish { topic: response_topic, correlation_data, within, unique };
        self.properties = wish.put_into(&self.properties);
        self.response = Some(wish);
        request.topic = Some(Arc::clone(&topic));
        self.set_topic(topic);
        Ok(())
    }
}

impl ResponseWish {
    /// The properties of the message, with response topic and correlation data.
    fn put_into(&self, properties: &PropertiesBuf) -> PropertiesBuf {
        let mut with = PropertiesBuf::new();
        let others = properties.as_properties();
        let others = others.iter().filter(|property| {
            !matches!(property, Property::ResponseTopic(_) | Property::CorrelationData(_))
        });
        let own = [
            Property::ResponseTopic(&self.topic),
            Property::CorrelationData(&self.correlation_data),
        ];
        for property in others.chain(own) {
            // All of them were checked.
            let pushed = with.push(property);
            debug_assert!(pushed.is_ok(), "a property that was checked does not encode");
        }
        with
    }

    /// Whether the device can answer so that nobody takes another message of it for the response: one
    /// of MQTT 3.1.1 repeats no correlation data.
    ///
    /// # Errors
    /// What would be right.
    pub(super) fn check(&self, node: &Node, client_id: &ClientId) -> Result<(), Invalid> {
        if self.unique || node.version_of(client_id) != Some(Version::V311) {
            return Ok(());
        }
        Err(Invalid::Request(format!(
            "The target client speaks MQTT 3.1.1, which has no correlation data; make the response \
             topic unique with {PLACEHOLDER} in topic or responseTopic."
        )))
    }
}

/// Hears of the PUBACK and of the response, and tells the record.
pub(super) struct ResponseWait {
    node: Arc<Node>,
    record: Arc<Record>,
    within: Duration,
    state: Mutex<State>,
}

struct State {
    /// None once it is over.
    expectation: Option<Expectation>,
    acknowledged: Option<Settled>,
    response: Option<Arc<Message>>,
}

impl ResponseWait {
    /// Waits from now on; the response may come before the PUBACK.
    pub(super) fn new(
        node: &Arc<Node>,
        record: &Arc<Record>,
        client_id: &ClientId,
        wish: &ResponseWish,
    ) -> Arc<Self> {
        Arc::new_cyclic(|own: &Weak<ResponseWait>| {
            let expected = Expected {
                client_id: client_id.clone(),
                topic: Arc::clone(&wish.topic),
                correlation_data: wish.correlation_data.clone(),
            };
            let own: Weak<ResponseWait> = Weak::clone(own);
            let expectation = node.expect_response(expected, own);
            ResponseWait {
                node: Arc::clone(node),
                record: Arc::clone(record),
                within: wish.within,
                state: Mutex::new(State {
                    expectation: Some(expectation),
                    acknowledged: None,
                    response: None,
                }),
            }
        })
    }

    /// The PUBACK came.
    fn acknowledged(self: &Arc<Self>, settled: Settled) {
        let mut state = self.state.lock();
        self.record.acknowledged(&settled);
        state.acknowledged = Some(settled);
        if let Some(response) = state.response.take() {
            return self.end(state, Some(response));
        }
        drop(state);
        let wait = Arc::clone(self);
        self.node.call_after(self.within, move || wait.end(wait.state.lock(), None));
    }

    /// Tells how it ended, once.
    fn end(&self, mut state: parking_lot::MutexGuard<'_, State>, response: Option<Arc<Message>>) {
        let expectation = state.expectation.take();
        let acknowledged = state.acknowledged.clone();
        drop(state);
        let (Some(_), Some(acknowledged)) = (expectation, acknowledged) else { return };
        let outcome = match response {
            Some(_) => DirectOutcome::Responded,
            None => DirectOutcome::ResponseTimeout,
        };
        self.record.settle(Settled { outcome, response, ..acknowledged });
    }
}

impl Awaiting for ResponseWait {
    /// The response came, or none will any more.
    fn hear(&self, response: Option<Arc<Message>>) {
        let mut state = self.state.lock();
        match (&state.acknowledged, response) {
            (Some(_), response) => self.end(state, response),
            (None, response) => state.response = response,
        }
    }

    fn is_wanted(&self) -> bool {
        self.record.is_awaited()
    }
}

/// What a waiter in the device's window tells.
pub(super) struct AwaitsResponse(pub(super) Arc<ResponseWait>);

impl Settle for AwaitsResponse {
    fn settle(&self, settled: Settled) {
        let goes_on = settled.outcome == DirectOutcome::ConfirmationTimeout
            && settled.wire != OnTheWire::Never;
        if settled.outcome == DirectOutcome::Acknowledged {
            return self.0.acknowledged(settled);
        }
        if !goes_on {
            let expectation = self.0.state.lock().expectation.take();
            drop(expectation);
        }
        self.0.record.settle(settled);
    }
}
