//! HTTP/2: many requests at once on one connection.
//!
//! The library keeps the protocol; what a request asks for is done right where it is accepted, and
//! its answer handed to the library by the thread that read the device's PUBACK. A request has a
//! task of its own only if its body is still on the way.

mod body;
mod call;

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use api::{Begun, Caller, Later, Listed, Sent, name_host};
use bytes::Bytes;
use h2::RecvStream;
use h2::server::{Builder, Connection, SendResponse};
use http::Request;
use http::request::Parts;
use telemetry::TraceId;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::Handle;
use tokio::time::MissedTickBehavior;

use self::body::{Body, Collected};
use self::call::{Call, Calls, Hold, Patience, answer};
use super::http::Held;
use super::listen::Doors;

/// The first bytes of every HTTP/2 connection (RFC 9113, section 3.4).
pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// How much data may come unread on one stream: a whole body of the usual size at once.
const WINDOW: u32 = 256 * 1024;

/// How often a connection is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// How many looks a peer has to answer a goodbye (GOAWAY) once all its requests are answered.
const GOODBYE_LOOKS: u32 = 2;

/// Serves the connection until it ends, is idle for too long or the server drains.
pub(super) async fn serve<S>(stream: S, caller: Arc<Caller>, held: Held)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let patience = held.doors.api.node().bounds().http_head;
    let handshake = builder(&held.doors).handshake(stream);
    // An error is the peer's: it went away, or sent what is no HTTP/2.
    let Ok(Ok(connection)) = tokio::time::timeout(patience, handshake).await else { return };
    let mut visit = Visit { caller, held, calls: Calls::default(), quiet: 0, goodbye: 0 };
    visit.serve(connection).await;
}

fn builder(doors: &Doors) -> Builder {
    let bounds = doors.api.node().bounds();
    let mut builder = Builder::new();
    builder
        .max_concurrent_streams(bounds.http2_streams)
        .max_header_list_size(u32::try_from(bounds.http_head_bytes).unwrap_or(u32::MAX))
        .initial_window_size(WINDOW)
        .initial_connection_window_size(WINDOW * 4);
    builder
}

/// One connection.
struct Visit {
    caller: Arc<Caller>,
    held: Held,
    calls: Calls,
    /// Looks since the last request.
    quiet: u32,
    /// Looks since it was told goodbye.
    goodbye: u32,
}

impl Visit {
    async fn serve<S>(&mut self, mut connection: Connection<S, Bytes>)
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut draining = self.held.doors.draining.clone();
        let mut drains = pin!(async move {
            // An error: the server is gone altogether.
            let _ = draining.wait_for(|draining| *draining).await;
        });
        let mut told = false;
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                accepted = connection.accept() => match accepted {
                    Some(Ok((request, respond))) => self.begin(request, respond),
                    Some(Err(_)) | None => return,
                },
                () = &mut drains, if !told => {
                    told = true;
                    connection.graceful_shutdown();
                }
                _ = look.tick() => {
                    self.calls.look();
                    if told && self.is_given_up() {
                        return;
                    }
                    if !told && self.is_idle() {
                        connection.graceful_shutdown();
                        told = true;
                    }
                }
            }
        }
    }

    /// Whether there was no request for too long.
    fn is_idle(&mut self) -> bool {
        let bounds = self.held.doors.api.node().bounds();
        self.quiet = if self.calls.is_empty() { self.quiet + 1 } else { 0 };
        LOOK * self.quiet > bounds.http_idle
    }

    /// Whether a peer that was told goodbye has had its time to answer that.
    fn is_given_up(&mut self) -> bool {
        self.goodbye += 1;
        self.goodbye > GOODBYE_LOOKS && self.calls.is_empty()
    }

    fn begin(&mut self, request: Request<RecvStream>, respond: SendResponse<Bytes>) {
        self.quiet = 0;
        let (mut parts, stream) = request.into_parts();
        name_host(&mut parts);
        match Body::new(stream).collect_now(self.held.doors.api.body_bytes()) {
            Collected::Whole(payload) => self.answer(&parts, &payload, respond),
            Collected::Part(body) => self.spawn(parts, body, respond),
        }
    }

    /// Does what a request asks for, whose body is there.
    fn answer(&mut self, parts: &Parts, payload: &[u8], mut respond: SendResponse<Bytes>) {
        let api = &self.held.doors.api;
        let listed = Listed::of(&parts.headers);
        let head = listed.head(parts);
        let (exchange, dispatch) = match api.begin(&head, payload, &self.caller, TraceId::random())
        {
            Begun::Direct(exchange, dispatch) => (exchange, dispatch),
            Begun::Answered(reply) => {
                if let Some(rest) = answer(&mut respond, reply) {
                    let patience = patience(&self.held.doors);
                    tokio::spawn(rest.send_holding(self.hold(), patience));
                }
                return;
            }
            Begun::Later(later @ Later::Many(_)) => return self.find_out(later, respond),
            Begun::Later(later) => {
                // Whoever makes the answer may be a thread of no runtime.
                let (runtime, hold) = (Handle::current(), self.hold());
                let patience = patience(&self.held.doors);
                later.when_answered(move |reply| {
                    if let Some(rest) = answer(&mut respond, reply) {
                        runtime.spawn(rest.send_holding(hold, patience));
                    }
                });
                return;
            }
        };
        // Before the message goes out: its PUBACK may come in on another thread at once.
        let call = Call::new(exchange, respond);
        match dispatch.send(api.node(), || call.waiter()) {
            Sent::Waiting(progress) => {
                call.note(progress);
                self.calls.add(call);
            }
            Sent::Settled(progress, settled) => {
                call.note(progress);
                call.settle(settled);
            }
        }
    }

    /// Answers in a task of its own a request whose answer has to be found out, for as long as its
    /// sender wants to know.
    fn find_out(&mut self, later: Later, mut respond: SendResponse<Bytes>) {
        let (doors, hold) = (self.held.doors.clone(), self.hold());
        tokio::spawn(async move {
            tokio::select! {
                reply = later.answered() => {
                    if let Some(rest) = reply.and_then(|reply| answer(&mut respond, reply)) {
                        rest.send(patience(&doors)).await;
                    }
                }
                // The sender has given the request up.
                _ = std::future::poll_fn(|cx| respond.poll_reset(cx)) => {}
            }
            drop(hold);
        });
    }

    /// Keeps the connection from being taken for idle, and the server from ending.
    fn hold(&self) -> Hold {
        Hold { _call: self.calls.hold(), _presence: self.held.presence.clone() }
    }

    /// Answers in a task of its own a request whose body is on the way.
    fn spawn(&mut self, parts: Parts, body: Body, mut respond: SendResponse<Bytes>) {
        let caller = Arc::clone(&self.caller);
        let (doors, hold) = (self.held.doors.clone(), self.hold());
        tokio::spawn(async move {
            let request = Request::from_parts(parts, body);
            tokio::select! {
                reply = doors.api.handle(request, &caller) => {
                    if let Some(rest) = answer(&mut respond, reply) {
                        rest.send(patience(&doors)).await;
                    }
                }
                // The sender has given the request up.
                _ = std::future::poll_fn(|cx| respond.poll_reset(cx)) => {}
            }
            drop(hold);
        });
    }
}

fn patience(doors: &Doors) -> Patience {
    let stall = doors.api.node().bounds().write_stall;
    Patience { draining: doors.draining.clone(), stall }
}
