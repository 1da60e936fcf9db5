//! Reading the log back: the read operations of CloudWatch Logs for one log group, `AWSIotLogsV2`.
//!
//! A call has no log entry: it would be the next thing that the call after it reads.

mod error;
mod filter_events;
mod get_events;
mod group;
mod groups;
mod input;
mod operation;
mod page;
mod pattern;
mod reading;
mod streams;
mod token;

use broker::Node;
use engine::access::Peer;
use engine::question::Question;
use policy::Resource;
use serde_json::Value;
use telemetry::LogRing;

pub(crate) use self::error::LogsError;
use self::filter_events::FilterLogEvents;
use self::get_events::GetLogEvents;
pub(crate) use self::group::GROUP;
use self::group::Owner;
use self::groups::DescribeLogGroups;
use self::input::Input;
use self::operation::LogsOperation;
pub use self::reading::Reading;
pub(crate) use self::reading::{Logs, are_meant};
use self::streams::DescribeLogStreams;

/// A call, checked.
#[derive(Debug)]
pub(crate) struct LogsCall {
    operation: LogsOperation,
    /// The log group that it is about.
    group: String,
    asked: Asked,
}

#[derive(Debug)]
enum Asked {
    Groups(DescribeLogGroups),
    Streams(DescribeLogStreams),
    Get(GetLogEvents),
    Filter(FilterLogEvents),
}

impl LogsCall {
    /// Checks a call.
    ///
    /// # Errors
    /// Says which member is wrong.
    fn parse(operation: LogsOperation, body: &[u8], owner: &Owner) -> Result<Self, LogsError> {
        let input = &Input::parse(body)?;
        let group = match operation {
            LogsOperation::DescribeLogGroups => GROUP.to_owned(),
            LogsOperation::DescribeLogStreams
            | LogsOperation::GetLogEvents
            | LogsOperation::FilterLogEvents => group::named(input, owner)?,
        };
        let asked = match operation {
            LogsOperation::DescribeLogGroups => {
                Asked::Groups(DescribeLogGroups::parse(input, owner)?)
            }
            LogsOperation::DescribeLogStreams => Asked::Streams(DescribeLogStreams::parse(input)?),
            LogsOperation::GetLogEvents => Asked::Get(GetLogEvents::parse(input)?),
            LogsOperation::FilterLogEvents => Asked::Filter(FilterLogEvents::parse(input)?),
        };
        Ok(LogsCall { operation, group, asked })
    }

    /// Asks the caller's policies.
    ///
    /// # Errors
    /// [`LogsError::AccessDenied`].
    pub(crate) fn authorize(&self, node: &Node, caller: &Peer) -> Result<(), LogsError> {
        let (action, resource) = (self.operation.action(), self.resource());
        let question = Question::read_log(caller, action, Resource::LogGroup(&resource));
        node.access().read_log(&question, node.now()).map_err(|_| {
            let arn = node.access().scope().arn(Resource::LogGroup(&resource));
            LogsError::AccessDenied(format!("The caller is not allowed {action} on {arn}."))
        })
    }

    /// What it takes the right to, as the last field of an ARN has it behind `log-group:`.
    fn resource(&self) -> String {
        match &self.asked {
            Asked::Get(GetLogEvents { stream, .. }) => {
                format!("{}:log-stream:{stream}", self.group)
            }
            Asked::Groups(_) | Asked::Streams(_) | Asked::Filter(_) => format!("{}:*", self.group),
        }
    }

    /// Reads what is asked for. Reads files: not for a thread that serves.
    ///
    /// # Errors
    /// What there is not, or cannot be read.
    fn answer(
        &self,
        ring: Option<&LogRing>,
        owner: &Owner,
        now_millis: u64,
    ) -> Result<Value, LogsError> {
        let kept = ring.filter(|_| self.group == GROUP);
        let ours = kept.ok_or(LogsError::NotFound("The specified log group does not exist."));
        match &self.asked {
            Asked::Groups(call) => Ok(call.answer(ring, owner, now_millis)),
            Asked::Streams(call) => Ok(call.answer(ours?, owner)),
            Asked::Get(call) => call.answer(ours?, owner),
            Asked::Filter(call) => call.answer(ours?, owner),
        }
    }
}

/// Checks the body of each operation, and a filter pattern against an entry; says whether the pattern
/// is one.
#[cfg(fuzzing)]
pub fn parse_call(body: &[u8], pattern: &str, entry: &str) -> bool {
    let owner = Owner { region: "us-west-2".into(), account: "123456789012".into() };
    for operation in LogsOperation::ALL {
        // Whatever it is, it is told apart without a panic.
        let _ = LogsCall::parse(operation, body, &owner);
    }
    pattern::Pattern::parse(pattern).is_ok_and(|pattern| {
        pattern.matches(entry);
        true
    })
}

#[cfg(test)]
mod tests;
