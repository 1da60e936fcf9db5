//! One HTTP connection, of either version.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::HOST;
use http::response::Parts;
use http::{Request, Response, Uri, Version};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::time::timeout;

use super::{SendError, SenderOptions};
use crate::dial::dial;
use crate::endpoint::Scheme;

type Body = Full<Bytes>;

/// No answer of the API is longer.
const ANSWER_BYTES: usize = 1024 * 1024;

/// How long a body is waited for whose head is all that matters.
const BODY_TIME: Duration = Duration::from_secs(1);

/// What is wanted of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// All of it.
    Whole,
    /// Its head, and of its body what comes soon and is not too much.
    Head,
}

/// An open connection. Its other half is a task that ends when this is dropped.
#[derive(Debug)]
pub(super) enum Connection {
    Http1(http1::SendRequest<Body>),
    Http2(http2::SendRequest<Body>),
}

/// What became of a request.
pub(super) enum Reply {
    Answered(Parts, Bytes),
    /// The beginning, which is all that was wanted. The connection has the rest.
    Cut(Parts, Bytes),
    /// Nothing of the request was written.
    NotSent(hyper::Error),
    Broken(hyper::Error),
    TooLong,
}

impl Connection {
    /// Connects. HTTP/2 is spoken if the server chose it by ALPN.
    pub(super) async fn open(options: &SenderOptions) -> Result<Self, SendError> {
        let tls = match options.url.scheme() {
            Scheme::Http => None,
            Scheme::Https => options.tls.as_ref(),
        };
        let dialed = dial(options.url.endpoint(), tls, options.connect_timeout).await?;
        let io = TokioIo::new(dialed.stream);
        let broken = |source| SendError::Broken { url: options.url.clone(), source };
        // The tasks end with an error exactly when a request does, which reports it.
        if dialed.protocol.as_deref() == Some(b"h2") {
            let (requests, connection) = http2::Builder::new(TokioExecutor::new())
                .timer(TokioTimer::new())
                .handshake(io)
                .await
                .map_err(broken)?;
            tokio::spawn(connection);
            return Ok(Self::Http2(requests));
        }
        let (requests, connection) = http1::handshake(io).await.map_err(broken)?;
        tokio::spawn(connection);
        Ok(Self::Http1(requests))
    }

    /// Whether the connection is not known to be closed.
    pub(super) fn is_open(&self) -> bool {
        match self {
            Connection::Http1(requests) => !requests.is_closed(),
            Connection::Http2(requests) => !requests.is_closed(),
        }
    }

    /// Sends the request, whose URI is absolute, and reads what is wanted of the answer.
    pub(super) async fn exchange(&mut self, mut request: Request<Body>, wanted: Wanted) -> Reply {
        let sent = match self {
            Connection::Http1(requests) => {
                // HTTP/1.1 has the host in a header and only the rest in its first line.
                let target = request.uri().path_and_query().cloned();
                *request.uri_mut() = target.map(Uri::from).unwrap_or_default();
                match requests.ready().await {
                    Ok(()) => requests.try_send_request(request).await,
                    Err(error) => return Reply::NotSent(error),
                }
            }
            Connection::Http2(requests) => {
                // HTTP/2 has the host in `:authority`, which hyper takes from the URI.
                request.headers_mut().remove(HOST);
                *request.version_mut() = Version::HTTP_2;
                match requests.ready().await {
                    Ok(()) => requests.try_send_request(request).await,
                    Err(error) => return Reply::NotSent(error),
                }
            }
        };
        match sent {
            Ok(response) => match wanted {
                Wanted::Whole => read(response).await,
                Wanted::Head => read_head(response).await,
            },
            Err(error) => unsent(error),
        }
    }
}

fn unsent(mut error: TrySendError<Request<Body>>) -> Reply {
    match error.take_message() {
        Some(_) => Reply::NotSent(error.into_error()),
        None => Reply::Broken(error.into_error()),
    }
}

async fn read(response: Response<Incoming>) -> Reply {
    let (parts, body) = response.into_parts();
    match Limited::new(body, ANSWER_BYTES).collect().await {
        Ok(body) => Reply::Answered(parts, body.to_bytes()),
        Err(error) => match error.downcast::<hyper::Error>() {
            Ok(error) => Reply::Broken(*error),
            Err(other) => {
                debug_assert!(other.is::<LengthLimitError>(), "the only other error");
                Reply::TooLong
            }
        },
    }
}

/// Whatever becomes of the body, the head is there.
async fn read_head(response: Response<Incoming>) -> Reply {
    let (parts, mut body) = response.into_parts();
    let mut come = BytesMut::new();
    let reading = async {
        loop {
            let Some(frame) = body.frame().await else { return true };
            let Ok(frame) = frame else { return false };
            let Ok(data) = frame.into_data() else { continue };
            let room = ANSWER_BYTES - come.len();
            come.extend_from_slice(&data[..data.len().min(room)]);
            if data.len() > room {
                return false;
            }
        }
    };
    match timeout(BODY_TIME, reading).await {
        Ok(true) => Reply::Answered(parts, come.freeze()),
        Ok(false) | Err(_) => Reply::Cut(parts, come.freeze()),
    }
}
