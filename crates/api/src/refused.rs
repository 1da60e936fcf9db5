//! Every way in which operations other than a direct message can fail.

use broker::ClientRefused;
use telemetry::{FailureClass, Quota, event};

/// Why a request was refused. `fault` turns it into status and error name, the log and the metrics
/// take reason, sentence and class from here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Something about the topic; the sentence says what, as in all that follow.
    Topic(String),
    /// The query parameter `qos`.
    Qos(String),
    /// The query parameter `retain`.
    Retain(String),
    /// The query parameter `messageExpiry`.
    MessageExpiry(String),
    /// An MQTT 5 property, in the query or in an `x-amz-mqtt5-*` header.
    Mqtt5Property(String),
    /// The query parameter `maxResults`.
    MaxResults(String),
    /// The query parameter `nextToken`.
    NextToken(String),
    /// The query parameter `client`.
    Client(String),
    /// The client ID in the path.
    ClientId(String),
    /// The query parameter `includeSocketInformation`.
    IncludeSocketInformation(String),
    /// The query parameter `cleanSession`.
    CleanSession(String),
    /// The query parameter `preventWillMessage`.
    PreventWill(String),
    /// The name of a thing in the path.
    ThingName(String),
    /// The query parameter `name`.
    ShadowName(String),
    /// The query parameter `pageSize`.
    PageSize(String),
    /// A shadow, or a request to it.
    Shadow(shadow::Fault),
    /// The payload is larger than the quota.
    PayloadTooLarge {
        /// The quota, in bytes.
        limit: usize,
    },
    /// The sender's policies do not allow what takes these actions.
    Unauthorized(&'static str),
    /// The topic has no retained message.
    NothingRetained,
    /// Nothing is known of the client.
    NoClient,
    /// No message of the sender with that trace ID is known.
    NoReceipt,
    /// As many read receipts as they happen as may.
    ReceiptReaders,
    /// A quota is exceeded.
    Throttled(Quota),
    /// The message cannot be made durable.
    NotKept,
    /// The end of the session cannot be made durable.
    SessionNotRemoved,
    /// A fault of ours.
    Internal,
}

impl From<ClientRefused> for Refused {
    fn from(refused: ClientRefused) -> Self {
        match refused {
            ClientRefused::Throttled(quota) => Refused::Throttled(quota),
            ClientRefused::Unknown => Refused::NoClient,
        }
    }
}

