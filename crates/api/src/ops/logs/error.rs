//! Every way in which reading the log can fail, in the names of CloudWatch Logs.

use std::io;

/// Why a call has no answer; each with its sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LogsError {
    /// The body is no JSON object, or a member has another type.
    Serialization(String),
    /// A member has a value that it may not have.
    InvalidParameter(String),
    /// There is no such log group or log stream.
    NotFound(&'static str),
    /// The caller's policies do not allow it.
    AccessDenied(String),
    /// The operation is not offered.
    UnknownOperation(String),
    /// As many calls read as may.
    Throttled,
    /// The disk cannot be read.
    Unavailable(String),
}

impl LogsError {
    /// The disk cannot be read.
    pub(super) fn unread(error: io::Error) -> Self {
        LogsError::Unavailable(format!("The log cannot be read: {error}."))
    }

    /// The name of the error; those that botocore's model has are in its spelling.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            LogsError::Serialization(_) => "SerializationException",
            LogsError::InvalidParameter(_) => "InvalidParameterException",
            LogsError::NotFound(_) => "ResourceNotFoundException",
            LogsError::AccessDenied(_) => "AccessDeniedException",
            LogsError::UnknownOperation(_) => "UnknownOperationException",
            LogsError::Throttled => "ThrottlingException",
            LogsError::Unavailable(_) => "ServiceUnavailableException",
        }
    }

    /// What is wrong and what would be right.
    pub(crate) fn sentence(&self) -> &str {
        match self {
            LogsError::Serialization(sentence)
            | LogsError::InvalidParameter(sentence)
            | LogsError::AccessDenied(sentence)
            | LogsError::UnknownOperation(sentence)
            | LogsError::Unavailable(sentence) => sentence,
            LogsError::NotFound(sentence) => sentence,
            LogsError::Throttled => "Rate exceeded: too many calls read the log; try again later.",
        }
    }
}
