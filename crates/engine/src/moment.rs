//! Time as the engine sees it.

use std::time::Duration;

/// A point in time: microseconds since the node started, on a clock that never goes back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(u64);

impl Moment {
    /// The start of the node.
    pub const START: Moment = Moment(0);

    /// The moment that many microseconds after the start.
    pub const fn from_micros(micros: u64) -> Self {
        Moment(micros)
    }

    /// Microseconds since the start.
    pub const fn micros(self) -> u64 {
        self.0
    }

    /// This moment and `duration` more; stops at the end of time rather than wrap.
    pub fn after(self, duration: Duration) -> Self {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        Moment(self.0.saturating_add(micros))
    }

    /// This moment and `duration` less; none before the start of the node.
    pub fn before(self, duration: Duration) -> Option<Self> {
        let micros = u64::try_from(duration.as_micros()).ok()?;
        self.0.checked_sub(micros).map(Moment)
    }

    /// How long ago `earlier` was; zero when it lies ahead.
    pub fn since(self, earlier: Moment) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

/// What the wall clock said at [`Moment::START`]: turns moments into times that mean something
/// beyond this process, and back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wall {
    start_millis: u64,
}

impl Wall {
    /// The node started that many milliseconds after 1970 began.
    pub const fn new(start_millis: u64) -> Self {
        Wall { start_millis }
    }

    /// The wall clock at `moment`, in milliseconds since 1970.
    pub const fn millis(self, moment: Moment) -> u64 {
        self.start_millis.saturating_add(moment.0 / 1_000)
    }

    /// The moment of a time in milliseconds since 1970; the start of the node for one before it.
    pub const fn moment(self, millis: u64) -> Moment {
        Moment(millis.saturating_sub(self.start_millis).saturating_mul(1_000))
    }
}
