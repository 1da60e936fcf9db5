//! One request, from its head to its answer.

use std::num::NonZeroUsize;
use std::sync::Arc;

use broker::Node;
use bytes::Bytes;
use engine::directory::Principal;
use http::header::{ALLOW, CONTENT_TYPE, HOST, HeaderName, RETRY_AFTER};
use http::request::Parts;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Body;
use identity::sigv4::{Payload, RequestParts, SigningKeys};
use telemetry::{TraceId, event};

use crate::authenticate::{Against, Rejected, authenticate};
use crate::body;
use crate::caller::{Caller, Credentials};
use crate::fault::{Fault, Kind};
use crate::ops::send_direct_message::{self, Call};
use crate::router::{Operation, route};

/// An answer with its whole body.
pub type Answer = Response<Full<Bytes>>;

/// A request's body is read to twice the payload quota, so that a payload that is too large is
/// refused to a sender who proved who it is; what is larger still is refused unread.
const BODY_TO_PAYLOAD: usize = 2;

/// How many signing keys are remembered.
const SIGNING_KEYS: NonZeroUsize = NonZeroUsize::new(1024).expect("not zero");

/// The HTTP side of a node.
pub struct Api {
    node: Arc<Node>,
    region: String,
    keys: SigningKeys,
}

impl Api {
    /// The API of `node`, for signatures in `region`.
    pub fn new(node: Arc<Node>, region: String) -> Self {
        Api { node, region, keys: SigningKeys::new(SIGNING_KEYS) }
    }

    /// The node behind it.
    pub fn node(&self) -> &Arc<Node> {
        &self.node
    }

    /// Answers one request. Dropping the future gives the request up (the caller went away).
    pub async fn handle<B>(&self, request: Request<B>, caller: &Caller) -> Answer
    where
        B: Body<Data = Bytes> + Unpin,
    {
        let trace_id = TraceId::random();
        let (mut parts, body) = request.into_parts();
        insert_host(&mut parts);
        let answer = match self.answer(&parts, body, caller, trace_id).await {
            Ok(()) => success(trace_id),
            Err(fault) => failure(trace_id, &fault),
        };
        self.node.telemetry().metrics().http_request(answer.status().as_u16());
        answer
    }

    async fn answer<B>(
        &self,
        parts: &Parts,
        body: B,
        caller: &Caller,
        trace_id: TraceId,
    ) -> Result<(), Fault>
    where
        B: Body<Data = Bytes> + Unpin,
    {
        let path = parts.uri.path();
        let Operation::SendDirectMessage { client_id } = route(&parts.method, path)
            .map_err(|misrouted| Fault::of_route(misrouted, &parts.method, path))?;
        if self.node.is_draining() {
            return Err(Fault::draining());
        }
        let limit = self.node.rules().quotas.payload_bytes;
        let patience = self.node.bounds().http_body;
        let payload = body::read(body, limit * BODY_TO_PAYLOAD, patience)
            .await
            .map_err(|error| Fault::of_body(error, limit))?;
        // The body may have taken its time; a device that a draining node has closed is not gone.
        if self.node.is_draining() {
            return Err(Fault::draining());
        }
        let principal = self.identify(parts, &payload, caller, trace_id)?;
        let sender = caller.peer(principal);
        let call = Call { client_id, parts, payload, sender, trace_id };
        let outcome = send_direct_message::run(&self.node, call).await;
        Fault::of_direct(&outcome).map_or(Ok(()), Err)
    }

    fn identify(
        &self,
        parts: &Parts,
        payload: &[u8],
        caller: &Caller,
        trace_id: TraceId,
    ) -> Result<Arc<Principal>, Fault> {
        match &caller.credentials {
            Credentials::Certificate(principal) | Credentials::Open(principal) => {
                Ok(Arc::clone(principal))
            }
            Credentials::Signature => self
                .prove(parts, payload, caller, trace_id)
                .map_err(|rejected| Fault::of_credentials(rejected.reason(), rejected.sentence())),
        }
    }

    /// Proves the signature of a request and logs one that does not hold; also for the WebSocket
    /// upgrade, whose body is empty.
    ///
    /// # Errors
    /// [`Rejected`].
    pub fn prove(
        &self,
        parts: &Parts,
        payload: &[u8],
        caller: &Caller,
        trace_id: TraceId,
    ) -> Result<Arc<Principal>, Rejected> {
        let signed = RequestParts {
            method: parts.method.as_str(),
            path: parts.uri.path(),
            query: parts.uri.query().unwrap_or(""),
            headers: &parts.headers,
        };
        let directory = self.node.directory();
        let against = Against {
            directory: &directory,
            region: &self.region,
            now: self.node.access().epoch_seconds(self.node.now()),
            secure: caller.secure,
            keys: &self.keys,
        };
        authenticate(&signed, Payload::Bytes(payload), against).inspect_err(|rejected| {
            self.node.telemetry().record(&event::AuthnError {
                trace_id,
                authentication_type: event::AuthenticationType::SigV4,
                reason: rejected.reason(),
                details: &rejected.sentence(),
                protocol: event::Protocol::Http,
                source: caller.source,
                target: caller.target,
                server_name: None,
                client_id: None,
                principal_id: None,
            });
        })
    }

    /// The answer to credentials that do not hold.
    pub fn reject(trace_id: TraceId, rejected: &Rejected) -> Answer {
        let fault = Fault::of_credentials(rejected.reason(), rejected.sentence());
        failure(trace_id, &fault)
    }
}

/// HTTP/2 names the host outside of the headers; the signature covers it as `host`.
fn insert_host(parts: &mut Parts) {
    if parts.headers.contains_key(HOST) {
        return;
    }
    let host = parts.uri.authority().and_then(|host| HeaderValue::from_str(host.as_str()).ok());
    if let Some(host) = host {
        parts.headers.insert(HOST, host);
    }
}

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

fn success(trace_id: TraceId) -> Answer {
    let body = format!(r#"{{"message":"OK","traceId":"{trace_id}"}}"#);
    response(StatusCode::OK, trace_id, body)
}

fn failure(trace_id: TraceId, fault: &Fault) -> Answer {
    let body = serde_json::json!({
        "message": fault.message,
        "traceId": trace_id.to_string(),
        "reason": fault.reason,
    });
    let mut answer = response(fault.kind.status(), trace_id, body.to_string());
    let headers = answer.headers_mut();
    headers.insert(ERROR_TYPE, HeaderValue::from_static(fault.kind.error_type()));
    if let Some(allow) = fault.allow {
        headers.insert(ALLOW, HeaderValue::from_static(allow));
    }
    if matches!(fault.kind, Kind::Throttling | Kind::ServiceUnavailable) {
        headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    answer
}

fn response(status: StatusCode, trace_id: TraceId, body: String) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(body)));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, JSON);
    if let Ok(id) = HeaderValue::from_str(&trace_id.to_string()) {
        headers.insert(REQUEST_ID, id);
    }
    answer
}
