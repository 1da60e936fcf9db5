//! The HTTP shape of the control plane's errors: the only place that knows its status codes and
//! error names (spec 11).

use http::StatusCode;
use policy::Scope;

use super::operation::Misrouted;
use super::refused::Refused;
use crate::authenticate::Rejected;
use crate::body::BodyError;

/// An error answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    kind: Kind,
    /// The log's reason, also in the body.
    pub(crate) reason: &'static str,
    /// The sentence for people.
    pub(crate) message: String,
    /// For the header `Allow`.
    pub(crate) allow: Option<String>,
    /// ID and ARN of what exists already.
    pub(crate) resource: Option<(String, String)>,
    /// Which statement of a policy decided, for who may know it.
    pub(crate) explanation: Option<serde_json::Value>,
}

/// The modelled errors of the service, and those that every service of AWS's has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    InvalidRequest,
    MalformedPolicy,
    CertificateValidation,
    RegistrationCodeValidation,
    Throttling,
    Unauthorized,
    NotAuthenticated,
    Forbidden,
    ResourceNotFound,
    NotConfigured,
    MethodNotAllowed,
    CertificateState,
    RequestTimeout,
    ResourceAlreadyExists,
    DeleteConflict,
    CertificateConflict,
    VersionConflict,
    VersionsLimitExceeded,
    LimitExceeded,
    InternalFailure,
    Internal,
    ServiceUnavailable,
}

impl Kind {
    fn status(self) -> StatusCode {
        match self {
            Kind::InvalidRequest
            | Kind::MalformedPolicy
            | Kind::CertificateValidation
            | Kind::RegistrationCodeValidation
            // Not 429: the service model has it so (spec 11).
            | Kind::Throttling => StatusCode::BAD_REQUEST,
            Kind::Unauthorized => StatusCode::UNAUTHORIZED,
            Kind::NotAuthenticated | Kind::Forbidden => StatusCode::FORBIDDEN,
            Kind::ResourceNotFound | Kind::NotConfigured => StatusCode::NOT_FOUND,
            Kind::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Kind::CertificateState => StatusCode::NOT_ACCEPTABLE,
            Kind::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
            Kind::ResourceAlreadyExists
            | Kind::DeleteConflict
            | Kind::CertificateConflict
            | Kind::VersionConflict
            | Kind::VersionsLimitExceeded => StatusCode::CONFLICT,
            Kind::LimitExceeded => StatusCode::GONE,
            Kind::InternalFailure | Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Kind::ServiceUnavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn error_type(self) -> &'static str {
        match self {
            Kind::InvalidRequest | Kind::RequestTimeout => "InvalidRequestException:",
            Kind::MalformedPolicy => "MalformedPolicyException:",
            Kind::CertificateValidation => "CertificateValidationException:",
            Kind::RegistrationCodeValidation => "RegistrationCodeValidationException:",
            Kind::Throttling => "ThrottlingException:",
            Kind::Unauthorized => "UnauthorizedException:",
            // The name that AWS's gateways give to a signature that does not hold.
            Kind::NotAuthenticated => "UnrecognizedClientException:",
            Kind::Forbidden => "AccessDeniedException:",
            Kind::ResourceNotFound => "ResourceNotFoundException:",
            Kind::NotConfigured => "NotConfiguredException:",
            Kind::MethodNotAllowed => "MethodNotAllowedException:",
            Kind::CertificateState => "CertificateStateException:",
            Kind::ResourceAlreadyExists => "ResourceAlreadyExistsException:",
            Kind::DeleteConflict => "DeleteConflictException:",
            Kind::CertificateConflict => "CertificateConflictException:",
            Kind::VersionConflict => "VersionConflictException:",
            Kind::VersionsLimitExceeded => "VersionsLimitExceededException:",
            Kind::LimitExceeded => "LimitExceededException:",
            Kind::InternalFailure => "InternalFailureException:",
            Kind::Internal => "InternalException:",
            Kind::ServiceUnavailable => "ServiceUnavailableException:",
        }
    }
}

impl Fault {
    fn new(kind: Kind, reason: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        Fault { kind, reason, message, allow: None, resource: None, explanation: None }
    }

    /// The status code.
    pub(crate) fn status(&self) -> StatusCode {
        self.kind.status()
    }

    /// The value of `x-amzn-ErrorType`, with the colon at the end that AWS writes.
    pub(crate) fn error_type(&self) -> &'static str {
        self.kind.error_type()
    }

    /// Whether it may go well in a moment.
    pub(crate) fn is_passing(&self) -> bool {
        matches!(self.kind, Kind::Throttling | Kind::ServiceUnavailable)
    }

