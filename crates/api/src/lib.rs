//! The HTTP operations.
//!
//! A request goes through `router` (which operation), `authenticate` (who calls), one file of `ops`
//! (parse, authorise, do) and `fault`, the only place that knows status codes and error names. The log
//! is read by another protocol, whose operations and errors are in `logs`.

mod authenticate;
mod body;
mod caller;
mod control;
mod deliveries;
mod exchange;
mod explanation;
mod fault;
mod head;
mod large_bodies;
mod logs;
mod ops;
mod percent;
mod pieces;
mod query;
mod refused;
mod reply;
mod router;
mod service;
mod service_name;
mod trace;
mod truth;
mod unadmitted;

pub use authenticate::{Against, Rejected, authenticate};
pub use caller::{Caller, Credentials};
pub use control::{Pending, Registrar, TakenUp, log_level};
pub use deliveries::{Receipt, ReceiptListener, ReceiptStatus};
pub use exchange::{Begun, Exchange, Later};
pub use head::{Head, Listed, name_host};
pub use identity::sigv4::{Field, Fields};
pub use logs::Reading;
pub use ops::delete_connection::Deleting;
pub use ops::publish::Publishing;
pub use ops::send_direct_message::{Dispatch, Progress, Sent};
pub use ops::send_direct_messages::Many;
pub use ops::thing_shadow::AskingShadow;
pub use pieces::{AnswerBody, Pieces};
pub use reply::{Answer, Reply};
pub use service::Api;
pub use service_name::ServiceName;
pub use trace::Traces;

/// The checks of the parameters, reachable without a node.
#[cfg(fuzzing)]
pub use logs::parse_call as parse_logs_call;
#[cfg(fuzzing)]
pub use ops::{
    publish::parse as parse_publish, send_direct_message::parse as parse_send_direct_message,
    send_direct_messages::parse as parse_send_direct_messages,
};
