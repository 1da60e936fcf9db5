//! `POST /things/{thingName}/shadow` (spec 10.1).

use std::sync::Arc;

use broker::Node;
use shadow::{Operation, Request};

use super::{Call, thing_shadow};
use crate::exchange::Begun;

/// Checks the call and authorises its sender. `label` is the thing, still percent-encoded; the body
/// is the request, as over MQTT.
pub(crate) fn begin<'a>(node: &Arc<Node>, label: &str, call: Call<'a>) -> Begun<'a> {
    let parse = |payload: &[u8]| Request::parse(Operation::Update, payload);
    thing_shadow::begin(node, Operation::Update, label, call, parse)
}
