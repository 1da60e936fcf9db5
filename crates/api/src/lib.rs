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
pub use exchange::{Begun, Exchange};
pub use head::{Head, Listed, name_host};
pub use identity::sigv4::{Field, Fields};
pub use ops::publish::Publishing;
pub use ops::send_direct_message::{Dispatch, Progress, Sent};
pub use pieces::{AnswerBody, Pieces};
pub use reply::{Answer, Reply};
pub use service::Api;

/// The checks of the parameters of SendDirectMessage and Publish, reachable without a node. They are
/// compiled a second time so that nothing private opens up in other builds.
#[cfg(fuzzing)]
#[path = "ops"]
mod fuzzed {
    #![allow(dead_code)]

    #[path = "send_direct_message/input.rs"]
    mod direct;
    #[path = "publish/input.rs"]
    mod publish;
    #[path = "send_direct_message/wishes.rs"]
    mod wishes;

    /// Checks the path label, still percent-encoded, the query and the headers; says whether they
    /// are acceptable.
    pub fn parse_send_direct_message(label: &str, head: &crate::Head<'_>) -> bool {
        direct::Input::parse(label, head, &mut direct::Request::default()).is_ok()
    }

    /// The same for Publish.
    pub fn parse_publish(label: &str, head: &crate::Head<'_>) -> bool {
        let mut request = publish::Request::default();
        publish::Input::parse(label, head, &engine::profile::AWS, &mut request).is_ok()
    }
}
#[cfg(fuzzing)]
pub use fuzzed::{parse_publish, parse_send_direct_message};
