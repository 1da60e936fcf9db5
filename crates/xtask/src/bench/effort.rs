//! How much time figures get.

/// Times and sizes of all measurements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Effort {
    /// How often everything is measured in turns; the median counts.
    pub(super) rounds: u32,
    /// Seconds of each measurement.
    pub(super) seconds: u32,
    /// Seconds before them.
    pub(super) warmup: u32,
    /// How often memory is measured: it varies little and takes long.
    pub(super) memory_rounds: u32,
    /// Idle devices at the first and at the last reading of memory.
    pub(super) idle: (u32, u32),
    /// Devices where many are compared with few. A process here holds 20,000 descriptors.
    pub(super) many: u32,
    /// Sessions for which messages are queued, and which are resumed.
    pub(super) sessions: u32,
}

impl Effort {
    /// What is published.
    pub(super) const FULL: Self = Self {
        rounds: 5,
        seconds: 3,
        warmup: 1,
        memory_rounds: 3,
        idle: (5_000, 19_000),
        many: 19_000,
        sessions: 10_000,
    };
    /// A look.
    pub(super) const QUICK: Self = Self {
        rounds: 3,
        seconds: 2,
        warmup: 1,
        memory_rounds: 1,
        idle: (2_000, 6_000),
        many: 10_000,
        sessions: 2_000,
    };
}
