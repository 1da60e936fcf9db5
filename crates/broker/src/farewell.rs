//! The last bytes of a connection that is over for everybody else.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::io::AsyncWrite;

use crate::Transport;
use crate::node::Node;

/// How long the last bytes of a connection may take.
pub const FAREWELL: Duration = Duration::from_secs(5);

/// How often a client that does not take its last bytes is tried again.
const AGAIN: Duration = Duration::from_millis(20);

/// A connection on its way out.
struct Farewell {
    io: Box<dyn Transport>,
    bytes: Vec<u8>,
    written: usize,
}

impl Node {
    /// Writes the last bytes and closes the connection: at once as a rule, in a task of its own for
    /// at most [`FAREWELL`] if the client is slow to take them.
    pub(crate) fn part(self: &Arc<Self>, io: Box<dyn Transport>, bytes: Vec<u8>) {
        let mut farewell = Farewell { io, bytes, written: 0 };
        match farewell.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(_) => self.telemetry.metrics().mqtt_sent(farewell.written),
            Poll::Pending => {
                self.farewells.fetch_add(1, Ordering::Relaxed);
                // Whoever ends a connection may be no thread of the runtime.
                self.runtime.spawn(finish(Arc::clone(self), farewell));
            }
        }
    }
}

async fn finish(node: Arc<Node>, mut farewell: Farewell) {
    let trying = async {
        // Some transports wake nobody once their connection is over, so it is tried now and then.
        while std::future::poll_fn(|cx| Poll::Ready(farewell.poll(cx).is_pending())).await {
            tokio::time::sleep(AGAIN).await;
        }
    };
    // The connection is over whether or not the client took its last bytes.
    let _ = tokio::time::timeout(FAREWELL, trying).await;
    node.telemetry.metrics().mqtt_sent(farewell.written);
    node.farewells.fetch_sub(1, Ordering::Relaxed);
}

impl Farewell {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.written < self.bytes.len() {
            match Pin::new(&mut self.io).poll_write(cx, &self.bytes[self.written..]) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(written)) => self.written += written,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
        }
        match Pin::new(&mut self.io).poll_flush(cx) {
            Poll::Ready(Ok(())) => self.io.poll_close(cx),
            polled @ (Poll::Ready(Err(_)) | Poll::Pending) => polled,
        }
    }
}