    /// The answer of an operation that was refused.
    pub(crate) fn of_refused(operation: &str, refused: &Refused, scope: &Scope) -> Fault {
        let kind = match refused {
            Refused::Input(_) => Kind::InvalidRequest,
            Refused::Registry(refused) => Kind::of_registry(refused),
            Refused::Unauthorized(..) => Kind::Unauthorized,
            Refused::Throttled | Refused::Busy => Kind::Throttling,
            Refused::NotKept | Refused::Internal => Kind::of_internal(operation),
        };
        let mut fault = Fault::new(kind, refused.reason(), refused.sentence());
        if let Refused::Registry(registry::Refused::Exists { key, .. }) = refused {
            fault.resource = Some((key.name().to_owned(), key.arn(scope)));
        }
        if let Refused::Unauthorized(_, explanation) = refused {
            fault.explanation.clone_from(explanation);
        }
        fault
    }

    /// The answer to credentials that are missing or do not hold.
    pub(crate) fn of_credentials(rejected: &Rejected) -> Fault {
        Fault::new(Kind::NotAuthenticated, rejected.reason(), rejected.sentence())
    }

    /// The answer to a device that comes with its certificate.
    pub(crate) fn of_certificate() -> Fault {
        let message = "The control plane takes requests that are signed with AWS Signature Version 4 \
             for the service iot, and no client certificates.";
        Fault::new(Kind::Forbidden, "NOT_AUTHENTICATED", message)
    }

    /// The answer to a path or method that no operation has.
    pub(crate) fn of_route(misrouted: &Misrouted, method: &str, path: &str) -> Fault {
        match misrouted {
            Misrouted::UnknownPath => {
                let message = format!(
                    "No operation of the service iot has the path {path} here; docs/control-plane.md \
                     lists those that are offered."
                );
                Fault::new(Kind::ResourceNotFound, "UNKNOWN_OPERATION", message)
            }
            Misrouted::WrongMethod { allow } => {
                let message = format!("This path takes {allow}, not {method}.");
                let fault = Fault::new(Kind::MethodNotAllowed, "METHOD_NOT_ALLOWED", message);
                Fault { allow: Some(allow.clone()), ..fault }
            }
        }
    }

    /// The answer to a body that could not be read; there is room for `limit` bytes.
    pub(crate) fn of_body(error: BodyError, limit: usize) -> Fault {
        let (kind, reason, message) = match error {
            BodyError::TooLarge => {
                let message = format!("The body is larger than {limit} bytes.");
                (Kind::InvalidRequest, "INVALID_REQUEST", message)
            }
            BodyError::TimedOut => {
                let message = "The body of the request did not come in time.".to_owned();
                (Kind::RequestTimeout, "REQUEST_TIMEOUT", message)
            }
            BodyError::Broken => {
                let message = "The body of the request is malformed or was cut off.".to_owned();
                (Kind::InvalidRequest, "INVALID_REQUEST", message)
            }
        };
        Fault::new(kind, reason, message)
    }

    /// The answer while the node shuts down.
    pub(crate) fn draining() -> Fault {
        let message = "The server is shutting down; try again.";
        Fault::new(Kind::ServiceUnavailable, "SHUTTING_DOWN", message)
    }
}

impl Kind {
    /// The operations of the log have a name of their own for it in the service model.
    fn of_internal(operation: &str) -> Kind {
        if operation.contains("V2Logging") { Kind::Internal } else { Kind::InternalFailure }
    }

    fn of_registry(refused: &registry::Refused) -> Kind {
        match refused {
            registry::Refused::NotFound(_) | registry::Refused::NoTemplate(_) => {
                Kind::ResourceNotFound
            }
            registry::Refused::NotConfigured => Kind::NotConfigured,
            registry::Refused::Exists { .. } => Kind::ResourceAlreadyExists,
            registry::Refused::OfFile { .. } | registry::Refused::Invalid(_) => {
                Kind::InvalidRequest
            }
            registry::Refused::MalformedPolicy(_) | registry::Refused::LongPolicy { .. } => {
                Kind::MalformedPolicy
            }
            registry::Refused::TooManyVersions(_) => Kind::VersionsLimitExceeded,
            registry::Refused::DeleteConflict(_) => Kind::DeleteConflict,
            registry::Refused::CertificateState(_) => Kind::CertificateState,
            registry::Refused::CertificateValidation(_) => Kind::CertificateValidation,
            registry::Refused::CertificateConflict(_) => Kind::CertificateConflict,
            registry::Refused::RegistrationCode(_) => Kind::RegistrationCodeValidation,
            registry::Refused::Limit(_) => Kind::LimitExceeded,
            registry::Refused::VersionConflict { .. } => Kind::VersionConflict,
        }
    }
}
