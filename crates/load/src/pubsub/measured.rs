//! What a run counts and measures.

use std::time::{Duration, Instant};

use super::flight::Landing;
use crate::arrivals::Arrivals;
use crate::latency::Latencies;
use crate::process::Process;
use crate::window::Window;

/// What is counted all the time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counted {
    /// Messages sent.
    pub(crate) published: u64,
    /// What came of them.
    pub(crate) arrivals: Arrivals,
    /// Acknowledgements of any kind that do not follow from what was sent, or refuse it.
    pub(crate) unexpected_acks: u64,
    /// Acknowledgements of any kind that never came.
    pub(crate) missing_acks: u64,
}

/// How long messages took that were due in the measured time, from when they were due.
pub(crate) struct Timings {
    /// To each subscriber.
    pub(crate) each: Latencies,
    /// To the last of several subscribers.
    pub(crate) last: Latencies,
}

impl Timings {
    /// None yet.
    pub(crate) fn new() -> Self {
        Self { each: Latencies::new(), last: Latencies::new() }
    }

    /// A message has arrived at one of `fan` subscribers.
    pub(crate) fn record(&mut self, landing: Landing, now: Instant, (fan, window): (u32, &Window)) {
        if !window.measures(landing.due) {
            return;
        }
        let latency = now.saturating_duration_since(landing.due);
        self.each.record(latency);
        if landing.everywhere && fan > 1 {
            self.last.record(latency);
        }
    }
}

/// Everything at one moment.
pub(crate) struct Snapshot {
    at: Instant,
    counted: Counted,
    server_cpu: Option<Duration>,
    own_cpu: Option<Duration>,
}

impl Snapshot {
    /// Now.
    pub(crate) fn now(counted: Counted, server: Option<Process>) -> Self {
        Self {
            at: Instant::now(),
            counted,
            server_cpu: server.and_then(Process::cpu_time),
            own_cpu: Process::Own.cpu_time(),
        }
    }
}

/// What a run has found out.
pub(crate) struct Measured {
    /// All that was counted, warm-up and end included.
    pub(crate) counted: Counted,
    /// Messages sent in the measured time.
    pub(crate) published: u64,
    /// Messages received in the measured time.
    pub(crate) delivered: u64,
    /// The measured time.
    pub(crate) time: Duration,
    /// CPU time of the server in it, if its process is known and readable.
    pub(crate) server_cpu: Option<Duration>,
    /// CPU time of the generator in it.
    pub(crate) own_cpu: Option<Duration>,
    /// How long messages took.
    pub(crate) timings: Timings,
    /// Messages of an open loop that were due and not sent when it ended.
    pub(crate) unsent: u64,
}

impl Measured {
    /// From the beginning and the end of the measured time, with `counted` at the very end.
    pub(crate) fn new(
        (from, to): (&Snapshot, &Snapshot),
        counted: Counted,
        (timings, unsent): (Timings, u64),
    ) -> Self {
        let spent = |from: Option<Duration>, to: Option<Duration>| to?.checked_sub(from?);
        Self {
            counted,
            published: to.counted.published - from.counted.published,
            delivered: to.counted.arrivals.delivered - from.counted.arrivals.delivered,
            time: to.at - from.at,
            server_cpu: spent(from.server_cpu, to.server_cpu),
            own_cpu: spent(from.own_cpu, to.own_cpu),
            timings,
            unsent,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_messages_that_were_due_in_the_measured_time_are_timed() {
        let second = Duration::from_secs(1);
        let window = Window::new(Instant::now(), second, second, second);
        let mut timings = Timings::new();
        for (due, everywhere) in
            [(window.start, true), (window.measure_from, false), (window.measure_from, true)]
        {
            timings.record(Landing { due, everywhere }, due + second, (2, &window));
        }
        let counts = [&timings.each, &timings.last].map(|latencies| latencies.percentiles());
        assert_eq!(counts.map(|latency| latency.unwrap().count), [2, 1]);
        timings.record(
            Landing { due: window.measure_from, everywhere: true },
            window.measure_to,
            (1, &window),
        );
        assert_eq!(timings.last.percentiles().unwrap().count, 1);
    }
}
