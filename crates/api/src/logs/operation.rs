//! What can be asked of the log.

use policy::Action;

/// An operation of CloudWatch Logs that is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogsOperation {
    DescribeLogGroups,
    DescribeLogStreams,
    GetLogEvents,
    FilterLogEvents,
}

impl LogsOperation {
    pub(crate) const ALL: [LogsOperation; 4] = [
        LogsOperation::DescribeLogGroups,
        LogsOperation::DescribeLogStreams,
        LogsOperation::GetLogEvents,
        LogsOperation::FilterLogEvents,
    ];

    /// Its name in the model.
    pub(crate) fn name(self) -> &'static str {
        match self {
            LogsOperation::DescribeLogGroups => "DescribeLogGroups",
            LogsOperation::DescribeLogStreams => "DescribeLogStreams",
            LogsOperation::GetLogEvents => "GetLogEvents",
            LogsOperation::FilterLogEvents => "FilterLogEvents",
        }
    }

    /// What a policy calls it.
    pub(crate) fn action(self) -> Action {
        match self {
            LogsOperation::DescribeLogGroups => Action::DescribeLogGroups,
            LogsOperation::DescribeLogStreams => Action::DescribeLogStreams,
            LogsOperation::GetLogEvents => Action::GetLogEvents,
            LogsOperation::FilterLogEvents => Action::FilterLogEvents,
        }
    }

    /// The operation of that name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        LogsOperation::ALL.into_iter().find(|operation| operation.name() == name)
    }
}
