//! A backend: calls `SendDirectMessage` over HTTP, or posts something else.

mod answer;
mod connection;
mod identity;
mod message;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ::identity::sigv4::{SignatureError, Signer, Target};
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HOST, HeaderName, HeaderValue};
use http::response::Parts;
use http::{HeaderMap, Method, Request, Response};
use http_body_util::Full;
use tokio::time::{Instant, timeout};

pub use answer::Answer;
use connection::{Connection, Reply, Wanted};
pub use identity::{AccessKey, SenderIdentity};
pub use message::{DirectMessage, PayloadFormat};

use crate::dial::DialError;
use crate::endpoint::{Scheme, Url};
use crate::tls::Tls;

/// How a sender connects and who it is. [`SenderOptions::new`] has the usual values.
#[derive(Clone, Debug)]
pub struct SenderOptions {
    /// Where the server is.
    pub url: Url,
    /// Who sends.
    pub identity: SenderIdentity,
    /// TLS; needed for an `https` URL and not used for an `http` one. HTTP/2 is spoken if the
    /// server chooses `h2` by ALPN.
    pub tls: Option<Tls>,
    /// The time for opening a connection.
    pub connect_timeout: Duration,
    /// The time for an answer. A confirmed send takes as long as the device and its `timeout`.
    pub answer_timeout: Duration,
}

impl SenderOptions {
    /// 10 s to connect and 30 s for an answer.
    pub fn new(url: Url, identity: SenderIdentity, tls: Option<Tls>) -> Self {
        let (connect_timeout, answer_timeout) = (Duration::from_secs(10), Duration::from_secs(30));
        Self { url, identity, tls, connect_timeout, answer_timeout }
    }
}

/// A backend with one connection, which is opened by the first send and kept for the next.
///
/// One send is under way at a time; for more, use more senders.
#[derive(Debug)]
pub struct Sender {
    options: SenderOptions,
    /// The `Host` header; it is signed.
    host: HeaderValue,
    /// Keeps the day's key between sends; `None` without an access key.
    signer: Option<Signer>,
    connection: Option<Connection>,
}

