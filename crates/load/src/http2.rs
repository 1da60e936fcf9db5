//! One HTTP/2 connection with many requests in flight.

use std::borrow::Cow;
use std::io;

use bytes::Bytes;
use h2::RecvStream;
use h2::client::{self, SendRequest};

use crate::exchange::ExchangeError;
use crate::response::{MAX_RESPONSE, Response, ResponseError};
use crate::transport::Connector;

/// How much the server may send before it is told that there is room again: so much that hardly a
/// frame is spent on saying so.
const CONNECTION_WINDOW: u32 = 1 << 24;

/// The connection; clones share it. A task of the runtime drives it, so it lives on the thread on
/// which it was opened.
#[derive(Clone)]
pub(crate) struct Http2 {
    requests: SendRequest<Bytes>,
}

impl Http2 {
    /// Connects, without asking whether the server speaks HTTP/2: over TLS, ALPN has said so.
    ///
    /// # Errors
    /// What the system, TLS or HTTP/2 says.
    pub(crate) async fn open(connector: &Connector) -> io::Result<Self> {
        let stream = connector.connect().await?;
        let mut builder = client::Builder::new();
        builder.enable_push(false).initial_connection_window_size(CONNECTION_WINDOW);
        let (requests, connection) = builder.handshake(stream).await.map_err(io::Error::other)?;
        // What ends the connection ends every request on it with the same error.
        tokio::spawn(connection);
        Ok(Self { requests })
    }

    /// Sends a request and hands its answer to `on_answer`.
    ///
    /// # Errors
    /// When there is no answer.
    pub(crate) async fn round_trip(
        &mut self,
        (head, payload): (http::Request<()>, Bytes),
        on_answer: impl FnOnce(&Response<'_>),
    ) -> Result<(), ExchangeError> {
        std::future::poll_fn(|context| self.requests.poll_ready(context)).await.map_err(error)?;
        let (answer, mut stream) = self.requests.send_request(head, false).map_err(error)?;
        stream.send_data(payload, true).map_err(error)?;
        let answer = answer.await.map_err(error)?;
        let status = answer.status().as_u16();
        let body = whole(answer.into_body()).await?;
        let len = body.len();
        on_answer(&Response { status, body: Cow::Borrowed(&body), keep_alive: true, len });
        Ok(())
    }
}

/// The body: without a copy when it comes in one frame.
async fn whole(mut body: RecvStream) -> Result<Bytes, ExchangeError> {
    let mut all = Bytes::new();
    while let Some(chunk) = body.data().await {
        let chunk = chunk.map_err(error)?;
        body.flow_control().release_capacity(chunk.len()).map_err(error)?;
        if all.len() + chunk.len() > MAX_RESPONSE {
            return Err(ResponseError::TooLarge.into());
        }
        all = if all.is_empty() { chunk } else { [all, chunk].concat().into() };
    }
    Ok(all)
}

fn error(error: h2::Error) -> ExchangeError {
    match (error.reason(), error.get_io()) {
        (Some(reason), _) => ExchangeError::Stream(reason),
        (None, Some(error)) => ExchangeError::Receive(error.kind()),
        (None, None) => ExchangeError::Stream(h2::Reason::INTERNAL_ERROR),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::SocketAddr;
    use tokio::net::TcpListener;

    /// A server that answers the path with its body, in two frames, `count` times.
    async fn echo(count: usize) -> (SocketAddr, tokio::task::JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let served = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let mut connection = h2::server::handshake(stream).await.unwrap();
            for _ in 0..count {
                let (request, mut respond) = connection.accept().await.unwrap().unwrap();
                tokio::spawn(async move {
                    let path = Bytes::copy_from_slice(request.uri().path().as_bytes());
                    let body = whole(request.into_body()).await.unwrap();
                    let mut stream =
                        respond.send_response(http::Response::default(), false).unwrap();
                    stream.send_data(path, false).unwrap();
                    stream.send_data(body, true).unwrap();
                });
            }
            while connection.accept().await.is_some() {}
        });
        (address, served)
    }

    #[tokio::test]
    async fn many_requests_share_a_connection() {
        let (address, _served) = echo(20).await;
        let connector = Connector::plain(address.to_string().parse().unwrap());
        let connection = Http2::open(&connector).await.unwrap();
        let mut asking = tokio::task::JoinSet::new();
        for number in 0..20 {
            let mut connection = connection.clone();
            asking.spawn(async move {
                let uri = format!("http://{address}/{number}?q");
                let head = http::Request::post(uri).body(()).unwrap();
                let mut heard = String::new();
                let hear = |answer: &Response<'_>| {
                    assert_eq!(answer.status, 200);
                    heard = String::from_utf8(answer.body.to_vec()).unwrap();
                };
                connection.round_trip((head, Bytes::from_static(b"-body")), hear).await.unwrap();
                assert_eq!(heard, format!("/{number}-body"));
            });
        }
        while let Some(asked) = asking.join_next().await {
            asked.unwrap();
        }
    }

    #[tokio::test]
    async fn a_connection_that_ends_is_an_error_for_each_request() {
        let (address, served) = echo(0).await;
        let connector = Connector::plain(address.to_string().parse().unwrap());
        let mut connection = Http2::open(&connector).await.unwrap();
        served.abort();
        let _ = served.await;
        let head = http::Request::post(format!("http://{address}/")).body(()).unwrap();
        assert!(connection.round_trip((head, Bytes::new()), |_| ()).await.is_err());
    }
}
