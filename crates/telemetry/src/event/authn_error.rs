//! Somebody who could not prove who they are.

use std::net::SocketAddr;

use serde::Serialize;

use crate::event::{Event, Protocol};
use crate::member;
use crate::{Metrics, Status, TraceId};

/// Somebody, device or sender, who could not prove who they are. Always ERROR.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AuthnError<'a> {
    /// The request's or connection's.
    #[serde(skip)]
    pub trace_id: TraceId,
    /// What was tried.
    pub authentication_type: AuthenticationType,
    /// How they talk to us.
    #[serde(skip)]
    pub protocol: Protocol,
    /// The client ID, if it came that far.
    #[serde(serialize_with = "member::text_option", skip_serializing_if = "Option::is_none")]
    pub client_id: Option<&'a str>,
    /// Whom they claim to be (a certificate ID), if that much is known.
    #[serde(serialize_with = "member::text_option", skip_serializing_if = "Option::is_none")]
    pub principal_id: Option<&'a str>,
    /// Where they come from.
    #[serde(flatten, serialize_with = "member::source")]
    pub source: SocketAddr,
    /// Where they came to.
    #[serde(flatten, serialize_with = "member::target")]
    pub target: SocketAddr,
    /// The server name of their TLS handshake.
    #[serde(
        rename = "serverNameIndication",
        serialize_with = "member::text_option",
        skip_serializing_if = "Option::is_none"
    )]
    pub server_name: Option<&'a str>,
    /// The word of spec 8.2, such as `SECURITY_TOKEN_SIGNATURE_MISMATCH`. A word that is not in
    /// that list is logged as it is and counted as `OTHER`.
    #[serde(serialize_with = "member::text")]
    pub reason: &'a str,
    /// The sentence for people.
    #[serde(serialize_with = "member::text")]
    pub details: &'a str,
}

/// How somebody tried to prove who they are (`authenticationType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum AuthenticationType {
    /// A certificate.
    #[serde(rename = "AWS_X509")]
    X509,
    /// A signature, in headers or in the query.
    #[serde(rename = "AWS_SIGV4")]
    SigV4,
}

impl Event for AuthnError<'_> {
    const TYPE: &'static str = "Connection.AuthNError";

    fn trace_id(&self) -> TraceId {
        self.trace_id
    }

    fn status(&self) -> Status {
        Status::Failure
    }

    fn protocol(&self) -> Option<Protocol> {
        Some(self.protocol)
    }

    fn count(&self, metrics: &Metrics) {
        metrics.authn_error(self.reason);
    }
}
