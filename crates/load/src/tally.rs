//! What came of the requests.

use std::collections::BTreeMap;
use std::time::Instant;

use crate::exchange::ExchangeError;
use crate::latency::{Latencies, Latency};
use crate::response::Response;
use crate::window::Window;

/// How many kinds of unexpected answers are told apart, and how long a reason may be.
const MAX_KINDS: usize = 64;
const MAX_REASON: usize = 64;

/// The answer that a run is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// 200.
    Delivered,
    /// 404 because the device is not connected; not because the path is unknown.
    NotConnected,
}

impl Expected {
    /// Its status.
    pub(crate) fn status(self) -> u16 {
        match self {
            Self::Delivered => 200,
            Self::NotConnected => 404,
        }
    }

    fn is(self, answer: &Response<'_>) -> bool {
        if answer.status != self.status() {
            return false;
        }
        match self {
            Self::Delivered => true,
            Self::NotConnected => {
                let marker = b"TARGET_CLIENT_ID_NOT_FOUND";
                answer.body.windows(marker.len()).any(|part| part == marker)
            }
        }
    }
}

/// Everything counted by one thread, or by all.
///
/// Latencies and the count for throughput have different windows on purpose: a request belongs to
/// the latencies if it was *due* in the measured time, whenever its answer came (so that slow ones
/// are not lost at the end); an answer belongs to the throughput if it *came* in the measured time.
pub(crate) struct Tally {
    expected: Expected,
    /// From the intended send time, of expected answers.
    latency: Latencies,
    /// Expected answers that came in the measured time.
    pub(crate) measured: u64,
    /// Expected answers of the whole run.
    pub(crate) accepted: u64,
    /// Unexpected answers of the whole run, by status and reason.
    pub(crate) unexpected: BTreeMap<(u16, String), u64>,
    /// Requests without an answer and failed attempts to connect again, by error.
    pub(crate) errors: BTreeMap<String, u64>,
    /// Requests without an answer.
    failed: u64,
    /// Requests sent.
    pub(crate) sent: u64,
}

impl Tally {
    /// Nothing yet.
    pub(crate) fn new(expected: Expected) -> Self {
        Self {
            expected,
            latency: Latencies::new(),
            measured: 0,
            accepted: 0,
            unexpected: BTreeMap::new(),
            errors: BTreeMap::new(),
            failed: 0,
            sent: 0,
        }
    }

    /// An answer came `now` to a request that was due at `intended`.
    pub(crate) fn answer(
        &mut self,
        answer: &Response<'_>,
        (intended, now): (Instant, Instant),
        window: &Window,
    ) {
        if !self.expected.is(answer) {
            return self.note_unexpected(answer);
        }
        self.accepted += 1;
        if window.measures(now) {
            self.measured += 1;
        }
        if window.measures(intended) {
            self.latency.record(now.saturating_duration_since(intended));
        }
    }

    /// A request got no answer, or a connection could not be opened again.
    pub(crate) fn error(&mut self, error: ExchangeError) {
        match error {
            ExchangeError::Connect(_) => {}
            ExchangeError::Send(_)
            | ExchangeError::Receive(_)
            | ExchangeError::Stream(_)
            | ExchangeError::Response(_)
            | ExchangeError::Unsigned => self.failed += 1,
        }
        *self.errors.entry(error.to_string()).or_default() += 1;
    }

    /// Adds what another thread counted.
    pub(crate) fn add(&mut self, other: Self) {
        self.latency.add(&other.latency);
        self.measured += other.measured;
        self.accepted += other.accepted;
        self.failed += other.failed;
        self.sent += other.sent;
        for (kind, count) in other.unexpected {
            *self.unexpected.entry(kind).or_default() += count;
        }
        for (error, count) in other.errors {
            *self.errors.entry(error).or_default() += count;
        }
    }

    /// Requests that were sent and neither answered nor failed when the run ended.
    pub(crate) fn unanswered(&self) -> u64 {
        let unexpected: u64 = self.unexpected.values().sum();
        self.sent.saturating_sub(self.accepted + unexpected + self.failed)
    }

    /// Percentiles of the latency; `None` if nothing was measured.
    pub(crate) fn latency(&self) -> Option<Latency> {
        self.latency.percentiles()
    }

    #[cold]
    fn note_unexpected(&mut self, answer: &Response<'_>) {
        let mut kind = (answer.status, reason(&answer.body));
        // The server chooses the text; a broken one must not fill the memory.
        if self.unexpected.len() >= MAX_KINDS && !self.unexpected.contains_key(&kind) {
            kind.1 = "(other)".to_owned();
        }
        *self.unexpected.entry(kind).or_default() += 1;
    }
}

