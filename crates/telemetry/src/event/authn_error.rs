//! Somebody who could not prove who they are.

use std::net::SocketAddr;

use crate::event::{Event, Party, Protocol, Subject};
use crate::line::{Line, key};
use crate::{Metrics, Status, TraceId};

/// Somebody, device or sender, who could not prove who they are. Always ERROR.
#[derive(Clone, Copy, Debug)]
pub struct AuthnError<'a> {
    /// The request's or connection's.
    pub trace_id: TraceId,
    /// What was tried.
    pub authentication_type: AuthenticationType,
    /// How they talk to us.
    pub protocol: Protocol,
    /// The client ID, if it came that far.
    pub client_id: Option<&'a str>,
    /// Whom they claim to be (a certificate ID), if that much is known.
    pub principal_id: Option<&'a str>,
    /// Where they come from.
    pub source: SocketAddr,
    /// Where they came to.
    pub target: SocketAddr,
    /// The server name of their TLS handshake.
    pub server_name: Option<&'a str>,
    /// The word of spec 8.2, such as `SECURITY_TOKEN_SIGNATURE_MISMATCH`. A word that is not in
    /// that list is logged as it is and counted as `OTHER`.
    pub reason: &'a str,
    /// The sentence for people.
    pub details: &'a str,
}

/// How somebody tried to prove who they are (`authenticationType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AuthenticationType {
    /// A certificate.
    X509,
    /// A signature, in headers or in the query.
    SigV4,
}

impl AuthenticationType {
    /// Its word, as in the log.
    fn word(self) -> &'static str {
        match self {
            AuthenticationType::X509 => "AWS_X509",
            AuthenticationType::SigV4 => "AWS_SIGV4",
        }
    }
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

    /// Who it is may not be known.
    fn party(&self) -> Option<Party<'_>> {
        None
    }

    fn subject(&self) -> Subject<'_> {
        Subject {
            client_id: self.client_id,
            principal_id: self.principal_id,
            source: Some(self.source),
        }
    }

    fn write(&self, line: &mut Line) {
        line.word(key!("authenticationType"), self.authentication_type.word());
        line.text_option(key!("clientId"), self.client_id);
        line.text_option(key!("principalId"), self.principal_id);
        line.source(self.source);
        line.ip(key!("targetIp"), self.target.ip());
        line.number(key!("targetPort"), self.target.port().into());
        line.text_option(key!("serverNameIndication"), self.server_name);
        line.text(key!("reason"), self.reason);
        line.text(key!("details"), self.details);
    }

    fn count(&self, metrics: &Metrics) {
        metrics.authn_error(self.reason);
    }
}
