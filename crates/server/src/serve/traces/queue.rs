//! The spans that wait for the exporter.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use telemetry::Telemetry;
use telemetry::event::{self, SpanDrop};
use telemetry::trace::{Span, SpanSink};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// So many spans are told at once without waiting for more.
const ENOUGH: usize = 512;
/// How many are told at once at most, unless one call has more.
const MOST_AT_ONCE: usize = 2_048;
/// How long spans wait for others to come with.
const PATIENCE: Duration = Duration::from_secs(1);

/// Takes spans in, and never waits.
pub(super) struct Queue {
    most: usize,
    waiting: Mutex<Waiting>,
    /// The first span came, or enough of them.
    news: Notify,
    telemetry: Arc<Telemetry>,
}

#[derive(Default)]
struct Waiting {
    /// Those of each call, oldest first.
    calls: VecDeque<Vec<Span>>,
    spans: usize,
    /// It was said that there is no room.
    full: bool,
    closed: bool,
}

impl Queue {
    /// At most so many spans wait.
    pub(super) fn new(most: usize, telemetry: Arc<Telemetry>) -> Self {
        Queue { most, waiting: Mutex::default(), news: Notify::new(), telemetry }
    }

    /// Waits until there are spans to be told: enough of them, or some that have waited for others.
    pub(super) async fn gathered(&self) {
        while self.waiting.lock().spans == 0 {
            self.news.notified().await;
        }
        let until = Instant::now() + PATIENCE;
        while self.waiting.lock().spans < ENOUGH {
            tokio::select! {
                () = self.news.notified() => {}
                () = sleep_until(until) => return,
            }
        }
    }

    /// The oldest spans, as many as are told at once; empty if there are none.
    pub(super) fn next_batch(&self) -> Vec<Span> {
        let mut waiting = self.waiting.lock();
        let mut batch = Vec::new();
        while let Some(call) = waiting.calls.front()
            && (batch.is_empty() || batch.len() + call.len() <= MOST_AT_ONCE)
        {
            batch.extend(waiting.calls.pop_front().unwrap_or_default());
        }
        waiting.spans -= batch.len();
        batch
    }

    /// Takes nothing in any more.
    pub(super) fn close(&self) {
        self.waiting.lock().closed = true;
    }
}

impl SpanSink for Queue {
    fn take(&self, spans: Vec<Span>) {
        let mut waiting = self.waiting.lock();
        let (before, after) = (waiting.spans, waiting.spans + spans.len());
        if waiting.closed || after > self.most {
            let why = if waiting.closed { SpanDrop::Shutdown } else { SpanDrop::QueueFull };
            let is_news = !waiting.closed && !std::mem::replace(&mut waiting.full, true);
            drop(waiting);
            self.telemetry.metrics().spans_dropped(why, spans.len());
            if is_news {
                self.telemetry.record(&event::Traces::QueueFull { most: self.most });
            }
            return;
        }
        waiting.full &= before > self.most / 2;
        waiting.spans = after;
        waiting.calls.push_back(spans);
        drop(waiting);
        if before == 0 || (before < ENOUGH && after >= ENOUGH) {
            self.news.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use telemetry::TraceId;
    use telemetry::trace::{SpanKind, SpanNumber, TraceNumber};
    use telemetry::{Level, LogSettings, LogTarget};

    use super::*;

    fn queue(most: usize) -> (Queue, Arc<Telemetry>) {
        let telemetry = Telemetry::start(LogSettings {
            target: LogTarget::Discard,
            level: Level::Info,
            buffer_bytes: 1 << 16,
            account: "123456789012".to_owned(),
            ring: None,
        });
        let telemetry = Arc::new(telemetry.unwrap());
        (Queue::new(most, Arc::clone(&telemetry)), telemetry)
    }

    /// So many spans of one call that began at that time.
    fn call(number: u64, spans: usize) -> Vec<Span> {
        let span = Span {
            trace: TraceNumber::of(TraceId::from_bytes([7; 16])),
            number: SpanNumber::random(),
            parent: None,
            name: "authorise",
            kind: SpanKind::Internal,
            start_nanos: number,
            end_nanos: number,
            attributes: Vec::new(),
            failure: None,
        };
        vec![span; spans]
    }

    fn batch(queue: &Queue) -> Vec<u64> {
        queue.next_batch().iter().map(|span| span.start_nanos).collect()
    }

    #[test]
    fn beyond_its_bound_the_newest_call_is_dropped_whole_and_counted() {
        let (queue, telemetry) = queue(5);
        (0..3).for_each(|number| queue.take(call(number, 2)));
        queue.take(call(3, 1));
        assert_eq!(batch(&queue), [0, 0, 1, 1, 3]);
        queue.take(call(4, 2));
        assert_eq!((batch(&queue), batch(&queue)), (vec![4, 4], vec![]));
        queue.close();
        queue.take(call(5, 3));
        assert!(batch(&queue).is_empty());
        let mut page = String::new();
        telemetry.metrics().render(&[], &mut page);
        for counted in ["queue_full\"} 2", "shutdown\"} 3"] {
            let counted = format!("tenfour_trace_spans_dropped_total{{reason=\"{counted}");
            assert!(page.contains(&counted), "{page}");
        }
    }

    #[test]
    fn a_batch_ends_between_calls() {
        let (queue, _telemetry) = queue(usize::MAX);
        queue.take(call(0, MOST_AT_ONCE + 1));
        queue.take(call(1, MOST_AT_ONCE - 1));
        queue.take(call(2, 1));
        queue.take(call(3, 1));
        let sizes = std::array::from_fn(|_| queue.next_batch().len());
        assert_eq!(sizes, [MOST_AT_ONCE + 1, MOST_AT_ONCE, 1, 0]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_few_spans_wait_for_others_and_many_do_not() {
        let (queue, _telemetry) = queue(usize::MAX);
        let started = Instant::now();
        queue.take(call(0, 1));
        queue.gathered().await;
        assert_eq!(started.elapsed(), PATIENCE);
        queue.take(call(0, ENOUGH));
        queue.gathered().await;
        assert_eq!(started.elapsed(), PATIENCE);
    }
}
