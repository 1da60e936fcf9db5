//! When what did not get through is posted again.

use std::time::Duration;

use aws_lc_rs::rand;

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(300);

/// How long to wait after so many attempts, one at least: twice as long each time, and half of it at
/// random, so that a receiver that comes back is not met by everything at once.
pub(super) fn after(attempts: u32) -> Duration {
    let doubled = FIRST.saturating_mul(1 << attempts.saturating_sub(1).min(16));
    let half = doubled.min(LONGEST) / 2;
    half + half.mul_f64(fraction())
}

/// From 0 to 1. Without randomness it is 1: what waits is late, not lost.
fn fraction() -> f64 {
    let mut bytes = [u8::MAX; 4];
    let _ = rand::fill(&mut bytes);
    f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_a_bound_and_is_never_less_than_half() {
        for (attempts, seconds) in [(1, 1), (2, 2), (5, 16), (9, 256), (10, 300), (100, 300)] {
            let longest = Duration::from_secs(seconds);
            for _ in 0..50 {
                let wait = after(attempts);
                assert!(wait >= longest / 2 && wait <= longest, "{attempts}: {wait:?}");
            }
        }
    }
}
