//! Every way in which reading the log can fail, in the names of CloudWatch Logs.

use std::io;

use http::StatusCode;
use identity::sigv4::SignatureError;

use crate::authenticate::Rejected;
use crate::body::BodyError;

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
    /// The caller's credentials do not hold.
    Credentials {
        /// The name of the error.
        name: &'static str,
        /// What is wrong.
        sentence: String,
    },
    /// The body is too large.
    TooLarge(String),
    /// The body did not come in time.
    TimedOut(String),
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

    /// Credentials that do not hold, by AWS's names.
    pub(crate) fn of_credentials(rejected: &Rejected) -> Self {
        let name = match rejected {
            Rejected::Missing(_) => "MissingAuthenticationTokenException",
            Rejected::Inactive(_)
            | Rejected::Signature(SignatureError::UnknownAccessKey { .. }) => {
                "UnrecognizedClientException"
            }
            Rejected::Expired(_) => "ExpiredTokenException",
            Rejected::Signature(error) if error.reason() == "NOT_AUTHENTICATED" => {
                "IncompleteSignatureException"
            }
            Rejected::Signature(_) => "InvalidSignatureException",
        };
        LogsError::Credentials { name, sentence: rejected.sentence() }
    }

    /// A body that could not be read; there is room for `most` bytes.
    pub(crate) fn of_body(error: BodyError, most: usize) -> Self {
        match error {
            BodyError::TooLarge => {
                LogsError::TooLarge(format!("The body is larger than {most} bytes."))
            }
            BodyError::TimedOut => {
                LogsError::TimedOut("The body of the request did not come in time.".into())
            }
            BodyError::Broken => LogsError::Serialization(
                "The body of the request is malformed or was cut off.".into(),
            ),
        }
    }

    /// The node shuts down.
    pub(crate) fn draining() -> Self {
        LogsError::Unavailable("The server is shutting down; try again.".into())
    }

    /// The status code: but for a few, what all errors of the protocol have.
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            LogsError::Serialization(_)
            | LogsError::InvalidParameter(_)
            | LogsError::NotFound(_)
            | LogsError::AccessDenied(_)
            | LogsError::UnknownOperation(_)
            | LogsError::Credentials { .. }
            | LogsError::Throttled => StatusCode::BAD_REQUEST,
            LogsError::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            LogsError::TimedOut(_) => StatusCode::REQUEST_TIMEOUT,
            LogsError::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The name of the error; those that botocore's model has are in its spelling.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            LogsError::Serialization(_) => "SerializationException",
            LogsError::InvalidParameter(_) => "InvalidParameterException",
            LogsError::NotFound(_) => "ResourceNotFoundException",
            LogsError::AccessDenied(_) => "AccessDeniedException",
            LogsError::UnknownOperation(_) => "UnknownOperationException",
            LogsError::Credentials { name, .. } => name,
            LogsError::TooLarge(_) => "RequestEntityTooLargeException",
            LogsError::TimedOut(_) => "RequestTimeoutException",
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
            | LogsError::Credentials { sentence, .. }
            | LogsError::TooLarge(sentence)
            | LogsError::TimedOut(sentence)
            | LogsError::Unavailable(sentence) => sentence,
            LogsError::NotFound(sentence) => sentence,
            LogsError::Throttled => "Rate exceeded: too many calls read the log; try again later.",
        }
    }
}
