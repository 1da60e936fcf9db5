//! Which of the traces that begin here are recorded.

use super::TraceNumber;

/// How many values the random part of a trace ID has.
const VALUES: u64 = 1 << 56;

/// Records a share of the traces, by the random part of their IDs as OpenTelemetry's consistent
/// probability sampling has it: who samples by the same rule and a greater share records them as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sampler {
    /// The least random part that is recorded.
    threshold: u64,
}

impl Sampler {
    /// Records that share of the traces, from 0 for none to 1 for all; what lies beyond counts as these.
    pub fn of_ratio(ratio: f64) -> Self {
        // A product with a power of two is exact; NaN becomes 0.
        let recorded = (ratio.clamp(0.0, 1.0) * VALUES as f64) as u64;
        Sampler { threshold: VALUES - recorded.min(VALUES) }
    }

    /// Whether that trace is recorded.
    pub fn samples(&self, trace: &TraceNumber) -> bool {
        trace.randomness() >= self.threshold
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TraceId;

    fn share(ratio: f64) -> usize {
        let sampler = Sampler::of_ratio(ratio);
        let traces = (0..2_000).map(|_| TraceNumber::of(TraceId::random()));
        traces.filter(|trace| sampler.samples(trace)).count()
    }

    #[test]
    fn all_none_and_a_share() {
        assert_eq!((share(1.0), share(0.0)), (2_000, 0));
        assert_eq!((share(7.0), share(-1.0), share(f64::NAN)), (2_000, 0, 0));
        // Sixteen standard deviations either way.
        let half = share(0.5);
        assert!((640..=1_360).contains(&half), "{half}");
    }

    #[test]
    fn only_the_last_56_bits_decide() {
        let sampler = Sampler::of_ratio(0.25);
        let with = |byte: u8| {
            let mut bytes = [0xFF; 16];
            bytes[9] = byte;
            sampler.samples(&TraceNumber::of(TraceId::from_bytes(bytes)))
        };
        assert!(with(0xC0) && !with(0xBF));
    }
}
