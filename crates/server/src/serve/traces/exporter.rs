//! Whoever tells spans to the collector, one batch at a time.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use client::SendError;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use telemetry::Telemetry;
use telemetry::event::{self, SpanDrop};

use super::closing::Closing;
use super::otlp::{self, Process};
use super::queue::Queue;
use crate::config;
use crate::serve::backoff;
use crate::serve::poster::Poster;

/// A collector that wants more patience than that does not get it.
const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// Characters of a collector's own words that are logged.
const SHOWN_CHARS: usize = 200;

/// Tells the collector what waits, and again what did not get through.
pub(super) struct Exporter {
    poster: Poster,
    process: Process,
    headers: HeaderMap,
    attempts: u32,
    queue: Arc<Queue>,
    telemetry: Arc<Telemetry>,
    /// It was said that spans do not get through.
    failing: bool,
    /// Spans that were dropped because the server ends.
    dropped_at_the_end: usize,
}

/// Spans that are told together.
struct Batch {
    spans: usize,
    body: Bytes,
}

/// What came of an attempt. Sentences are without a full stop.
enum Attempt {
    Taken,
    /// Some were not taken.
    TakenInPart {
        rejected: usize,
        sentence: String,
    },
    /// The same would not be taken another time.
    Refused(String),
    /// It may get through another time, maybe after the time that the collector asked for.
    Passing {
        sentence: String,
        after: Option<Duration>,
    },
}

impl Exporter {
    /// # Errors
    /// The endpoint cannot be used.
    pub(super) fn new(
        config: &config::Traces,
        queue: Arc<Queue>,
        telemetry: Arc<Telemetry>,
    ) -> Result<Self, SendError> {
        let mut headers = config.headers.clone();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(otlp::MEDIA_TYPE));
        Ok(Exporter {
            poster: Poster::new(&config.collector, config.timeout)?,
            process: Process::named(&config.service_name),
            headers,
            attempts: config.attempts,
            queue,
            telemetry,
            failing: false,
            dropped_at_the_end: 0,
        })
    }

    /// Goes on until the server ends and nothing waits, or its time is over.
    pub(super) async fn run(mut self, mut closing: Closing) {
        let queue = Arc::clone(&self.queue);
        loop {
            if !closing.has_begun() {
                closing.interrupt(queue.gathered()).await;
            }
            let spans = queue.next_batch();
            if !spans.is_empty() {
                let batch = Batch { spans: spans.len(), body: self.process.request(spans) };
                self.tell(&batch, &mut closing).await;
            } else if closing.has_begun() {
                break;
            }
        }
        queue.close();
        if self.dropped_at_the_end > 0 {
            let dropped = self.dropped_at_the_end;
            self.telemetry.record(&event::Traces::DroppedAtTheEnd { dropped });
        }
    }

    /// Tells one batch, as often as it may be tried; once when the server ends.
    async fn tell(&mut self, batch: &Batch, closing: &mut Closing) {
        let mut attempts = 0;
        loop {
            attempts += 1;
            let post = self.poster.post(&self.headers, &batch.body);
            let Some(answer) = closing.finish(post).await else {
                return self.drop_at_the_end(batch);
            };
            let (sentence, after) = match self.judge(answer, batch) {
                Attempt::Taken => return self.succeed(batch.spans),
                Attempt::TakenInPart { rejected, sentence } => {
                    self.telemetry.metrics().spans_exported(batch.spans - rejected);
                    return self.give_up(SpanDrop::Refused, rejected, &sentence);
                }
                Attempt::Refused(sentence) => {
                    return self.give_up(SpanDrop::Refused, batch.spans, &sentence);
                }
                Attempt::Passing { sentence, after } => (sentence, after),
            };
            if closing.has_begun() {
                self.fail(&sentence);
                return self.drop_at_the_end(batch);
            }
            if attempts >= self.attempts {
                return self.give_up(SpanDrop::GivenUp, batch.spans, &sentence);
            }
            self.fail(&sentence);
            closing.pause(after.unwrap_or_else(|| backoff::after(attempts))).await;
        }
    }

    /// As OTLP over HTTP has it: 429, 502, 503 and 504 may be tried again, other refusals not.
    fn judge(&self, answer: Result<Response<Bytes>, String>, batch: &Batch) -> Attempt {
        let answer = match answer {
            Ok(answer) => answer,
            Err(sentence) => return Attempt::Passing { sentence, after: None },
        };
        let status = answer.status();
        if status.is_success() {
            return match otlp::rejected(answer.into_body(), batch.spans) {
                None => Attempt::Taken,
                Some(rejected) => {
                    let message: String = rejected.message.chars().take(SHOWN_CHARS).collect();
                    let (spans, all) = (rejected.spans, batch.spans);
                    let sentence = format!("the collector refused {spans} of {all}: {message}");
                    Attempt::TakenInPart { rejected: spans, sentence }
                }
            };
        }
        let sentence = self.poster.answered(status);
        let may_pass = [
            StatusCode::TOO_MANY_REQUESTS,
            StatusCode::BAD_GATEWAY,
            StatusCode::SERVICE_UNAVAILABLE,
            StatusCode::GATEWAY_TIMEOUT,
        ];
        if !may_pass.contains(&status) {
            return Attempt::Refused(sentence);
        }
        let after = answer.headers().get(RETRY_AFTER);
        let after = after.and_then(|value| retry_after(value.to_str().ok()?, SystemTime::now()));
        Attempt::Passing { sentence, after }
    }

    fn succeed(&mut self, spans: usize) {
        self.telemetry.metrics().spans_exported(spans);
        if std::mem::take(&mut self.failing) {
            self.telemetry.record(&event::Traces::Recovered);
        }
    }

    fn fail(&mut self, sentence: &str) {
        if !std::mem::replace(&mut self.failing, true) {
            self.telemetry.record(&event::Traces::Failing { sentence });
        }
    }

    fn give_up(&mut self, why: SpanDrop, spans: usize, sentence: &str) {
        self.telemetry.metrics().spans_dropped(why, spans);
        self.fail(sentence);
    }

    fn drop_at_the_end(&mut self, batch: &Batch) {
        self.telemetry.metrics().spans_dropped(SpanDrop::Shutdown, batch.spans);
        self.dropped_at_the_end += batch.spans;
    }
}

/// How long a collector asks to be left alone, in seconds or as a date (RFC 9110, section 10.2.3), within
/// the bound; `None` if it is neither.
fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let asked = match value.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => httpdate::parse_http_date(value).ok()?.duration_since(now).unwrap_or_default(),
    };
    Some(asked.min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_read_in_seconds_or_as_a_date_and_bounded() {
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        for (value, seconds) in [
            ("0", Some(0)),
            ("7", Some(7)),
            ("86400", Some(300)),
            ("Sun, 06 Nov 1994 08:49:57 GMT", Some(20)),
            ("Sun, 06 Nov 1994 08:49:30 GMT", Some(0)),
            ("Mon, 07 Nov 1994 08:49:30 GMT", Some(300)),
            ("-1", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(retry_after(value, now), seconds.map(Duration::from_secs), "{value}");
        }
    }
}
