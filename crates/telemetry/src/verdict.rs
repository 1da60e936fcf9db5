//! How a packet of a device fared.

use mqtt::ReasonCode;

use crate::level::Status;
use crate::metrics::label;
use crate::quota::Quota;

/// How a CONNECT, PUBLISH, SUBSCRIBE or UNSUBSCRIBE fared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict<'a> {
    /// Accepted.
    Success,
    /// Refused.
    Failure {
        /// On what ground.
        class: FailureClass,
        /// The MQTT reason code the device got, or would have got if its version had any
        /// (`mqttReasonCode`).
        code: Option<ReasonCode>,
        /// The sentence for people (`details`).
        details: &'a str,
    },
}

/// On what ground a packet was refused; AWS's classes (spec 8.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailureClass {
    /// The principal's policies do not allow it.
    AuthError,
    /// The packet is wrong.
    ClientError,
    /// A quota is exhausted.
    Throttle(Quota),
    /// A fault of ours.
    ServerError,
}

impl FailureClass {
    /// The entry's `reason` (spec 8.2 for the first, the rest ours).
    pub fn reason(self) -> &'static str {
        match self {
            FailureClass::AuthError => "AUTHORIZATION_FAILURE",
            FailureClass::ClientError => "CLIENT_ERROR",
            FailureClass::Throttle(Quota::ConnectsPerClient) => "CLIENT_ID_THROTTLED",
            FailureClass::Throttle(_) => "THROTTLED",
            FailureClass::ServerError => "INTERNAL_SERVER_ERROR",
        }
    }
}

impl Verdict<'_> {
    /// The word for the metrics' label `result`: AWS's (spec 8.3).
    pub fn label(&self) -> &'static str {
        match self {
            Verdict::Success => "Success",
            Verdict::Failure { class: FailureClass::AuthError, .. } => "AuthError",
            Verdict::Failure { class: FailureClass::ClientError, .. } => "ClientError",
            Verdict::Failure { class: FailureClass::Throttle(_), .. } => "Throttle",
            Verdict::Failure { class: FailureClass::ServerError, .. } => "ServerError",
        }
    }

    /// As the entry's `status`.
    pub fn status(&self) -> Status {
        Status::of(*self == Verdict::Success)
    }

    /// The quota that was exhausted, if that is why.
    pub fn quota(&self) -> Option<Quota> {
        match self {
            Verdict::Failure { class: FailureClass::Throttle(quota), .. } => Some(*quota),
            Verdict::Success
            | Verdict::Failure {
                class:
                    FailureClass::AuthError | FailureClass::ClientError | FailureClass::ServerError,
                ..
            } => None,
        }
    }

    /// A failure of that class, for the label's table.
    const fn example(class: FailureClass) -> Self {
        Verdict::Failure { class, code: None, details: "" }
    }
}

label!(Verdict<'_>, |verdict: &Verdict<'_>| verdict.label(), {
    Success: Verdict::Success => Verdict::Success,
    AuthError: Verdict::Failure { class: FailureClass::AuthError, .. }
        => Verdict::example(FailureClass::AuthError),
    ClientError: Verdict::Failure { class: FailureClass::ClientError, .. }
        => Verdict::example(FailureClass::ClientError),
    Throttle: Verdict::Failure { class: FailureClass::Throttle(_), .. }
        => Verdict::example(FailureClass::Throttle(Quota::Connects)),
    ServerError: Verdict::Failure { class: FailureClass::ServerError, .. }
        => Verdict::example(FailureClass::ServerError),
});
