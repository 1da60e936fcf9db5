//! Every way a direct message can end.

use mqtt::ReasonCode;

/// How one SendDirectMessage ended. `api` turns it into status, error name and body, `telemetry`
/// into the log entry and the metric; neither can forget a variant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DirectOutcome {
    /// The device's PUBACK arrived.
    Acknowledged,
    /// The device's PUBACK arrived, and then what its sender waited for.
    Responded,
    /// Handed to the device's connection; no confirmation was asked for.
    Dispatched,
    /// The request itself is wrong.
    Invalid(Invalid),
    /// The payload is larger than the quota.
    PayloadTooLarge {
        /// The quota, in bytes.
        limit: usize,
    },
    /// The sender's policies do not allow the call.
    SenderUnauthorized,
    /// The device's policies do not allow it to receive the topic.
    ReceiverUnauthorized,
    /// No such client is connected, and it has no session.
    TargetNotFound,
    /// The client is not connected but has a persistent session.
    TargetNotConnected,
    /// The account's rate of direct messages is exceeded.
    AccountThrottled,
    /// The messages that wait for their clients to connect take all the room there is for them.
    WaitingRoomFull,
    /// The receiving connection's publish rate is exceeded.
    ReceiverThrottled,
    /// The receiver's window of unacknowledged QoS 1 messages is full.
    ReceiverWindowFull,
    /// The packet is larger than the device's Maximum Packet Size.
    ReceiverPacketTooLarge {
        /// The device's limit, in bytes.
        limit: u32,
    },
    /// Nothing can be written to the device's connection at present.
    ReceiverNotWritable,
    /// The device answered with an MQTT 5 error.
    ReceiverRejected(ReasonCode),
    /// No PUBACK came in time.
    ConfirmationTimeout,
    /// The PUBACK came, but no response in time.
    ResponseTimeout,
    /// No byte of it was on the wire by the deadline of its sender.
    DeadlineExceeded,
    /// The device's connection ended before its PUBACK.
    ReceiverDisconnected,
    /// The sender went away while waiting. No HTTP answer; for the log only.
    SenderDisconnected,
    /// Another request has the same idempotency key.
    IdempotencyConflict,
    /// A fault of ours.
    Internal,
}

/// What is wrong with a request; each carries the sentence for the sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Invalid {
    /// The client ID in the path.
    ClientId(String),
    /// The query parameter `topic`.
    Topic(String),
    /// The query parameter `confirmation`.
    Confirmation(String),
    /// The query parameter `timeout`.
    Timeout(String),
    /// An MQTT 5 property, in the query or in an `x-amz-mqtt5-*` header.
    Mqtt5Property(String),
    /// The request as a whole: query string, body.
    Request(String),
}

