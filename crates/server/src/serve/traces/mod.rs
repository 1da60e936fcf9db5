//! Spans told to a collector by OTLP over HTTP: in batches, tried again, and bounded, so that a collector
//! that is slow or dead disturbs nobody.

mod closing;
mod exporter;
mod otlp;
mod queue;

use std::sync::Arc;

use telemetry::Telemetry;
use telemetry::trace::SpanSink;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use self::closing::Closing;
use self::exporter::Exporter;
use self::queue::Queue;
use crate::config;

/// An exporter that tells what it is given.
pub(super) struct Traces {
    queue: Arc<Queue>,
    /// Until when what waits may be tried at the end.
    ends: oneshot::Sender<Instant>,
    exporter: JoinHandle<()>,
}

impl Traces {
    /// Starts on the present runtime; at most `most` spans wait.
    ///
    /// # Errors
    /// The endpoint cannot be used.
    pub(super) fn start(
        config: &config::Traces,
        most: usize,
        telemetry: Arc<Telemetry>,
    ) -> Result<Self, client::SendError> {
        let queue = Arc::new(Queue::new(most, Arc::clone(&telemetry)));
        let (ends, end) = oneshot::channel();
        let exporter = Exporter::new(config, Arc::clone(&queue), telemetry)?.run(Closing::new(end));
        Ok(Traces { queue, ends, exporter: tokio::spawn(exporter) })
    }

    /// Who is to be given spans.
    pub(super) fn sink(&self) -> Arc<dyn SpanSink> {
        Arc::clone(&self.queue) as _
    }

    /// Tells what waits, each span tried once and until `deadline` at most; the rest is dropped.
    pub(super) async fn finish(self, deadline: Instant) {
        // An error of either: the exporter is gone.
        let _ = self.ends.send(deadline);
        let _ = self.exporter.await;
    }
}
