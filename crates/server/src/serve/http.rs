//! HTTP/1.1 as the library has it: for requests of an unusual form.

use std::convert::Infallible;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use api::{Answer, AnswerBody, Caller};
use bytes::Bytes;
use hyper::Request;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};

use super::listen::Doors;
use super::occupancy::Presence;
use super::upgrade;

/// How often an idle connection is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// How many looks a peer has, once the server drains, to take the rest of an answer that would have
/// gone on until then.
const GOODBYE_LOOKS: u32 = 2;

/// What happens on one connection, to know when it is idle.
struct Activity {
    began: Instant,
    in_flight: AtomicUsize,
    /// Milliseconds after the beginning at which the last request ended.
    last: AtomicU64,
    requests: AtomicUsize,
    /// An answer goes on until the server drains.
    endless: AtomicBool,
}

/// What a connection holds on to.
#[derive(Clone)]
pub(super) struct Held {
    pub(super) doors: Doors,
    pub(super) presence: Presence,
}

/// Serves the connection until it ends, is idle for too long or the server drains.
pub(super) async fn serve<S>(stream: S, caller: Arc<Caller>, held: Held)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let doors = held.doors.clone();
    let activity = Arc::new(Activity {
        began: Instant::now(),
        in_flight: AtomicUsize::new(0),
        last: AtomicU64::new(0),
        requests: AtomicUsize::new(0),
        endless: AtomicBool::new(false),
    });
    let service = service_fn(|request: Request<Incoming>| {
        let (held, caller) = (held.clone(), Arc::clone(&caller));
        let working = Working::new(&activity);
        async move {
            let answer = answer(request, held, &caller).await;
            working.0.endless.store(answer.body().is_endless(), Ordering::Relaxed);
            Ok::<_, Infallible>(answer.map(|body| Written { body, _working: working }))
        }
    });
    let builder = builder(&doors);
    let connection = builder.serve_connection(TokioIo::new(stream), service).with_upgrades();
    let mut connection = pin!(connection);
    let mut draining = doors.draining.clone();
    let mut told = false;
    let mut goodbye = 0;
    loop {
        tokio::select! {
            // An error is the peer's: it went away, or sent what is no HTTP.
            _ = connection.as_mut() => return,
            _ = draining.wait_for(|draining| *draining), if !told => {
                told = true;
                connection.as_mut().graceful_shutdown();
            }
            () = tokio::time::sleep(LOOK) => {
                goodbye += u32::from(told);
                let cut_off =
                    goodbye > GOODBYE_LOOKS && activity.endless.load(Ordering::Relaxed);
                if cut_off || activity.is_over(&doors) {
                    return;
                }
            }
        }
    }
}

async fn answer(request: Request<Incoming>, held: Held, caller: &Caller) -> Answer {
    if upgrade::is_asked_for(&request) {
        upgrade::answer(request, held, caller)
    } else {
        held.doors.api.handle(request, caller).await.into_answer()
    }
}

fn builder(doors: &Doors) -> Builder {
    let bounds = doors.api.node().bounds();
    let mut builder = Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.http_head)
        .max_buf_size(bounds.http_head_bytes);
    builder
}

impl Activity {
    /// Whether the connection has had no request for too long.
    fn is_over(&self, doors: &Doors) -> bool {
        let bounds = doors.api.node().bounds();
        let patience = match self.requests.load(Ordering::Relaxed) {
            0 => bounds.http_head,
            _ => bounds.http_idle,
        };
        let last = Duration::from_millis(self.last.load(Ordering::Relaxed));
        self.in_flight.load(Ordering::Relaxed) == 0
            && self.began.elapsed().saturating_sub(last) > patience
    }
}

/// One request in flight.
struct Working(Arc<Activity>);

impl Working {
    fn new(activity: &Arc<Activity>) -> Self {
        activity.in_flight.fetch_add(1, Ordering::Relaxed);
        activity.requests.fetch_add(1, Ordering::Relaxed);
        Working(Arc::clone(activity))
    }
}

/// The body of an answer. The request is in flight until the last of it is taken.
struct Written {
    body: AnswerBody,
    _working: Working,
}

impl Body for Written {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        let elapsed = u64::try_from(self.0.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.0.last.store(elapsed, Ordering::Relaxed);
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}