impl DirectOutcome {
    /// The machine-readable reason, in the log and in the body of an error (spec 1.4 and 12); none
    /// for a success.
    pub fn reason(&self) -> Option<&'static str> {
        Some(match self {
            DirectOutcome::Acknowledged | DirectOutcome::Responded | DirectOutcome::Dispatched => {
                return None;
            }
            DirectOutcome::Invalid(invalid) => invalid.reason(),
            DirectOutcome::PayloadTooLarge { .. } => "PAYLOAD_TOO_LARGE",
            DirectOutcome::SenderUnauthorized => "SENDER_AUTHORIZATION_FAILURE",
            DirectOutcome::ReceiverUnauthorized => "RECEIVE_AUTHORIZATION_FAILURE",
            DirectOutcome::TargetNotFound => "TARGET_CLIENT_ID_NOT_FOUND",
            DirectOutcome::TargetNotConnected => "TARGET_CLIENT_NOT_CONNECTED",
            DirectOutcome::AccountThrottled => "SEND_DIRECT_MESSAGE_THROTTLED",
            DirectOutcome::WaitingRoomFull => "WAITING_MESSAGES_EXCEEDED",
            DirectOutcome::ReceiverThrottled => "RECEIVE_SESSION_THROTTLED",
            DirectOutcome::ReceiverWindowFull => "RECEIVER_MAX_UNACKED_QOS1_EXCEEDED",
            DirectOutcome::ReceiverPacketTooLarge { .. } => "RECEIVER_PACKET_TOO_LARGE",
            DirectOutcome::ReceiverNotWritable => "CLIENT_ENDPOINT_NOT_WRITABLE",
            DirectOutcome::ReceiverRejected(_) => "RECEIVER_REJECTED",
            DirectOutcome::ConfirmationTimeout => "DELIVERY_CONFIRMATION_TIMEOUT",
            DirectOutcome::ResponseTimeout => "RESPONSE_TIMEOUT",
            DirectOutcome::DeadlineExceeded => "DEADLINE_EXCEEDED",
            DirectOutcome::ReceiverDisconnected => "RECEIVER_DISCONNECTED",
            DirectOutcome::SenderDisconnected => "DELIVERY_CONFIRMATION_SENDER_DISCONNECT",
            DirectOutcome::IdempotencyConflict => "IDEMPOTENCY_KEY_CONFLICT",
            DirectOutcome::Internal => "INTERNAL_SERVER_ERROR",
        })
    }

    /// The word for the metric's label `outcome`: the reason, or `ACKNOWLEDGED`, `RESPONDED` or
    /// `DISPATCHED`.
    pub fn label(&self) -> &'static str {
        match self {
            DirectOutcome::Acknowledged => "ACKNOWLEDGED",
            DirectOutcome::Responded => "RESPONDED",
            DirectOutcome::Dispatched => "DISPATCHED",
            DirectOutcome::Invalid(_)
            | DirectOutcome::PayloadTooLarge { .. }
            | DirectOutcome::SenderUnauthorized
            | DirectOutcome::ReceiverUnauthorized
            | DirectOutcome::TargetNotFound
            | DirectOutcome::TargetNotConnected
            | DirectOutcome::AccountThrottled
            | DirectOutcome::WaitingRoomFull
            | DirectOutcome::ReceiverThrottled
            | DirectOutcome::ReceiverWindowFull
            | DirectOutcome::ReceiverPacketTooLarge { .. }
            | DirectOutcome::ReceiverNotWritable
            | DirectOutcome::ReceiverRejected(_)
            | DirectOutcome::ConfirmationTimeout
            | DirectOutcome::ResponseTimeout
            | DirectOutcome::DeadlineExceeded
            | DirectOutcome::ReceiverDisconnected
            | DirectOutcome::SenderDisconnected
            | DirectOutcome::IdempotencyConflict
            | DirectOutcome::Internal => self.reason().unwrap_or("INTERNAL_SERVER_ERROR"),
        }
    }

    /// The sentence for people: the `message` of the answer and the `details` of the log entry.
    pub fn details(&self) -> String {
        match self {
            DirectOutcome::Acknowledged | DirectOutcome::Responded | DirectOutcome::Dispatched => {
                "OK".into()
            }
            DirectOutcome::Invalid(invalid) => invalid.sentence().into(),
            DirectOutcome::PayloadTooLarge { limit } => {
                format!("The payload is larger than {limit} bytes.")
            }
            DirectOutcome::ReceiverPacketTooLarge { limit } => format!(
                "The message would be larger than the Maximum Packet Size of {limit} bytes that \
                 the target client announced; it was not sent."
            ),
            DirectOutcome::ReceiverRejected(code) => {
                format!("The target client refused the message with the MQTT reason code {code}.")
            }
            DirectOutcome::SenderUnauthorized
            | DirectOutcome::ReceiverUnauthorized
            | DirectOutcome::TargetNotFound
            | DirectOutcome::TargetNotConnected
            | DirectOutcome::AccountThrottled
            | DirectOutcome::WaitingRoomFull
            | DirectOutcome::ReceiverThrottled
            | DirectOutcome::ReceiverWindowFull
            | DirectOutcome::ReceiverNotWritable
            | DirectOutcome::ConfirmationTimeout
            | DirectOutcome::ResponseTimeout
            | DirectOutcome::DeadlineExceeded
            | DirectOutcome::ReceiverDisconnected
            | DirectOutcome::SenderDisconnected
            | DirectOutcome::IdempotencyConflict
            | DirectOutcome::Internal => self.fixed_sentence().into(),
        }
    }

    fn fixed_sentence(&self) -> &'static str {
        match self {
            DirectOutcome::SenderUnauthorized => {
                "The sender is not allowed iot:SendDirectMessage on this client and topic."
            }
            DirectOutcome::ReceiverUnauthorized => {
                "The target client is not allowed iot:Receive on this topic."
            }
            DirectOutcome::TargetNotFound => "No client with this client ID is connected.",
            DirectOutcome::TargetNotConnected => {
                "The target client is not connected but has an active persistent session."
            }
            DirectOutcome::AccountThrottled => {
                "The account's rate of direct messages is exceeded; try again later."
            }
            DirectOutcome::WaitingRoomFull => {
                "The target client is not connected, and the messages that wait for clients take all \
                 the room that the server has for them; try again later, or when it is connected."
            }
            DirectOutcome::ReceiverThrottled => {
                "The rate of publishes on the target client's connection is exceeded; try again \
                 later."
            }
            DirectOutcome::ReceiverWindowFull => {
                "The target client has too many unacknowledged QoS 1 messages; try again when it \
                 has acknowledged some."
            }
            DirectOutcome::ReceiverNotWritable => {
                "The target client's connection cannot be written to at present; nothing was sent."
            }
            DirectOutcome::ConfirmationTimeout => {
                "The target client did not acknowledge the message within the timeout; delivery \
                 says whether it was sent."
            }
            DirectOutcome::ResponseTimeout => {
                "The target client acknowledged the message, but published no response in time."
            }
            DirectOutcome::DeadlineExceeded => {
                "Nothing of the message could be sent by its deadline; it never will be."
            }
            DirectOutcome::ReceiverDisconnected => {
                "The target client's connection ended before it acknowledged the message; delivery \
                 says whether it was sent."
            }
            DirectOutcome::SenderDisconnected => {
                "The sender disconnected while it waited for the confirmation."
            }
            DirectOutcome::IdempotencyConflict => {
                "Another request of this sender has the same idempotency key; a new message needs \
                 a new key."
            }
            DirectOutcome::Internal
            | DirectOutcome::Acknowledged
            | DirectOutcome::Responded
            | DirectOutcome::Dispatched
            | DirectOutcome::Invalid(_)
            | DirectOutcome::PayloadTooLarge { .. }
            | DirectOutcome::ReceiverPacketTooLarge { .. }
            | DirectOutcome::ReceiverRejected(_) => "An internal error occurred.",
        }
    }

    /// Whether the sender got what was asked for.
    pub fn is_success(&self) -> bool {
        self.reason().is_none()
    }
}

impl Invalid {
    /// The reason code of spec 1.4.
    pub fn reason(&self) -> &'static str {
        match self {
            Invalid::ClientId(_) => "MALFORMED_CLIENTID",
            Invalid::Topic(_) => "INVALID_TOPIC",
            Invalid::Confirmation(_) => "INVALID_CONFIRMATION_PARAMETER",
            Invalid::Timeout(_) => "INVALID_TIMEOUT_PARAMETER",
            Invalid::Mqtt5Property(_) => "INVALID_MQTT5_PROPERTY",
            Invalid::Request(_) => "INVALID_REQUEST",
        }
    }

    /// What is wrong and what would be right.
    pub fn sentence(&self) -> &str {
        match self {
            Invalid::ClientId(sentence)
            | Invalid::Topic(sentence)
            | Invalid::Confirmation(sentence)
            | Invalid::Timeout(sentence)
            | Invalid::Mqtt5Property(sentence)
            | Invalid::Request(sentence) => sentence,
        }
    }
}
