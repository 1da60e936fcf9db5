//! MQTT over WebSocket: the upgrade on `/mqtt` (spec 3.2).

use std::sync::Arc;

use api::{Answer, AnswerBody, Api, Caller, Credentials, Listed, ServiceName};
use broker::{Entrance, Serving};
use engine::directory::Principal;
use hyper::header::{
    CONNECTION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT,
    SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use telemetry::TraceId;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::http::Held;
use super::websocket::WebSocket;

const PATH: &str = "/mqtt";

/// Whether the request asks for MQTT over WebSocket.
pub(super) fn is_asked_for<B>(request: &Request<B>) -> bool {
    request.uri().path() == PATH
        && request.method() == Method::GET
        && lists(request.headers(), CONNECTION, "upgrade")
        && lists(request.headers(), UPGRADE, "websocket")
}

/// Proves who asks, switches protocols and hands the connection to the node.
pub(super) fn answer<B>(request: Request<B>, held: Held, caller: &Caller) -> Answer
where
    B: Send + 'static,
{
    let headers = request.headers();
    let Some(key) = headers.get(SEC_WEBSOCKET_KEY).cloned() else {
        return refuse("The header Sec-WebSocket-Key is missing.");
    };
    if headers.get(SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        return refuse("The header Sec-WebSocket-Version must be 13.");
    }
    let protocols = ["mqtt", "mqttv3.1"];
    let offered = protocols.into_iter().find(|name| lists(headers, SEC_WEBSOCKET_PROTOCOL, name));
    let Some(protocol) = offered else {
        return refuse("The header Sec-WebSocket-Protocol must offer mqtt.");
    };
    let (parts, body) = request.into_parts();
    let principal = match &caller.credentials {
        Credentials::Certificate(principal) | Credentials::Open(principal) => Arc::clone(principal),
        Credentials::Signature => {
            let trace_id = TraceId::random();
            let listed = Listed::of(&parts.headers);
            match held.doors.api.prove(
                ServiceName::Data,
                &listed.head(&parts),
                &[],
                caller,
                trace_id,
            ) {
                Ok(principal) => principal,
                Err(rejected) => return Api::reject(trace_id, &rejected),
            }
        }
    };
    let request = Request::from_parts(parts, body);
    tokio::spawn(serve(request, held, caller.clone(), principal));
    accept(&key, protocol)
}

async fn serve<B>(request: Request<B>, held: Held, caller: Caller, principal: Arc<Principal>) {
    // The client may have gone away before the protocol was switched.
    let Ok(upgraded) = hyper::upgrade::on(request).await else { return };
    let node = Arc::clone(held.doors.api.node());
    let socket = WebSocket::server(TokioIo::new(upgraded)).await;
    let life = Some(node.rules().quotas.websocket_life);
    let entrance = Entrance { principal, source: caller.source, secure: caller.secure, life };
    Serving::new(node, Box::new(socket), entrance).await;
}

fn accept(key: &HeaderValue, protocol: &'static str) -> Answer {
    let mut answer = Response::new(AnswerBody::from(""));
    *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = answer.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(protocol));
    if let Ok(accepted) = HeaderValue::from_str(&derive_accept_key(key.as_bytes())) {
        headers.insert(SEC_WEBSOCKET_ACCEPT, accepted);
    }
    answer
}

fn refuse(what: &'static str) -> Answer {
    let mut answer = Response::new(AnswerBody::from(what));
    *answer.status_mut() = StatusCode::BAD_REQUEST;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    answer
}

/// Whether a comma-separated header names `wanted`.
fn lists(headers: &HeaderMap, name: HeaderName, wanted: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|word| word.trim().eq_ignore_ascii_case(wanted))
}
