//! The HTTP operations.
//!
//! A request goes through `router` (which operation), `authenticate` (who calls), one file of `ops`
//! (parse, authorise, do) and `fault`, the only place that knows status codes and error names.

mod authenticate;
mod body;
mod caller;
mod exchange;
mod fault;
mod head;
mod ops;
mod percent;
mod query;
mod reply;
mod router;
mod service;

pub use authenticate::{Against, Rejected, authenticate};
pub use caller::{Caller, Credentials};
pub use exchange::{Begun, Exchange};
pub use head::{Head, Listed, name_host};
pub use identity::sigv4::{Field, Fields};
pub use ops::send_direct_message::{Dispatch, Sent};
pub use reply::{Answer, Reply};
pub use service::Api;

/// The checks of SendDirectMessage's parameters, reachable without a node. They are compiled a
/// second time so that nothing private opens up in other builds.
#[cfg(fuzzing)]
#[path = "ops/send_direct_message"]
mod fuzzed {
    #![allow(dead_code)]

    mod input;
    mod properties;

    /// Checks the path label, still percent-encoded, the query and the headers; says whether they
    /// are acceptable.
    pub fn parse_send_direct_message(label: &str, head: &crate::Head<'_>) -> bool {
        input::Input::parse(label, head, &mut input::Request::default()).is_ok()
    }
}
#[cfg(fuzzing)]
pub use fuzzed::parse_send_direct_message;
