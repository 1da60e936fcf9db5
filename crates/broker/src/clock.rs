//! The node's clock.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use engine::Moment;

/// Gives the engine its [`Moment`]s.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    started: Instant,
    started_at: i64,
}

impl Clock {
    /// Starts now.
    pub fn start() -> Self {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        let started_at = i64::try_from(since_1970.as_secs()).unwrap_or(i64::MAX);
        Clock { started: Instant::now(), started_at }
    }

    /// The present moment.
    pub fn now(&self) -> Moment {
        Moment::START.after(self.started.elapsed())
    }

    /// The wall clock at [`Moment::START`], in seconds since 1970.
    pub fn started_at(&self) -> i64 {
        self.started_at
    }

    /// The runtime's instant of a moment, to sleep until.
    pub fn instant(&self, moment: Moment) -> Instant {
        self.started + moment.since(Moment::START)
    }
}
