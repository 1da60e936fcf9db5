//! The HTTP shape of everything that is not a success: the only place that knows status codes and
//! error names (spec 1.4 and 12).

use broker::Settled;
use engine::limits::TARGETS;
use engine::outcome::{DirectOutcome, Invalid};
use http::StatusCode;
use mqtt::ReasonCode;

use crate::body::BodyError;
use crate::refused::Refused;
use crate::truth::Truth;

/// An error answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) kind: Kind,
    /// The log's reason, also in the body.
    pub(crate) reason: &'static str,
    /// The sentence for people.
    pub(crate) message: String,
    /// For the header `Allow`.
    pub(crate) allow: Option<&'static str>,
    /// What became of the direct message; none for other operations.
    pub(crate) truth: Option<Truth>,
    /// Which statement of a policy decided, for who may know it.
    pub(crate) explanation: Option<serde_json::Value>,
}

/// The modelled errors of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    InvalidRequest,
    Forbidden,
    ResourceNotFound,
    MethodNotAllowed,
    RequestTimeout,
    Conflict,
    RequestEntityTooLarge,
    UnsupportedDocumentEncoding,
    Throttling,
    InternalFailure,
    ServiceUnavailable,
    GatewayTimeout,
}

impl Kind {
    /// The status code.
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Kind::InvalidRequest => StatusCode::BAD_REQUEST,
            Kind::Forbidden => StatusCode::FORBIDDEN,
            Kind::ResourceNotFound => StatusCode::NOT_FOUND,
            Kind::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Kind::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
            Kind::Conflict => StatusCode::CONFLICT,
            Kind::RequestEntityTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Kind::UnsupportedDocumentEncoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Kind::Throttling => StatusCode::TOO_MANY_REQUESTS,
            Kind::InternalFailure => StatusCode::INTERNAL_SERVER_ERROR,
            Kind::ServiceUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            Kind::GatewayTimeout => StatusCode::GATEWAY_TIMEOUT,
        }
    }

    /// The value of `x-amzn-ErrorType`, with the colon at the end that AWS writes.
    pub(crate) fn error_type(self) -> &'static str {
        match self {
            Kind::InvalidRequest | Kind::RequestTimeout => "InvalidRequestException:",
            Kind::Forbidden => "ForbiddenException:",
            Kind::ResourceNotFound => "ResourceNotFoundException:",
            Kind::MethodNotAllowed => "MethodNotAllowedException:",
            Kind::Conflict => "ConflictException:",
            Kind::RequestEntityTooLarge => "RequestEntityTooLargeException:",
            Kind::UnsupportedDocumentEncoding => "UnsupportedDocumentEncodingException:",
            Kind::Throttling => "ThrottlingException:",
            Kind::InternalFailure => "InternalFailureException:",
            Kind::ServiceUnavailable => "ServiceUnavailableException:",
            Kind::GatewayTimeout => "GatewayTimeoutException:",
        }
    }
}

impl Fault {
    fn new(kind: Kind, reason: &'static str, message: impl Into<String>) -> Self {
        Fault { kind, reason, message: message.into(), allow: None, truth: None, explanation: None }
    }

