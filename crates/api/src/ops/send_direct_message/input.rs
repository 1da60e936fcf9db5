//! The parameters of the call (spec 1.2).

use std::sync::Arc;
use std::time::Duration;

use broker::Settled;
use engine::direct::DirectMessage;
use engine::limits::{CONFIRMATION_SECONDS, CONFIRMATION_SECONDS_DEFAULT};
use engine::outcome::{DirectOutcome, Invalid};
use mqtt::{ClientId, PropertiesBuf, Property, TopicName};

use crate::deliveries::{Key, fingerprint};
use crate::head::Head;
use crate::ops::{client_id as client_ids, properties, topic as topics};
use crate::query::Query;

use super::response::ResponseWish;
use super::wishes::{self, Wishes};

/// The checked parameters.
#[derive(Clone, Debug)]
pub(super) struct Input {
    pub(super) client_id: ClientId,
    pub(super) topic: Arc<str>,
    /// How long to wait for the PUBACK; none asks for no confirmation.
    pub(super) confirmation: Option<Duration>,
    pub(super) properties: PropertiesBuf,
    /// The idempotency key.
    pub(super) key: Option<Box<str>>,
    /// What tells the message from another one under the same key.
    pub(super) fingerprint: u64,
    pub(super) wishes: Wishes,
    /// The response that is waited for, once [it is named](Input::name_response).
    pub(super) response: Option<ResponseWish>,
}

/// What could be read of the request, for the log entry of a call that is refused.
#[derive(Debug, Default)]
pub(super) struct Request {
    pub(super) client_id: Option<Arc<str>>,
    pub(super) topic: Option<Arc<str>>,
    pub(super) confirmation: bool,
    pub(super) timeout_seconds: Option<u64>,
    /// Whether nothing is to be sent.
    pub(super) dry_run: bool,
    /// What the message is measured by beside its topic and payload (spec 9), in bytes.
    pub(super) property_bytes: usize,
}

impl Input {
    /// Checks everything but the payload; `request` gets what could be read, whatever the end.
    pub(super) fn parse(
        label: &str,
        head: &Head<'_>,
        request: &mut Request,
    ) -> Result<Input, Invalid> {
        let query = &Query::split(head.query);
        request.dry_run = wishes::is_dry_run(head).map_err(Invalid::Request)?;
        let client_id = client_id(label, request)?;
        let topic = topic(query, request)?;
        let confirmation = confirmation(query, request)?;
        let wishes = Wishes::parse(head).map_err(Invalid::Request)?;
        // Who answers has it.
        request.confirmation |= wishes.response.is_some();
        let confirmation = confirmation || wishes.response.is_some();
        let confirmation = if confirmation { Some(timeout(query, request)?) } else { None };
        let properties = properties::parse(query, head.headers).map_err(Invalid::Mqtt5Property)?;
        let key = Key::text_of(head).map_err(Invalid::Request)?.map(Box::from);
        let properties = with_expiry(properties, wishes.deadline);
        Ok(Input {
            client_id,
            topic,
            confirmation,
            properties,
            key,
            fingerprint: 0,
            wishes,
            response: None,
        })
    }

    /// Takes down what tells the message from another one under the same key, as its sender wrote
    /// it; nothing asks for it without a key.
    pub(super) fn take_fingerprint(&mut self, payload: &[u8]) {
        if self.key.is_none() {
            return;
        }
        let wanted = [self.confirmation.is_some(), self.wishes.response.is_some()];
        let properties = self.properties.as_properties().as_bytes();
        let client_id = self.client_id.as_str();
        self.fingerprint = fingerprint(client_id, &self.topic, wanted, properties, payload);
    }

    /// How long the sender waits at most, if it waits.
    pub(super) fn patience(&self) -> Option<Duration> {
        Some(self.confirmation? + self.wishes.response.unwrap_or_default())
    }

    /// An answer that another request got before: its response is not kept for ever.
    pub(super) fn as_asked(&self, settled: Settled) -> Settled {
        let forgotten = settled.outcome == DirectOutcome::Acknowledged;
        match forgotten && self.wishes.response.is_some() {
            true => Settled { outcome: DirectOutcome::ResponseTimeout, ..settled },
            false => settled,
        }
    }

    /// Puts another text in the place of the topic; one that was checked.
    pub(super) fn set_topic(&mut self, topic: Arc<str>) {
        self.topic = topic;
    }

    /// The text of the topic.
    pub(super) fn topic_text(&self) -> &str {
        &self.topic
    }

    /// How many bytes its texts and properties have.
    pub(super) fn bytes(&self) -> usize {
        self.client_id.as_str().len()
            + self.topic.len()
            + self.properties.as_properties().as_bytes().len()
    }

    /// The message with that payload.
    pub(super) fn message<'a>(
        &'a self,
        payload: &'a [u8],
    ) -> Result<DirectMessage<'a>, DirectOutcome> {
        Ok(DirectMessage {
            topic: self.topic()?,
            payload,
            properties: self.properties.as_properties(),
            optional: None,
            confirmation: self.confirmation,
            deadline: self.wishes.deadline,
        })
    }

    /// The topic. It was checked by [`Input::parse`]; should that not hold, the fault is ours.
    pub(super) fn topic(&self) -> Result<TopicName<'_>, DirectOutcome> {
        TopicName::parse(&self.topic).map_err(|_| DirectOutcome::Internal)
    }
}

