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
pub use pieces::{AnswerBody, Pieces};
pub use reply::{Answer, Reply};
pub use service::Api;

/// The checks of the parameters of SendDirectMessage, to one and to many, and Publish, reachable without a node. They are
/// compiled a second time so that nothing private opens up in other builds.
#[cfg(fuzzing)]
#[path = "ops"]
mod fuzzed {
    #![allow(dead_code)]

    #[path = "send_direct_message/input.rs"]
    mod direct;
    #[path = "send_direct_messages/input.rs"]
    mod many;
    #[path = "send_direct_messages/pattern.rs"]
    mod pattern;
    #[path = "publish/input.rs"]
    mod publish;
    #[path = "send_direct_message/response.rs"]
    mod response;
    #[path = "send_direct_message/wishes.rs"]
    mod wishes;

    /// Checks the path label, still percent-encoded, the query and the headers; says whether they
    /// are acceptable.
    pub fn parse_send_direct_message(label: &str, head: &crate::Head<'_>) -> bool {
        direct::Input::parse(label, head, &mut direct::Request::default()).is_ok()
    }

    /// Checks the body of a message to many; says how many of `names` fit a pattern of it, if it is
    /// acceptable.
    pub fn parse_send_direct_messages<'a>(
        body: &[u8],
        names: impl Iterator<Item = &'a str>,
    ) -> Option<usize> {
        let headers = crate::Fields::new(&[]);
        let head = crate::Head { method: "POST", path: "", query: "", headers };
        let input = many::Input::parse(body, &head, &mut None).ok()?;
        let patterns = &input.asked.patterns;
        Some(names.filter(|name| patterns.iter().any(|pattern| pattern.fits(name))).count())
    }

    /// Checks the topic label, the query and the headers of Publish.
    pub fn parse_publish(label: &str, head: &crate::Head<'_>) -> bool {
        let mut request = publish::Request::default();
        publish::Input::parse(label, head, &engine::profile::AWS, &mut request).is_ok()
    }
}
#[cfg(fuzzing)]
pub use fuzzed::{parse_publish, parse_send_direct_message, parse_send_direct_messages};
