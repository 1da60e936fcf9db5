//! `POST /topics/{topic}` (spec 2.4).

mod input;
mod ledger;

use std::sync::Arc;

use broker::{Durable, Node, PublishRefused};
use engine::message::Publication;
use engine::metering;

use self::input::Input;
use self::ledger::Ledger;
use super::{Call, topic};
use crate::exchange::{Begun, Later};
use crate::refused::Refused;
use crate::reply::Reply;

/// A message that was published. Its sender is answered once everybody who is to get it later is
/// sure to.
pub struct Publishing {
    ledger: Ledger,
    durable: Durable,
}

/// Checks the call, authorises its sender and publishes. `label` is the topic, still
/// percent-encoded.
pub(crate) fn begin<'a>(node: &Arc<Node>, label: &str, call: Call<'a>) -> Begun<'a> {
    let Call { head, payload, sender, trace_id, .. } = call;
    let mut ledger = Ledger::open(node, sender, trace_id);
    let input = Input::parse(label, head, node.rules().profile, &mut ledger.request);
    if let Ok(input) = &input {
        let properties = input.properties.as_properties();
        ledger.metered_bytes = metering::message_bytes(&input.topic, properties, payload.len());
    }
    match input.and_then(|input| publish(&ledger, &input, payload)) {
        Ok(durable) => Begun::Later(Later::Published(Publishing { ledger, durable })),
        Err(refused) => Begun::Answered(ledger.settle(Err(refused))),
    }
}

fn publish(ledger: &Ledger, input: &Input, payload: &[u8]) -> Result<Durable, Refused> {
    let (node, now) = (&ledger.node, ledger.node.now());
    let limit = node.rules().quotas.payload_bytes;
    if payload.len() > limit {
        return Err(Refused::PayloadTooLarge { limit });
    }
    let topic = topic::published(&input.topic, node.rules().profile)?;
    let permit = node
        .access()
        .publish(&ledger.sender, topic, input.retain, now)
        .map_err(|_| Refused::Unauthorized(actions(input.retain)))?;
    let publication = Publication {
        topic,
        qos: input.qos,
        retain: input.retain,
        properties: input.properties.as_properties(),
        payload,
        expires: input.expiry_seconds.map(|seconds| node.message_expiry(seconds, now)),
    };
    let from = (&ledger.sender, ledger.trace_id);
    node.publish_for_sender(permit, publication, from).map_err(|refused| match refused {
        PublishRefused::Throttled(quota) => Refused::Throttled(quota),
        PublishRefused::Reserved => Refused::Topic(
            "The topic starts with $, so its messages are not retained; publish without retain."
                .into(),
        ),
    })
}

/// What a publish takes, for the sentence of a sender who may not.
fn actions(retain: bool) -> &'static str {
    match retain {
        false => "iot:Publish on this topic",
        true => "iot:Publish and iot:RetainPublish on this topic",
    }
}

impl Publishing {
    /// Calls `then` with the answer as soon as there is one: at once, or on the journal's thread,
    /// where it must not wait. The log entry is written whether anybody is left to be answered or
    /// not.
    pub fn when_answered(self, then: impl FnOnce(Reply) + Send + 'static) {
        let Publishing { ledger, durable } = self;
        let node = Arc::clone(&ledger.node);
        node.when_durable(durable, move |kept| {
            then(ledger.settle(kept.map_err(|_| Refused::NotKept)));
        });
    }
}

/// Checks the topic label, the query and the headers; says whether they are acceptable.
#[cfg(fuzzing)]
pub fn parse(label: &str, head: &crate::Head<'_>) -> bool {
    let mut request = input::Request::default();
    Input::parse(label, head, &engine::profile::AWS, &mut request).is_ok()
}