    /// The answer of a direct message that did not succeed; none for a success.
    pub(crate) fn of_direct(settled: &Settled) -> Option<Fault> {
        let outcome = &settled.outcome;
        let kind = match outcome {
            DirectOutcome::Acknowledged | DirectOutcome::Responded | DirectOutcome::Dispatched => {
                return None;
            }
            DirectOutcome::Invalid(
                Invalid::ClientId(_)
                | Invalid::Topic(_)
                | Invalid::Confirmation(_)
                | Invalid::Timeout(_)
                | Invalid::Mqtt5Property(_)
                | Invalid::Request(_),
            ) => Kind::InvalidRequest,
            DirectOutcome::PayloadTooLarge { .. }
            | DirectOutcome::ReceiverPacketTooLarge { .. } => Kind::RequestEntityTooLarge,
            DirectOutcome::SenderUnauthorized | DirectOutcome::ReceiverUnauthorized => {
                Kind::Forbidden
            }
            DirectOutcome::TargetNotFound | DirectOutcome::TargetNotConnected => {
                Kind::ResourceNotFound
            }
            DirectOutcome::AccountThrottled
            | DirectOutcome::WaitingRoomFull
            | DirectOutcome::ReceiverThrottled
            | DirectOutcome::ReceiverWindowFull => Kind::Throttling,
            DirectOutcome::ReceiverNotWritable | DirectOutcome::Internal => Kind::InternalFailure,
            DirectOutcome::IdempotencyConflict => Kind::Conflict,
            DirectOutcome::ReceiverRejected(code) => Kind::of_rejection(*code),
            // Nobody is left to read the last one; it must not look like a success all the same.
            DirectOutcome::ConfirmationTimeout
            | DirectOutcome::ResponseTimeout
            | DirectOutcome::DeadlineExceeded
            | DirectOutcome::ReceiverDisconnected
            | DirectOutcome::SenderDisconnected => Kind::GatewayTimeout,
        };
        let reason = outcome.reason().unwrap_or("INTERNAL_SERVER_ERROR");
        let truth = Truth::of(settled);
        Some(Fault { truth, ..Fault::new(kind, reason, outcome.details()) })
    }

    /// The same answer, for whoever would have sent a direct message.
    pub(crate) fn telling(self, truth: Truth) -> Fault {
        Fault { truth: Some(truth), ..self }
    }

    /// The same answer, with the reason behind it.
    pub(crate) fn explained(self, explanation: Option<serde_json::Value>) -> Fault {
        Fault { explanation, ..self }
    }

    /// The answer of an operation that was refused.
    pub(crate) fn of_refused(refused: &Refused) -> Fault {
        let kind = match refused {
            Refused::Topic(_)
            | Refused::Qos(_)
            | Refused::Retain(_)
            | Refused::MessageExpiry(_)
            | Refused::Mqtt5Property(_)
            | Refused::MaxResults(_)
            | Refused::NextToken(_)
            | Refused::Client(_)
            | Refused::ClientId(_)
            | Refused::IncludeSocketInformation(_)
            | Refused::CleanSession(_)
            | Refused::PreventWill(_)
            | Refused::ThingName(_)
            | Refused::ShadowName(_)
            | Refused::PageSize(_) => Kind::InvalidRequest,
            Refused::Shadow(fault) => Kind::of_shadow(fault),
            Refused::PayloadTooLarge { .. } => Kind::RequestEntityTooLarge,
            Refused::Unauthorized(_) => Kind::Forbidden,
            Refused::NothingRetained | Refused::NoClient | Refused::NoReceipt => {
                Kind::ResourceNotFound
            }
            Refused::ReceiptReaders | Refused::Throttled(_) => Kind::Throttling,
            Refused::NotKept | Refused::SessionNotRemoved | Refused::Internal => {
                Kind::InternalFailure
            }
        };
        Fault::new(kind, refused.reason(), refused.sentence())
    }

    /// The answer to credentials that are missing or do not hold (spec 12.10).
    pub(crate) fn of_credentials(reason: &'static str, message: String) -> Fault {
        Fault::new(Kind::Forbidden, reason, message)
    }

    /// The answer to a path that no operation has.
    pub(crate) fn of_unknown_path(path: &str) -> Fault {
        Fault::new(
            Kind::ResourceNotFound,
            "UNKNOWN_OPERATION",
            format!(
                "No operation has the path {path}; a direct message goes to \
                 /connections/{{clientId}}/messages or, for many clients, to \
                 /direct-messages, a publish to /topics/{{topic}}, a connection is at \
                 /connections/{{clientId}}, its subscriptions are at \
                 /connections/{{clientId}}/subscriptions, retained messages at \
                 /retainedMessage, and the shadow of a thing is at \
                 /things/{{thingName}}/shadow."
            ),
        )
    }

