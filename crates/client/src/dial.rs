//! Opening connections, one step after the other, so that an error can name its step.

use std::fmt;
use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;

use crate::endpoint::Endpoint;
use crate::tls::Tls;

/// A connection, whatever it is made of.
pub(crate) trait Duplex: AsyncRead + AsyncWrite + Send + Sync + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Duplex for T {}

/// An open connection.
pub(crate) struct Dialed {
    pub(crate) stream: Box<dyn Duplex>,
    /// What the server chose by ALPN.
    pub(crate) protocol: Option<Vec<u8>>,
}

/// The steps of opening a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Looking the host name up.
    Resolve,
    /// The TCP connection.
    Tcp,
    /// The TLS handshake.
    Tls,
}

/// Why no connection came about.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// The host name is not known.
    #[error("cannot find the host of {endpoint}: {source}")]
    Resolve {
        /// Where the connection was to go.
        endpoint: Endpoint,
        /// What the resolver says.
        source: io::Error,
    },
    /// Nobody listens there, or it cannot be reached.
    #[error("cannot connect to {endpoint}: {source}")]
    Tcp {
        /// Where the connection was to go.
        endpoint: Endpoint,
        /// What the operating system says about the last address tried.
        source: io::Error,
    },
    /// The two do not agree, or one does not believe the other.
    #[error("TLS with {endpoint} failed: {source}")]
    Tls {
        /// Where the connection was to go.
        endpoint: Endpoint,
        /// The reason; if TLS itself failed, a `rustls::Error` inside.
        source: io::Error,
    },
    /// A step took too long.
    #[error("{endpoint} did not answer within {} s ({step})", limit.as_secs_f64())]
    TimedOut {
        /// Where the connection was to go.
        endpoint: Endpoint,
        /// The step that was not finished.
        step: Step,
        /// The time for all steps together.
        limit: Duration,
    },
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Step::Resolve => "name look-up",
            Step::Tcp => "TCP connection",
            Step::Tls => "TLS handshake",
        })
    }
}

/// Connects to `endpoint`, with TLS if there is one to use, within `limit` for all steps.
pub(crate) async fn dial(
    endpoint: &Endpoint,
    tls: Option<&Tls>,
    limit: Duration,
) -> Result<Dialed, DialError> {
    let attempt = Attempt { endpoint, deadline: Instant::now() + limit, limit };
    let tcp = attempt.tcp().await?;
    match tls {
        None => Ok(Dialed { stream: Box::new(tcp), protocol: None }),
        Some(tls) => attempt.tls(tcp, tls).await,
    }
}

struct Attempt<'a> {
    endpoint: &'a Endpoint,
    deadline: Instant,
    limit: Duration,
}

impl Attempt<'_> {
    /// The first of the host's addresses that accepts.
    async fn tcp(&self) -> Result<TcpStream, DialError> {
        let endpoint = self.endpoint;
        let lookup = tokio::net::lookup_host((endpoint.host(), endpoint.port()));
        let addresses = self
            .within(Step::Resolve, lookup)
            .await?
            .map_err(|source| DialError::Resolve { endpoint: endpoint.clone(), source })?;
        let mut source = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for address in addresses {
            match self.within(Step::Tcp, TcpStream::connect(address)).await? {
                Ok(stream) => {
                    // Small packets are what MQTT is made of; a socket that refuses the option is
                    // only slower.
                    let _ = stream.set_nodelay(true);
                    return Ok(stream);
                }
                Err(error) => source = error,
            }
        }
        Err(DialError::Tcp { endpoint: endpoint.clone(), source })
    }

    async fn tls(&self, tcp: TcpStream, tls: &Tls) -> Result<Dialed, DialError> {
        let failed = |source| DialError::Tls { endpoint: self.endpoint.clone(), source };
        let name = tls
            .server_name(self.endpoint.host())
            .map_err(|error| failed(io::Error::new(io::ErrorKind::InvalidInput, error)))?;
        let handshake = TlsConnector::from(tls.config()).connect(name, tcp);
        let stream = self.within(Step::Tls, handshake).await?.map_err(failed)?;
        let protocol = stream.get_ref().1.alpn_protocol().map(<[u8]>::to_vec);
        Ok(Dialed { stream: Box::new(stream), protocol })
    }

    async fn within<F: Future>(&self, step: Step, future: F) -> Result<F::Output, DialError> {
        timeout_at(self.deadline, future).await.map_err(|_| DialError::TimedOut {
            endpoint: self.endpoint.clone(),
            step,
            limit: self.limit,
        })
    }
}