/// An MQTT 5 device learns how long the message is of use, in whole seconds, rounded up.
pub(super) fn with_expiry(
    mut properties: PropertiesBuf,
    deadline: Option<Duration>,
) -> PropertiesBuf {
    if let Some(deadline) = deadline {
        let seconds = u32::try_from(deadline.as_millis().div_ceil(1_000)).unwrap_or(u32::MAX);
        // No other parameter sets it.
        let pushed = properties.push(Property::MessageExpiryInterval(seconds));
        debug_assert!(pushed.is_ok(), "a property of our own does not encode");
    }
    properties
}

fn client_id(label: &str, request: &mut Request) -> Result<ClientId, Invalid> {
    let decoded = client_ids::decode(label).map_err(Invalid::ClientId)?;
    let client_id = client_ids::check(&decoded);
    request.client_id = Some(match &client_id {
        Ok(client_id) => client_id.to_shared(),
        Err(_) => decoded.as_ref().into(),
    });
    client_id.map_err(Invalid::ClientId)
}

fn topic(query: &Query<'_>, request: &mut Request) -> Result<Arc<str>, Invalid> {
    let found = query
        .parameter("topic")
        .map_err(|error| Invalid::Topic(error.sentence("topic")))?
        .ok_or_else(|| Invalid::Topic("The query parameter topic is missing.".into()))?;
    let topic: Arc<str> = found.as_ref().into();
    request.topic = Some(Arc::clone(&topic));
    check_topic(&topic)?;
    Ok(topic)
}

/// The topic that a sender names.
pub(crate) fn check_topic(topic: &str) -> Result<(), Invalid> {
    topics::addressed(topic).map_err(|what| Invalid::Topic(format!("The topic {what}.")))
}

fn confirmation(query: &Query<'_>, request: &mut Request) -> Result<bool, Invalid> {
    let confirmation =
        query.boolean("confirmation").map_err(Invalid::Confirmation)?.unwrap_or(false);
    request.confirmation = confirmation;
    Ok(confirmation)
}

fn timeout(query: &Query<'_>, request: &mut Request) -> Result<Duration, Invalid> {
    let value =
        query.parameter("timeout").map_err(|error| Invalid::Timeout(error.sentence("timeout")))?;
    let seconds = match value.as_deref() {
        None => Some(CONFIRMATION_SECONDS_DEFAULT),
        Some(digits) if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            digits.parse().ok()
        }
        Some(_) => None,
    };
    match seconds.filter(|seconds| CONFIRMATION_SECONDS.contains(seconds)) {
        Some(seconds) => {
            request.timeout_seconds = Some(seconds);
            Ok(Duration::from_secs(seconds))
        }
        None => Err(Invalid::Timeout(format!(
            "The query parameter timeout must be a whole number of seconds from {} to {}.",
            CONFIRMATION_SECONDS.start(),
            CONFIRMATION_SECONDS.end()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(uri: &str) -> Result<Input, Invalid> {
        let (parts, ()) = http::Request::post(uri).body(()).expect("a request").into_parts();
        let label = parts.uri.path().split('/').nth(2).expect("a label").to_owned();
        let listed = crate::head::Listed::of(&parts.headers);
        Input::parse(&label, &listed.head(&parts), &mut Request::default())
    }

    fn reason(uri: &str) -> &'static str {
        parse(uri).expect_err(uri).reason()
    }

    #[test]
    fn the_documented_request_is_taken_in() {
        let input = parse("/connections/a%2Fb/messages?topic=cmd%2Fx&confirmation=TRUE&timeout=15");
        let input = input.expect("valid");
        assert_eq!(input.client_id.as_str(), "a/b");
        assert_eq!(input.topic().expect("checked").as_str(), "cmd/x");
        assert_eq!(input.confirmation, Some(Duration::from_secs(15)));
    }

    #[test]
    fn the_timeout_counts_only_with_a_confirmation() {
        let input = parse("/connections/a/messages?topic=t&timeout=nonsense").expect("valid");
        assert_eq!(input.confirmation, None);
        let input = parse("/connections/a/messages?topic=t&confirmation=true").expect("valid");
        assert_eq!(input.confirmation, Some(Duration::from_secs(5)));
    }

    #[test]
    fn every_wrong_parameter_has_its_reason() {
        let long = "x".repeat(129);
        for client_id in ["%24x", "%zz", "%00", &long] {
            let uri = format!("/connections/{client_id}/messages?topic=t");
            assert_eq!(reason(&uri), "MALFORMED_CLIENTID", "{uri}");
        }
        let long = "x".repeat(257);
        for topic in ["", "$aws", "a%2F%2B", "%23", "1/2/3/4/5/6/7/8/9", "%00", "%ff", &long] {
            let uri = format!("/connections/a/messages?topic={topic}");
            assert_eq!(reason(&uri), "INVALID_TOPIC", "{uri}");
        }
        assert_eq!(reason("/connections/a/messages"), "INVALID_TOPIC");
        assert_eq!(reason("/connections/a/messages?topic=a&topic=a"), "INVALID_TOPIC");
        for confirmation in ["maybe", "", "1", "true&confirmation=true"] {
            let uri = format!("/connections/a/messages?topic=t&confirmation={confirmation}");
            assert_eq!(reason(&uri), "INVALID_CONFIRMATION_PARAMETER", "{uri}");
        }
        for timeout in ["0", "16", "", "-1", "1.5", "+5", "99999999999999999999", "5&timeout=5"] {
            let uri =
                format!("/connections/a/messages?topic=t&confirmation=true&timeout={timeout}");
            assert_eq!(reason(&uri), "INVALID_TIMEOUT_PARAMETER", "{uri}");
        }
    }
}
