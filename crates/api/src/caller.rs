//! Who is at the other end of an HTTP connection.

use std::net::SocketAddr;
use std::sync::Arc;

use engine::access::Peer;
use engine::directory::Principal;

/// The other end of an HTTP connection, as the listener knows it.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Where it calls from.
    pub source: SocketAddr,
    /// The address it called.
    pub target: SocketAddr,
    /// Whether the transport is TLS.
    pub secure: bool,
    /// What it has to show.
    pub credentials: Credentials,
}

/// How the caller proves who it is.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// It has: by the certificate of its TLS handshake.
    Certificate(Arc<Principal>),
    /// It has to sign each request (SigV4).
    Signature,
    /// It need not: the listener is open.
    Open(Arc<Principal>),
}

impl Caller {
    pub(crate) fn peer(&self, principal: Arc<Principal>) -> Peer {
        Peer { principal, source: self.source, secure: self.secure, client_id: None, thing: None }
    }
}
