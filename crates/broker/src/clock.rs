//! The node's clock.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use engine::{Moment, Wall};

/// Gives the engine its [`Moment`]s.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    started: Instant,
    wall: Wall,
}

impl Clock {
    /// Starts now.
    pub fn start() -> Self {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        let millis = u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX);
        Clock { started: Instant::now(), wall: Wall::new(millis) }
    }

    /// The present moment.
    pub fn now(&self) -> Moment {
        Moment::START.after(self.started.elapsed())
    }

    /// The wall clock at [`Moment::START`], in seconds since 1970.
    pub fn started_at(&self) -> i64 {
        i64::try_from(self.wall.millis(Moment::START) / 1_000).unwrap_or(i64::MAX)
    }

    /// What the wall clock says now of a moment, in nanoseconds since 1970: unlike [`Clock::wall`] it
    /// follows a clock that was set meanwhile, as those of others do.
    pub fn unix_nanos(&self, moment: Moment) -> u64 {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        let ago = self.now().since(moment);
        u64::try_from(since_1970.saturating_sub(ago).as_nanos()).unwrap_or(u64::MAX)
    }

    /// What turns moments into times of the wall clock.
    pub fn wall(&self) -> Wall {
        self.wall
    }

    /// The runtime's instant of a moment, to sleep until.
    pub fn instant(&self, moment: Moment) -> Instant {
        self.started + moment.since(Moment::START)
    }
}
