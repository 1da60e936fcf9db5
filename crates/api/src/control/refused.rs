//! Why a request to the control plane is not answered with what it asks for.

use telemetry::{FailureClass, Quota};

/// Why a request was refused. [`fault`](super::fault) turns it into status and error name; the log
/// takes reason, sentence and class from here.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Refused {
    /// A parameter, the body or a member of it; the sentence says what is wrong.
    Input(String),
    /// What is registered does not allow it.
    Registry(registry::Refused),
    /// The caller's policies do not allow it; what they would have to, and which statement decided,
    /// for who may know.
    Unauthorized(String, Option<serde_json::Value>),
    /// The rate of the account is exceeded.
    Throttled,
    /// As many key pairs are being made, or wait for it, as may.
    Busy,
    /// The change cannot be made durable.
    NotKept,
    /// A fault of ours.
    Internal,
}

impl From<registry::Refused> for Refused {
    fn from(refused: registry::Refused) -> Self {
        Refused::Registry(refused)
    }
}

impl Refused {
    /// The machine-readable word, in the log and in the answer.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Refused::Input(_) => "INVALID_REQUEST",
            Refused::Registry(refused) => reason(refused),
            Refused::Unauthorized(..) => FailureClass::AuthError.reason(),
            Refused::Throttled => "CONTROL_REQUEST_THROTTLED",
            Refused::Busy => "KEY_PAIRS_BUSY",
            Refused::NotKept => "CHANGE_NOT_KEPT",
            Refused::Internal => FailureClass::ServerError.reason(),
        }
    }

    /// What is wrong and what would be right.
    pub(crate) fn sentence(&self) -> String {
        match self {
            Refused::Input(sentence) => sentence.clone(),
            Refused::Registry(refused) => refused.to_string(),
            Refused::Unauthorized(what, _) => format!("The caller is not allowed {what}."),
            Refused::Throttled => "The account's rate of requests to the control plane \
                 (control_requests) is exceeded; try again later."
                .to_owned(),
            Refused::Busy => "As many key pairs are being made as may be at a time; try again \
                 later, or make the key yourself and call CreateCertificateFromCsr."
                .to_owned(),
            Refused::NotKept => {
                "The change cannot be kept; the server's log says why (STORE_FAILED).".to_owned()
            }
            Refused::Internal => "An internal error occurred.".to_owned(),
        }
    }

    /// On what ground, in the classes of the metrics.
    pub(crate) fn class(&self) -> FailureClass {
        match self {
            Refused::Input(_) | Refused::Registry(_) => FailureClass::ClientError,
            Refused::Throttled | Refused::Busy => FailureClass::Throttle(Quota::ControlRequests),
            Refused::Unauthorized(..) => FailureClass::AuthError,
            Refused::NotKept | Refused::Internal => FailureClass::ServerError,
        }
    }
}

fn reason(refused: &registry::Refused) -> &'static str {
    match refused {
        registry::Refused::NotFound(_) | registry::Refused::NoTemplate(_) => "RESOURCE_NOT_FOUND",
        registry::Refused::NotConfigured => "NOT_CONFIGURED",
        registry::Refused::Exists { .. } => "RESOURCE_ALREADY_EXISTS",
        registry::Refused::OfFile { .. } => "RESOURCE_OF_A_FILE",
        registry::Refused::Invalid(_) => "INVALID_REQUEST",
        registry::Refused::MalformedPolicy(_) | registry::Refused::LongPolicy { .. } => {
            "MALFORMED_POLICY"
        }
        registry::Refused::TooManyVersions(_) => "VERSIONS_LIMIT_EXCEEDED",
        registry::Refused::DeleteConflict(_) => "DELETE_CONFLICT",
        registry::Refused::CertificateState(_) => "CERTIFICATE_STATE",
        registry::Refused::CertificateValidation(_) => "CERTIFICATE_NOT_VALID",
        registry::Refused::CertificateConflict(_) => "CERTIFICATE_CONFLICT",
        registry::Refused::RegistrationCode(_) => "REGISTRATION_CODE_NOT_VALID",
        registry::Refused::Limit(_) => "LIMIT_EXCEEDED",
        registry::Refused::VersionConflict { .. } => "VERSION_CONFLICT",
    }
}
