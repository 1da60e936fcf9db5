//! One keep-alive connection with one request in flight.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::response::{self, Response, ResponseError};
use crate::transport::{Connector, Duplex};

/// What is reserved for reading: an answer with its headers.
const READ_CAPACITY: usize = 1024;

/// Why a request has no answer. The texts are what errors are counted by, so they hold nothing
/// that differs from case to case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ExchangeError {
    /// No connection.
    #[error("connecting: {0}")]
    Connect(io::ErrorKind),
    /// The request could not be sent.
    #[error("sending: {0}")]
    Send(io::ErrorKind),
    /// The answer could not be received.
    #[error("receiving: {0}")]
    Receive(io::ErrorKind),
    /// HTTP/2 refused or reset the request.
    #[error("HTTP/2: {0}")]
    Stream(h2::Reason),
    /// The answer is none.
    #[error("{0}")]
    Response(#[from] ResponseError),
    /// The request could not be signed.
    #[error("the request cannot be signed")]
    Unsigned,
}

/// Whether the connection can be used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Afterwards {
    /// It can.
    Open,
    /// The server closes it.
    Closed,
}

/// The connection and its buffer.
pub(crate) struct Exchange {
    stream: Box<dyn Duplex>,
    received: Vec<u8>,
}

impl Exchange {
    /// Connects.
    ///
    /// # Errors
    /// What the system or TLS says.
    pub(crate) async fn open(connector: &Connector) -> io::Result<Self> {
        Ok(Self::over(connector.connect().await?))
    }

    fn over(stream: Box<dyn Duplex>) -> Self {
        Self { stream, received: Vec::with_capacity(READ_CAPACITY) }
    }

    /// Sends a request and hands its answer to `on_answer`.
    ///
    /// # Errors
    /// When there is no answer; the connection is of no use any more.
    pub(crate) async fn round_trip(
        &mut self,
        request: &[u8],
        on_answer: impl FnOnce(&Response<'_>),
    ) -> Result<Afterwards, ExchangeError> {
        self.received.clear();
        let send = |error: io::Error| ExchangeError::Send(error.kind());
        self.stream.write_all(request).await.map_err(send)?;
        // TLS keeps what the socket did not take until it is asked to flush.
        self.stream.flush().await.map_err(send)?;
        loop {
            let read = self.stream.read_buf(&mut self.received).await;
            let read = read.map_err(|error| ExchangeError::Receive(error.kind()))?;
            let Some(answer) = response::parse(&self.received, read == 0)? else { continue };
            if answer.len != self.received.len() {
                return Err(ResponseError::Trailing.into());
            }
            on_answer(&answer);
            return Ok(if answer.keep_alive { Afterwards::Open } else { Afterwards::Closed });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::DuplexStream;

    fn pair() -> (Exchange, DuplexStream) {
        let (near, far) = tokio::io::duplex(1024);
        (Exchange::over(Box::new(near)), far)
    }

    async fn answer(server: &mut DuplexStream, parts: &[&str]) {
        let mut request = [0; 4];
        server.read_exact(&mut request).await.unwrap();
        for part in parts {
            server.write_all(part.as_bytes()).await.unwrap();
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn answers_that_come_in_pieces_follow_each_other_on_one_connection() {
        let (mut exchange, mut server) = pair();
        let parts = ["HTTP/1.1 2", "00 OK\r\ncontent-le", "ngth: 2\r\n\r\no", "k"];
        for _ in 0..3 {
            let mut status = 0;
            let (ended, ()) = tokio::join!(
                exchange.round_trip(b"ping", |answer| status = answer.status),
                answer(&mut server, &parts),
            );
            assert_eq!((ended, status), (Ok(Afterwards::Open), 200));
        }
    }

    #[tokio::test]
    async fn an_announced_close_is_told_from_an_open_connection() {
        let (mut exchange, mut server) = pair();
        let parts = ["HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"];
        let (ended, ()) =
            tokio::join!(exchange.round_trip(b"ping", |_| ()), answer(&mut server, &parts));
        assert_eq!(ended, Ok(Afterwards::Closed));
    }

    #[tokio::test]
    async fn a_close_before_the_answer_and_bytes_behind_it_are_errors() {
        let (mut exchange, mut server) = pair();
        let parts = ["HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\nmore"];
        let (ended, ()) =
            tokio::join!(exchange.round_trip(b"ping", |_| ()), answer(&mut server, &parts));
        assert_eq!(ended, Err(ResponseError::Trailing.into()));
        let (mut exchange, server) = pair();
        drop(server);
        assert!(exchange.round_trip(b"ping", |_| ()).await.is_err());
    }
}