/// A request and its answer.
struct Exchanged {
    parts: Parts,
    body: Bytes,
    elapsed: Duration,
    connected_in: Option<Duration>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// There is no connection to the server.
    #[error(transparent)]
    Dial(#[from] DialError),
    /// An `https` URL, but no [`SenderOptions::tls`].
    #[error("{0} needs TLS: name the CA to check the server against")]
    NoTls(Url),
    /// The connection broke before the answer was complete. Whether the device got the message is
    /// not known.
    #[error("the connection to {url} broke before the answer: {}", cause(.source))]
    Broken {
        /// The server.
        url: Url,
        /// What HTTP says.
        source: hyper::Error,
    },
    /// The answer did not come in time. Whether the device got the message is not known.
    #[error("{url} did not answer within {} s", limit.as_secs_f64())]
    NoAnswer {
        /// The server.
        url: Url,
        /// [`SenderOptions::answer_timeout`].
        limit: Duration,
    },
    /// The answer is longer than any of this API.
    #[error("the answer of {0} is longer than 1 MiB; this is not the API")]
    AnswerTooLong(Url),
    /// The request cannot be signed with these credentials.
    #[error("the request cannot be signed: {0}")]
    Unsignable(#[from] SignatureError),
    /// The path and query are longer than a URL may be.
    #[error("the client ID and parameters are too long for a URL: {0}")]
    Unsendable(#[from] http::Error),
}

impl Sender {
    /// A sender that is not connected yet.
    ///
    /// # Errors
    /// An `https` URL without TLS, an access key that cannot sign.
    pub fn new(options: SenderOptions) -> Result<Self, SendError> {
        if options.url.scheme() == Scheme::Https && options.tls.is_none() {
            return Err(SendError::NoTls(options.url));
        }
        let signer = match &options.identity {
            SenderIdentity::AccessKey(key) => Some(key.signer()?),
            SenderIdentity::Certificate | SenderIdentity::Anonymous => None,
        };
        let host = HeaderValue::try_from(options.url.authority()).map_err(http::Error::from)?;
        Ok(Self { options, host, signer, connection: None })
    }

    /// Sends one direct message and returns the server's answer, whatever its status.
    ///
    /// A request that could not be written to a kept connection, because the server had closed it
    /// meanwhile, is sent once more on a new one. Nothing else is repeated: a message might be
    /// delivered twice.
    ///
    /// # Errors
    /// There is no answer. Says which step failed.
    pub async fn send_direct_message(
        &mut self,
        message: &DirectMessage<'_>,
    ) -> Result<Answer, SendError> {
        let exchanged = self.exchange(Wanted::Whole, |sender| sender.request(message)).await?;
        let answer = Answer::read(&exchanged.parts, &exchanged.body);
        Ok(answer.timed(exchanged.elapsed, exchanged.connected_in))
    }

    /// Posts `body` to another path of the server, with these headers and no signature, and returns
    /// the answer, whatever its status. Of its body there is what comes within a second of the head,
    /// and at most 1 MiB; the rest is let go. Repeated in the same case.
    ///
    /// # Errors
    /// There is no answer. Says which step failed.
    pub async fn post(
        &mut self,
        path_and_query: &str,
        headers: &HeaderMap,
        body: &Bytes,
    ) -> Result<Response<Bytes>, SendError> {
        let exchanged = self.exchange(Wanted::Head, |sender| {
            let mut request =
                Request::post(sender.uri(path_and_query)).body(Full::new(body.clone()))?;
            request.headers_mut().insert(HOST, sender.host.clone());
            request.headers_mut().extend(headers.clone());
            Ok(request)
        });
        let Exchanged { parts, body, .. } = exchanged.await?;
        Ok(Response::from_parts(parts, body))
    }

    /// Sends what `request` makes and reads what is wanted of the answer.
    async fn exchange(
        &mut self,
        wanted: Wanted,
        mut request: impl FnMut(&mut Self) -> Result<Request<Full<Bytes>>, SendError>,
    ) -> Result<Exchanged, SendError> {
        let mut connected_in = None;
        let mut connection = match self.connection.take() {
            Some(connection) if connection.is_open() => connection,
            Some(_) | None => self.open(&mut connected_in).await?,
        };
        loop {
            let request = request(self)?;
            let started = Instant::now();
            let exchange =
                timeout(self.options.answer_timeout, connection.exchange(request, wanted));
            let reply = exchange.await.map_err(|_| SendError::NoAnswer {
                url: self.options.url.clone(),
                limit: self.options.answer_timeout,
            })?;
            match reply {
                Reply::Answered(parts, body) => {
                    self.connection = Some(connection);
                    let elapsed = started.elapsed();
                    return Ok(Exchanged { parts, body, elapsed, connected_in });
                }
                Reply::Cut(parts, body) => {
                    let elapsed = started.elapsed();
                    return Ok(Exchanged { parts, body, elapsed, connected_in });
                }
                Reply::NotSent(_) if connected_in.is_none() => {
                    connection = self.open(&mut connected_in).await?;
                }
                Reply::NotSent(source) | Reply::Broken(source) => {
                    return Err(SendError::Broken { url: self.options.url.clone(), source });
                }
                Reply::TooLong => return Err(SendError::AnswerTooLong(self.options.url.clone())),
            }
        }
    }

    async fn open(&self, connected_in: &mut Option<Duration>) -> Result<Connection, SendError> {
        let started = Instant::now();
        let connection = Connection::open(&self.options).await?;
        *connected_in = Some(started.elapsed());
        Ok(connection)
    }

    /// The request as it goes on the wire, signed with the time of now.
    fn request(&mut self, message: &DirectMessage<'_>) -> Result<Request<Full<Bytes>>, SendError> {
        let (path, query) = message.path_and_query();
        let mut headers = HeaderMap::new();
        headers.insert(HOST, self.host.clone());
        // Also for an empty payload, as the AWS SDKs do; hyper would leave it out.
        headers.insert(CONTENT_LENGTH, message.payload.len().into());
        for (name, value) in message.headers() {
            let value = HeaderValue::try_from(value).map_err(http::Error::from)?;
            headers.insert(HeaderName::from_static(name), value);
        }
        if let Some(signer) = &mut self.signer {
            let target = Target { method: Method::POST.as_str(), path: &path, query: &query };
            signer.sign_headers(target, &mut headers, message.payload, now())?;
        }
        let uri = self.uri(&format!("{path}?{query}"));
        let mut request = Request::post(uri).body(Full::from(message.payload.to_vec()))?;
        *request.headers_mut() = headers;
        Ok(request)
    }

    fn uri(&self, path_and_query: &str) -> String {
        let url = &self.options.url;
        format!("{}://{}{path_and_query}", url.scheme().as_str(), url.authority())
    }
}

/// Seconds since 1970; a clock before that is treated as standing at its beginning.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// The innermost reason: hyper's own text alone says little.
fn cause(error: &hyper::Error) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
