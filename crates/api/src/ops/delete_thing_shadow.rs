//! `DELETE /things/{thingName}/shadow` (spec 10.1).

use std::sync::Arc;

use broker::Node;
use shadow::{Operation, Request};

use super::{Call, thing_shadow};
use crate::exchange::Begun;

/// Checks the call and authorises its sender. `label` is the thing, still percent-encoded; the body
/// does not matter.
pub(crate) fn begin<'a>(node: &Arc<Node>, label: &str, call: Call<'a>) -> Begun<'a> {
    thing_shadow::begin(node, Operation::Delete, label, call, |_| Ok(Request::DELETE))
}
