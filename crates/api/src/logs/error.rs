//! Every way in which reading the log can fail, in the names of CloudWatch Logs.

use std::io;

use http::StatusCode;
use identity::sigv4::SignatureError;

use crate::authenticate::Rejected;
use crate::fault::{Fault, Kind};

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

    /// What every request can fail with before it is known what it asks for.
    pub(crate) fn of_fault(fault: Fault) -> Self {
        match fault.kind {
            Kind::RequestEntityTooLarge => {
                LogsError::TooLarge("The body is larger than a request can be.".into())
            }
            Kind::RequestTimeout => LogsError::TimedOut(fault.message),
            Kind::ServiceUnavailable | Kind::InternalFailure | Kind::GatewayTimeout => {
                LogsError::Unavailable(fault.message)
            }
            Kind::Throttling => LogsError::Throttled,
            Kind::InvalidRequest
            | Kind::Forbidden
            | Kind::ResourceNotFound
            | Kind::MethodNotAllowed
            | Kind::Conflict => LogsError::Serialization(fault.message),
        }
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