    /// The answer to a method that the path does not take.
    pub(crate) fn of_method(allow: &'static str, method: &str) -> Fault {
        Fault {
            allow: Some(allow),
            ..Fault::new(
                Kind::MethodNotAllowed,
                "METHOD_NOT_ALLOWED",
                format!("This path takes {allow}, not {method}."),
            )
        }
    }

    /// The answer to a body that could not be read.
    pub(crate) fn of_body(error: BodyError, limit: usize) -> Fault {
        match error {
            BodyError::TooLarge => {
                let outcome = DirectOutcome::PayloadTooLarge { limit };
                let reason = outcome.reason().unwrap_or("PAYLOAD_TOO_LARGE");
                Fault::new(Kind::RequestEntityTooLarge, reason, outcome.details())
            }
            BodyError::TimedOut => Fault::new(
                Kind::RequestTimeout,
                "REQUEST_TIMEOUT",
                "The body of the request did not come in time.",
            ),
            BodyError::Broken => Fault::new(
                Kind::InvalidRequest,
                "INVALID_REQUEST",
                "The body of the request is malformed or was cut off.",
            ),
        }
    }

    /// The answer to a request to many whose body could not be read; it has room for `limit` bytes.
    pub(crate) fn of_body_for_many(error: BodyError, limit: usize) -> Fault {
        let fault = Fault::of_body(error, limit);
        match error {
            BodyError::TooLarge => Fault {
                message: format!(
                    "The body is larger than {limit} bytes; a message goes to at most {TARGETS} \
                     targets in one request."
                ),
                ..fault
            },
            BodyError::TimedOut | BodyError::Broken => fault,
        }
    }

    /// The answer to a body that there is no room for at present.
    pub(crate) fn of_large_bodies() -> Fault {
        Fault::new(
            Kind::ServiceUnavailable,
            "LARGE_BODIES_EXCEEDED",
            "The large bodies of requests that are on their way, from this address or in all, take \
             all the room that the server has for them; nothing was sent. Try again.",
        )
    }

    /// What is told of a pattern that no client fits.
    pub(crate) fn of_pattern() -> Fault {
        let message = "No connected client that the sender may send to fits the pattern.";
        let fault = Fault::new(Kind::ResourceNotFound, "NO_CLIENT_FITS", message);
        fault.telling(Truth::NeverSent)
    }

    /// The answer while the node shuts down.
    pub(crate) fn draining() -> Fault {
        let message = "The server is shutting down; try again.";
        Fault::new(Kind::ServiceUnavailable, "SHUTTING_DOWN", message)
    }
}

impl Kind {
    /// What is wrong with a shadow, or with a request to it (spec 10.4).
    fn of_shadow(fault: &shadow::Fault) -> Kind {
        match fault {
            shadow::Fault::InvalidJson
            | shadow::Fault::MissingState
            | shadow::Fault::StateNotObject
            | shadow::Fault::DesiredNotObject
            | shadow::Fault::ReportedNotObject
            | shadow::Fault::InvalidVersion
            | shadow::Fault::InvalidClientToken
            | shadow::Fault::TooManyLevels
            | shadow::Fault::InvalidNode => Kind::InvalidRequest,
            shadow::Fault::NoShadow(_) => Kind::ResourceNotFound,
            shadow::Fault::VersionConflict => Kind::Conflict,
            shadow::Fault::TooLarge => Kind::RequestEntityTooLarge,
            shadow::Fault::NotUtf8 => Kind::UnsupportedDocumentEncoding,
            shadow::Fault::TooManyRequests => Kind::Throttling,
            shadow::Fault::Internal => Kind::InternalFailure,
        }
    }

    /// What a device's own refusal becomes (spec 12.7).
    fn of_rejection(code: ReasonCode) -> Kind {
        if code == ReasonCode::NotAuthorized {
            Kind::Forbidden
        } else if code == ReasonCode::TopicNameInvalid || code == ReasonCode::PayloadFormatInvalid {
            Kind::InvalidRequest
        } else if code == ReasonCode::QuotaExceeded {
            Kind::Throttling
        } else {
            Kind::InternalFailure
        }
    }
}
