//! Metrics and health, for operators.

use std::convert::Infallible;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;

use super::listen::{Doors, Visit};

/// The Prometheus text format.
const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Serves `/metrics`, `/healthz` and `/readyz` until the connection ends or the server drains.
pub(super) async fn serve(stream: TcpStream, visit: Visit) {
    let doors = visit.doors;
    let service = service_fn(|request: Request<Incoming>| {
        let response = answer(&request, &doors);
        async { Ok::<_, Infallible>(response) }
    });
    let mut told = false;
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(doors.api.node().bounds().http_idle)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let mut draining = doors.draining.clone();
    loop {
        tokio::select! {
            // An error is the peer's: it went away, or sent what is no HTTP.
            _ = connection.as_mut() => return,
            _ = draining.wait_for(|draining| *draining), if !told => {
                told = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}

fn answer(request: &Request<Incoming>, doors: &Doors) -> Response<Full<Bytes>> {
    let (status, content_type, body) = match request.uri().path() {
        "/metrics" => {
            let mut text = String::new();
            let node = doors.api.node();
            node.telemetry().metrics().render(&node.gauges(), &mut text);
            (StatusCode::OK, METRICS, text)
        }
        "/healthz" => (StatusCode::OK, "text/plain", "ok\n".into()),
        "/readyz" if *doors.draining.borrow() => {
            (StatusCode::SERVICE_UNAVAILABLE, "text/plain", "draining\n".into())
        }
        "/readyz" => match doors.api.node().store_failure() {
            // It goes on with what need not be kept; whoever balances load should know.
            Some(sentence) => (
                StatusCode::SERVICE_UNAVAILABLE,
                "text/plain",
                format!("nothing more can be kept: {sentence}\n"),
            ),
            None => (StatusCode::OK, "text/plain", "ready\n".into()),
        },
        _ => {
            let paths = "There are /metrics, /healthz and /readyz.\n";
            (StatusCode::NOT_FOUND, "text/plain", paths.into())
        }
    };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
