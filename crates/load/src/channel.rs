//! How one sender's requests travel: on a connection of its own, or as streams of a shared one.

use std::io;

use http::uri::Scheme;

use crate::exchange::{Afterwards, Exchange, ExchangeError};
use crate::failure::Failure;
use crate::http2::Http2;
use crate::plan::Plan;
use crate::request::{Origin, Request};
use crate::response::Response;
use crate::transport::Connector;

/// A sender's way to the server.
pub(crate) enum Channel {
    /// HTTP/1.1, with one request in flight.
    Own {
        /// How to connect again.
        connector: Connector,
        /// The connection.
        exchange: Exchange,
    },
    /// HTTP/2, with requests of other senders in flight as well.
    Shared {
        /// The connection.
        connection: Http2,
        /// What it is a connection to.
        origin: Origin,
    },
}

impl Channel {
    /// A connection for one sender alone.
    ///
    /// # Errors
    /// What the system or TLS says.
    pub(crate) async fn own(connector: Connector) -> io::Result<Self> {
        let exchange = Exchange::open(&connector).await?;
        Ok(Self::Own { connector, exchange })
    }

    /// A part of `connection`, which the plan's connector has opened.
    ///
    /// # Errors
    /// When the server's address cannot stand in a URI.
    pub(crate) fn shared(plan: &Plan, connection: Http2) -> Result<Self, Failure> {
        let scheme = if plan.connector.is_tls() { Scheme::HTTPS } else { Scheme::HTTP };
        let address = plan.connector.endpoint().to_string();
        let origin = Origin::new(scheme, &address)
            .map_err(|error| Failure::Option(format!("{address}: {error}")))?;
        Ok(Self::Shared { connection, origin })
    }

    /// Sends the message to `device` and hands its answer to `on_answer`.
    ///
    /// # Errors
    /// When there is no answer.
    pub(crate) async fn send(
        &mut self,
        request: &mut Request,
        device: u32,
        on_answer: impl FnOnce(&Response<'_>),
    ) -> Result<Afterwards, ExchangeError> {
        let unsigned = |_| ExchangeError::Unsigned;
        match self {
            Self::Own { exchange, .. } => {
                let bytes = request.for_device(device).map_err(unsigned)?;
                exchange.round_trip(bytes, on_answer).await
            }
            Self::Shared { connection, origin } => {
                let message = request.head_for_device(device, origin).map_err(unsigned)?;
                connection.round_trip(message, on_answer).await.map(|()| Afterwards::Open)
            }
        }
    }

    /// Makes it usable after an error or an end. A shared connection is not opened again: without
    /// it, all requests fail, and the report says how.
    ///
    /// # Errors
    /// What the system or TLS says.
    pub(crate) async fn renew(&mut self) -> io::Result<()> {
        match self {
            Self::Own { connector, exchange } => *exchange = Exchange::open(connector).await?,
            Self::Shared { .. } => {}
        }
        Ok(())
    }
}
