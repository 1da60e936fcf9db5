//! Why a request was rejected.

/// What is wrong with a request, in AWS's words and under AWS's codes (spec 10.4).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The payload is no JSON object.
    #[error("Invalid JSON")]
    InvalidJson,
    /// An update without `state`.
    #[error("Missing required node: state")]
    MissingState,
    /// `state` is something else than an object.
    #[error("State node must be an object")]
    StateNotObject,
    /// `desired` is something else than an object.
    #[error("Desired node must be an object")]
    DesiredNotObject,
    /// `reported` is something else than an object.
    #[error("Reported node must be an object")]
    ReportedNotObject,
    /// `version` is no whole number.
    #[error("Invalid version")]
    InvalidVersion,
    /// `clientToken` is no text, or too long a one.
    #[error("Invalid clientToken")]
    InvalidClientToken,
    /// More than [`LEVELS`](crate::LEVELS) levels. AWS's text says 6 whatever the limit is.
    #[error("JSON contains too many levels of nesting; maximum is 6")]
    TooManyLevels,
    /// `state` has other members than `desired` and `reported`, or an array has null in it.
    #[error("State contains an invalid node")]
    InvalidNode,
    /// There is no such shadow; with its name, or the thing's if it has none.
    #[error("No shadow exists with name: '{0}'")]
    NoShadow(Box<str>),
    /// The version in the request is not that of the shadow.
    #[error("Version conflict")]
    VersionConflict,
    /// More state than a shadow has room for, or too long a request.
    #[error("The payload exceeds the maximum size allowed")]
    TooLarge,
    /// The payload is not UTF-8.
    #[error("Unsupported documented encoding; supported encoding is UTF-8")]
    NotUtf8,
    /// A rate, a window or the room of the server is used up.
    #[error("Too many requests")]
    TooManyRequests,
    /// What was changed cannot be made durable.
    #[error("Internal service failure")]
    Internal,
}

impl Fault {
    /// The machine-readable word, in the log and in HTTP answers (ours).
    pub fn reason(&self) -> &'static str {
        match self {
            Fault::InvalidJson => "INVALID_JSON",
            Fault::MissingState => "MISSING_STATE",
            Fault::StateNotObject => "INVALID_STATE",
            Fault::DesiredNotObject => "INVALID_DESIRED",
            Fault::ReportedNotObject => "INVALID_REPORTED",
            Fault::InvalidVersion => "INVALID_VERSION",
            Fault::InvalidClientToken => "INVALID_CLIENT_TOKEN",
            Fault::TooManyLevels => "TOO_MANY_LEVELS",
            Fault::InvalidNode => "INVALID_NODE",
            Fault::NoShadow(_) => "SHADOW_NOT_FOUND",
            Fault::VersionConflict => "VERSION_CONFLICT",
            Fault::TooLarge => "PAYLOAD_TOO_LARGE",
            Fault::NotUtf8 => "UNSUPPORTED_ENCODING",
            Fault::TooManyRequests => "SHADOW_THROTTLED",
            Fault::Internal => "SHADOW_NOT_KEPT",
        }
    }

    /// The member `code` of a rejection, which is HTTP's status.
    pub fn code(&self) -> u16 {
        match self {
            Fault::InvalidJson
            | Fault::MissingState
            | Fault::StateNotObject
            | Fault::DesiredNotObject
            | Fault::ReportedNotObject
            | Fault::InvalidVersion
            | Fault::InvalidClientToken
            | Fault::TooManyLevels
            | Fault::InvalidNode => 400,
            Fault::NoShadow(_) => 404,
            Fault::VersionConflict => 409,
            Fault::TooLarge => 413,
            Fault::NotUtf8 => 415,
            Fault::TooManyRequests => 429,
            Fault::Internal => 500,
        }
    }
}

/// A payload that is no request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// Why.
    pub fault: Fault,
    /// The token that came with it, if it is a valid one.
    pub client_token: Option<Box<str>>,
}

impl From<Fault> for Rejected {
    fn from(fault: Fault) -> Self {
        Rejected { fault, client_token: None }
    }
}