/// The member `reason` of an error body.
fn reason(body: &[u8]) -> String {
    let body: Option<serde_json::Value> = serde_json::from_slice(body).ok();
    let reason = body.as_ref().and_then(|body| body.get("reason")?.as_str());
    reason.unwrap_or("(no reason)").chars().take(MAX_REASON).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::borrow::Cow;
    use std::time::Duration;

    const MICRO: Duration = Duration::from_micros(1);

    fn window() -> Window {
        let second = Duration::from_secs(1);
        Window::new(Instant::now(), second, second, second)
    }

    fn response(status: u16, body: &str) -> Response<'_> {
        Response { status, body: Cow::Borrowed(body.as_bytes()), keep_alive: true, len: 0 }
    }

    fn within(value: f64, expected: f64) -> bool {
        (value - expected).abs() <= expected / 500.0
    }

    #[test]
    fn percentiles_are_in_microseconds_from_the_intended_time() {
        let window = window();
        let mut tally = Tally::new(Expected::Delivered);
        for micros in 1..=1000 {
            let times = (window.measure_from, window.measure_from + MICRO * micros);
            tally.answer(&response(200, ""), times, &window);
        }
        let latency = tally.latency().unwrap();
        assert_eq!(latency.count, 1000);
        assert!(within(latency.p50, 500.0) && within(latency.max, 1000.0), "{latency:?}");
    }

    #[test]
    fn a_slow_answer_after_the_end_counts_for_latency_and_not_for_throughput() {
        let window = window();
        let mut tally = Tally::new(Expected::Delivered);
        let late = window.measure_to + MICRO;
        tally.answer(&response(200, ""), (window.measure_to - MICRO, late), &window);
        assert_eq!((tally.latency().unwrap().count, tally.measured), (1, 0));
        let early = window.measure_from - MICRO;
        tally.answer(&response(200, ""), (early, window.measure_from), &window);
        assert_eq!((tally.latency().unwrap().count, tally.measured), (1, 1));
        assert_eq!(tally.accepted, 2);
    }

    #[test]
    fn unexpected_answers_count_by_reason_even_during_the_warm_up() {
        let window = window();
        let mut tally = Tally::new(Expected::Delivered);
        let times = (window.start, window.start);
        tally.sent = 4;
        tally.answer(&response(429, r#"{"reason":"SLOW"}"#), times, &window);
        tally.answer(&response(429, r#"{"reason":"SLOW"}"#), times, &window);
        tally.answer(&response(500, "<html>"), times, &window);
        assert_eq!(tally.unexpected[&(429, "SLOW".to_owned())], 2);
        assert_eq!(tally.unexpected[&(500, "(no reason)".to_owned())], 1);
        assert_eq!(tally.unanswered(), 1);
        assert!(tally.latency().is_none());
    }

    #[test]
    fn reasons_without_end_are_counted_together() {
        let window = window();
        let mut tally = Tally::new(Expected::Delivered);
        for number in 0..1000 {
            let body = format!(r#"{{"reason":"{number}{}"}}"#, "x".repeat(100));
            tally.answer(&response(500, &body), (window.start, window.start), &window);
        }
        assert_eq!(tally.unexpected.len(), MAX_KINDS + 1);
        assert!(tally.unexpected.keys().all(|(_, reason)| reason.len() <= MAX_REASON));
        assert_eq!(tally.unexpected.values().sum::<u64>(), 1000);
    }

    #[test]
    fn offline_devices_are_told_from_unknown_paths() {
        let window = window();
        let mut tally = Tally::new(Expected::NotConnected);
        let times = (window.measure_from, window.measure_from + MICRO);
        let offline = r#"{"reason":"TARGET_CLIENT_ID_NOT_FOUND"}"#;
        tally.answer(&response(404, offline), times, &window);
        tally.answer(&response(404, r#"{"reason":"UNKNOWN_OPERATION"}"#), times, &window);
        tally.answer(&response(200, ""), times, &window);
        assert_eq!((tally.accepted, tally.unexpected.len()), (1, 2));
    }

    #[test]
    fn threads_add_up() {
        let window = window();
        let mut all = Tally::new(Expected::Delivered);
        for micros in [10, 30] {
            let mut one = Tally::new(Expected::Delivered);
            let times = (window.measure_from, window.measure_from + MICRO * micros);
            one.answer(&response(200, ""), times, &window);
            one.error(ExchangeError::Unsigned);
            all.add(one);
        }
        let latency = all.latency().unwrap();
        assert_eq!((latency.count, all.measured, all.errors.len()), (2, 2, 1));
        assert!(within(latency.max, 30.0) && within(latency.p50, 10.0));
    }
}
