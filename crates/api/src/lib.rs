//! The HTTP operations.
//!
//! A request goes through `router` (which operation), `authenticate` (who calls), one file of `ops`
//! (parse, authorise, do) and `fault`, the only place that knows status codes and error names.

mod authenticate;
mod body;
mod caller;
mod deliveries;
mod exchange;
mod explanation;
mod fault;
mod head;
mod ops;
mod percent;
mod pieces;
mod query;
mod refused;
mod reply;
mod router;
mod service;
mod truth;

pub use authenticate::{Against, Rejected, authenticate};
pub use caller::{Caller, Credentials};
pub use deliveries::{Receipt, ReceiptListener, ReceiptStatus};
pub use exchange::{Begun, Exchange, Later};
pub use head::{Head, Listed, name_host};
pub use identity::sigv4::{Field, Fields};
pub use ops::publish::Publishing;
pub use ops::send_direct_message::{Dispatch, Progress, Sent};
pub use ops::send_direct_messages::Many;
pub use ops::thing_shadow::AskingShadow;
pub use pieces::{AnswerBody, Pieces};
pub use reply::{Answer, Reply};
pub use service::Api;

/// The checks of the parameters, reachable without a node.
#[cfg(fuzzing)]
pub use ops::{
    publish::parse as parse_publish, send_direct_message::parse as parse_send_direct_message,
    send_direct_messages::parse as parse_send_direct_messages,
};
