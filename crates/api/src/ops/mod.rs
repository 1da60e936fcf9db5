//! The operations, one file each, and what they share.

pub(crate) mod client_id;
pub(crate) mod delete_connection;
pub(crate) mod delete_thing_shadow;
pub(crate) mod get_connection;
pub(crate) mod get_receipt;
pub(crate) mod get_retained_message;
pub(crate) mod get_thing_shadow;
pub(crate) mod list_named_shadows_for_thing;
pub(crate) mod list_retained_messages;
pub(crate) mod list_subscriptions;
mod page;
pub(crate) mod page_token;
pub(crate) mod properties;
pub(crate) mod publish;
pub(crate) mod send_direct_message;
pub(crate) mod send_direct_messages;
pub(crate) mod thing_shadow;
pub(crate) mod topic;
pub(crate) mod update_thing_shadow;
pub(crate) mod user_properties;
pub(crate) mod watch_receipts;

use std::sync::Arc;

use engine::access::Peer;
use telemetry::{TraceId, event};

use crate::head::Head;
use crate::trace::CallTrace;

/// A request and who makes it.
pub(crate) struct Call<'a> {
    pub(crate) head: &'a Head<'a>,
    pub(crate) payload: &'a [u8],
    pub(crate) sender: Peer,
    pub(crate) trace_id: TraceId,
    /// None if it is not traced.
    pub(crate) trace: Option<Arc<CallTrace>>,
}

/// What the log says of whoever makes a request.
fn logged(sender: &Peer, trace_id: TraceId) -> event::Sender<'_> {
    event::Sender { trace_id, principal_id: &sender.principal.id, source: sender.source }
}