impl Refused {
    /// The machine-readable word, in the log and in the answer.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Refused::Topic(_) => "INVALID_TOPIC",
            Refused::Qos(_) => "INVALID_QOS_PARAMETER",
            Refused::Retain(_) => "INVALID_RETAIN_PARAMETER",
            Refused::MessageExpiry(_) => "INVALID_MESSAGE_EXPIRY_PARAMETER",
            Refused::Mqtt5Property(_) => "INVALID_MQTT5_PROPERTY",
            Refused::MaxResults(_) => "INVALID_MAX_RESULTS_PARAMETER",
            Refused::NextToken(_) => "INVALID_NEXT_TOKEN_PARAMETER",
            Refused::Client(_) => "INVALID_CLIENT_PARAMETER",
            Refused::ClientId(_) => "MALFORMED_CLIENTID",
            Refused::IncludeSocketInformation(_) => "INVALID_INCLUDE_SOCKET_INFORMATION_PARAMETER",
            Refused::CleanSession(_) => "INVALID_CLEAN_SESSION_PARAMETER",
            Refused::PreventWill(_) => "INVALID_PREVENT_WILL_MESSAGE_PARAMETER",
            Refused::ThingName(_) => "INVALID_THING_NAME",
            Refused::ShadowName(_) => "INVALID_SHADOW_NAME",
            Refused::PageSize(_) => "INVALID_PAGE_SIZE_PARAMETER",
            Refused::Shadow(fault) => fault.reason(),
            Refused::PayloadTooLarge { .. } => "PAYLOAD_TOO_LARGE",
            Refused::Unauthorized(_) => FailureClass::AuthError.reason(),
            Refused::NothingRetained => "RETAINED_MESSAGE_NOT_FOUND",
            Refused::NoClient => "CLIENT_ID_NOT_FOUND",
            Refused::NoReceipt => "RECEIPT_NOT_FOUND",
            Refused::ReceiptReaders => "RECEIPT_READERS_EXCEEDED",
            Refused::Throttled(quota) => throttled(*quota).0,
            Refused::NotKept => "MESSAGE_NOT_KEPT",
            Refused::SessionNotRemoved => "SESSION_NOT_REMOVED",
            Refused::Internal => FailureClass::ServerError.reason(),
        }
    }

    /// What is wrong and what would be right.
    pub(crate) fn sentence(&self) -> String {
        match self {
            Refused::Topic(sentence)
            | Refused::Qos(sentence)
            | Refused::Retain(sentence)
            | Refused::MessageExpiry(sentence)
            | Refused::Mqtt5Property(sentence)
            | Refused::MaxResults(sentence)
            | Refused::NextToken(sentence)
            | Refused::Client(sentence)
            | Refused::ClientId(sentence)
            | Refused::IncludeSocketInformation(sentence)
            | Refused::CleanSession(sentence)
            | Refused::PreventWill(sentence)
            | Refused::ThingName(sentence)
            | Refused::ShadowName(sentence)
            | Refused::PageSize(sentence) => sentence.clone(),
            Refused::Shadow(fault) => fault.to_string(),
            Refused::PayloadTooLarge { limit } => {
                format!("The payload is larger than {limit} bytes.")
            }
            Refused::Unauthorized(actions) => format!("The sender is not allowed {actions}."),
            Refused::NothingRetained => "The topic has no retained message.".into(),
            Refused::NoClient => "No client with that ID is connected or has a session.".into(),
            Refused::NoReceipt => {
                "No confirmed message of this sender has that trace ID, or none that is still known."
                    .into()
            }
            Refused::ReceiptReaders => {
                "As many read receipts as may at a time (receipt_readers); try again later.".into()
            }
            Refused::Throttled(quota) => throttled(*quota).1.into(),
            Refused::NotKept => {
                "The message cannot be kept; the server's log says why (STORE_FAILED).".to_owned()
            }
            Refused::SessionNotRemoved => {
                "The connection is closed, but the end of the session cannot be made durable: it may \
                 be there again after a restart; the server's log says why (STORE_FAILED)."
                    .to_owned()
            }
            Refused::Internal => "An internal error occurred.".into(),
        }
    }

    /// Whether policies refused it.
    pub(crate) fn is_of_policies(&self) -> bool {
        matches!(self, Refused::Unauthorized(_))
    }

    /// On what ground, in the classes of the metrics.
    fn class(&self) -> FailureClass {
        match self {
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
            | Refused::PageSize(_)
            | Refused::PayloadTooLarge { .. }
            | Refused::NothingRetained
            | Refused::NoClient
            | Refused::NoReceipt
            | Refused::ReceiptReaders => FailureClass::ClientError,
            Refused::Unauthorized(_) => FailureClass::AuthError,
            Refused::Throttled(quota) => FailureClass::Throttle(*quota),
            // What a quota kept from being done was counted when it was.
            Refused::Shadow(fault) if fault.code() < 500 => FailureClass::ClientError,
            Refused::Shadow(_)
            | Refused::NotKept
            | Refused::SessionNotRemoved
            | Refused::Internal => FailureClass::ServerError,
        }
    }

    /// As the log has it; `sentence` is [`Refused::sentence`].
    pub(crate) fn logged<'a>(&self, sentence: &'a str) -> event::Refusal<'a> {
        event::Refusal { class: self.class(), reason: self.reason(), details: sentence }
    }
}

/// Reason and sentence of an exceeded quota.
fn throttled(quota: Quota) -> (&'static str, &'static str) {
    match quota {
        Quota::RetainedPublishes => (
            "RETAINED_PUBLISH_THROTTLED",
            "The rate of retained publishes is exceeded, on this topic or of the account; try again \
             later.",
        ),
        Quota::RetainedMessages => (
            "RETAINED_MESSAGES_EXCEEDED",
            "The account has as many retained messages as it may have; remove one first.",
        ),
        Quota::GetConnection => (
            "GET_CONNECTION_THROTTLED",
            "The account's rate of GetConnection is exceeded; try again later.",
        ),
        Quota::GetConnectionPerClient => (
            "GET_CONNECTION_THROTTLED",
            "The rate of GetConnection for this client is exceeded; try again later.",
        ),
        Quota::DeleteConnection => (
            "DELETE_CONNECTION_THROTTLED",
            "The account's rate of DeleteConnection is exceeded; try again later.",
        ),
        Quota::DeleteConnectionPerClient => (
            "DELETE_CONNECTION_THROTTLED",
            "The rate of DeleteConnection for this client is exceeded; try again later.",
        ),
        Quota::ListSubscriptions => (
            "LIST_SUBSCRIPTIONS_THROTTLED",
            "The account's rate of ListSubscriptions is exceeded; try again later.",
        ),
        Quota::ListSubscriptionsPerClient => (
            "LIST_SUBSCRIPTIONS_THROTTLED",
            "The rate of ListSubscriptions for this client is exceeded; try again later.",
        ),
        Quota::ShadowRequests
        | Quota::RequestsPerShadow
        | Quota::ShadowRequestsInFlight
        | Quota::ShadowBytes => ("SHADOW_THROTTLED", "Too many requests"),
        Quota::SendDirectMessage
        | Quota::ControlRequests
        | Quota::PublishesPerConnection
        | Quota::ConnectsPerClient
        | Quota::Connects
        | Quota::InboundPublishes
        | Quota::OutboundPublishes
        | Quota::Subscribes
        | Quota::ThroughputPerConnection
        | Quota::Connections
        | Quota::OutboundUnacknowledged
        | Quota::Queued
        | Quota::QueuedMessages => {
            ("PUBLISH_THROTTLED", "The account's rate of publishes is exceeded; try again later.")
        }
    }
}
