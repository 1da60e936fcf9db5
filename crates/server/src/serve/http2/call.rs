//! The requests of one connection that wait for their devices.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use api::{AnswerBody, Exchange, Pieces, Progress, Reply};
use broker::{Settle, Settled};
use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, SendStream};
use http::header::DATE;
use http::{HeaderValue, Response};
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::time::timeout;

use super::{GOODBYE_LOOKS, LOOK};
use crate::serve::date;
use crate::serve::occupancy::Presence;

/// How many calls are kept at least before those that are answered are sorted out.
const SORT_OUT: usize = 1024;

/// One request and the stream that its answer goes to. Whoever has news of it may answer it.
#[derive(Clone)]
pub(super) struct Call(Arc<Mutex<Option<Open>>>);

/// A request that has no answer yet.
struct Open {
    exchange: Exchange,
    respond: SendResponse<Bytes>,
}

impl Call {
    pub(super) fn new(exchange: Exchange, respond: SendResponse<Bytes>) -> Self {
        Call(Arc::new(Mutex::new(Some(Open { exchange, respond }))))
    }

    /// Whoever waits for the device, to be told.
    pub(super) fn waiter(&self) -> Arc<dyn Settle> {
        Arc::new(self.clone())
    }

    /// Takes down where the message is.
    pub(super) fn note(&self, progress: Progress) {
        if let Some(open) = &mut *self.0.lock() {
            open.exchange.note(progress);
        }
    }

    /// Answers it, unless it is answered or given up.
    pub(super) fn settle(&self, settled: Settled) {
        self.give_up_if_reset();
        let Some(Open { exchange, mut respond }) = self.0.lock().take() else { return };
        // Its body is whole.
        let _ = answer(&mut respond, exchange.settle(settled));
    }

    /// A sender that gave the request up is gone, and the exchange with it.
    fn give_up_if_reset(&self) {
        let mut open = self.0.lock();
        let cx = &mut Context::from_waker(Waker::noop());
        let reset = open.as_mut().is_some_and(|open| open.respond.poll_reset(cx).is_ready());
        let given_up = if reset { open.take() } else { None };
        drop(open);
        drop(given_up);
    }

    fn give_up(&self) {
        let given_up = self.0.lock().take();
        drop(given_up);
    }

    fn is_open(&self) -> bool {
        self.0.lock().is_some()
    }
}

impl Settle for Call {
    fn settle(&self, settled: Settled) {
        Call::settle(self, settled);
    }
}

/// Sends an answer; what is returned is a body that has yet to be made. The peer may have gone away;
/// then nobody is left to tell.
pub(super) fn answer(respond: &mut SendResponse<Bytes>, reply: Reply) -> Option<Rest> {
    let (mut head, body) = reply.into_answer().into_parts();
    if let Ok(date) = date::with(HeaderValue::from_str) {
        head.headers.insert(DATE, date);
    }
    let mut stream = respond.send_response(Response::from_parts(head, ()), false).ok()?;
    match body {
        AnswerBody::Whole(bytes) => {
            let _ = stream.send_data(bytes.unwrap_or_default(), true);
            None
        }
        AnswerBody::Pieces(pieces) => Some(Rest { stream, pieces }),
    }
}

/// A body that is sent while it is made.
pub(super) struct Rest {
    stream: SendStream<Bytes>,
    pieces: Pieces,
}

impl Rest {
    /// Sends it, holding on to what has to stay meanwhile.
    pub(super) async fn send_holding(self, hold: Hold, patience: Patience) {
        self.send(patience).await;
        drop(hold);
    }

    /// Sends it, as fast as the peer takes it; ends early when the peer does not want it any more or
    /// takes nothing of it for too long, or when the server ends, with which it would have ended.
    pub(super) async fn send(self, patience: Patience) {
        let endless = self.pieces.is_endless();
        tokio::select! {
            () = self.pass_on(patience.stall) => {}
            () = cut_off(patience.draining), if endless => {}
        }
    }

    async fn pass_on(self, stall: Duration) {
        let Rest { mut stream, mut pieces } = self;
        loop {
            let next = tokio::select! {
                next = pieces.next() => next,
                _ = poll_fn(|cx| stream.poll_reset(cx)) => return,
            };
            let Some(mut piece) = next else { break };
            while !piece.is_empty() {
                stream.reserve_capacity(piece.len());
                let room = match timeout(stall, poll_fn(|cx| stream.poll_capacity(cx))).await {
                    Ok(Some(Ok(room))) => room,
                    Ok(Some(Err(_)) | None) => return,
                    // A peer that gives no room would keep what is made for it, and its places.
                    Err(_) => return stream.send_reset(Reason::CANCEL),
                };
                if stream.send_data(piece.split_to(room.min(piece.len())), false).is_err() {
                    return;
                }
            }
        }
        // The peer may have gone away in the end.
        let _ = stream.send_data(Bytes::new(), true);
    }
}

/// How long a peer may take with a body that is sent while it is made.
#[derive(Clone)]
pub(super) struct Patience {
    /// Whether the server is about to end.
    pub(super) draining: watch::Receiver<bool>,
    /// How long it may take nothing.
    pub(super) stall: Duration,
}

/// Whoever has one answers a request in its own time.
pub(super) struct Hold {
    pub(super) _call: Arc<()>,
    pub(super) _presence: Presence,
}

/// Waits until a peer has had its time to take what was made before the server began to drain.
async fn cut_off(mut draining: watch::Receiver<bool>) {
    // An error: the server is gone altogether.
    let _ = draining.wait_for(|draining| *draining).await;
    tokio::time::sleep(LOOK * GOODBYE_LOOKS).await;
}

/// The calls of one connection. Dropped, its sender is gone: what still waits is given up.
#[derive(Default)]
pub(super) struct Calls {
    waiting: Vec<Call>,
    /// How many calls are kept until the next time.
    sort_out: usize,
    /// Shared with every task that answers a request, and with what waits for the journal.
    held: Arc<()>,
}

impl Calls {
    pub(super) fn add(&mut self, call: Call) {
        if self.waiting.len() >= self.sort_out.max(SORT_OUT) {
            self.waiting.retain(Call::is_open);
            self.sort_out = self.waiting.len() * 2;
        }
        self.waiting.push(call);
    }

    /// To be held by whoever else is to answer a request.
    pub(super) fn hold(&self) -> Arc<()> {
        Arc::clone(&self.held)
    }

    /// Gives up what its sender has given up.
    pub(super) fn look(&mut self) {
        self.waiting.iter().for_each(Call::give_up_if_reset);
        self.waiting.retain(Call::is_open);
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && Arc::strong_count(&self.held) == 1
    }
}

impl Drop for Calls {
    fn drop(&mut self) {
        self.waiting.iter().for_each(Call::give_up);
    }
}
