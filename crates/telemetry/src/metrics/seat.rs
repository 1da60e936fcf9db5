//! Where a thread counts.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

/// Threads that can have a seat of their own at the same time.
pub(super) const SEATS: usize = u64::BITS as usize;

/// The seats that are taken, one bit each.
static TAKEN: AtomicU64 = AtomicU64::new(0);

/// A number below [`SEATS`] that one thread has, and no other as long as that one lives.
///
/// What its owner stores, the next owner loads: a seat is given back with release and taken with
/// acquire.
struct Seat(usize);

impl Seat {
    /// The lowest that is free.
    fn take() -> Option<Self> {
        let mut taken = TAKEN.load(Ordering::Relaxed);
        loop {
            let free = taken.trailing_ones();
            let bit = 1_u64.checked_shl(free)?;
            let (with_it, acquire) = (taken | bit, Ordering::Acquire);
            match TAKEN.compare_exchange_weak(taken, with_it, acquire, Ordering::Relaxed) {
                Ok(_) => return Some(Seat(free as usize)),
                Err(now) => taken = now,
            }
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        NUMBER.set(STANDING);
        TAKEN.fetch_and(!(1 << self.0), Ordering::Release);
    }
}

/// The number of a thread that was not asked yet.
const UNKNOWN: usize = usize::MAX;

/// The number of a thread without a seat: there are too many threads, or it is about to end.
const STANDING: usize = usize::MAX - 1;

thread_local! {
    /// Apart from the seat itself because what has no destructor is had with less ado.
    static NUMBER: Cell<usize> = const { Cell::new(UNKNOWN) };
    static SEAT: Option<Seat> = Seat::take();
}

/// The number of this thread's seat; at least [`SEATS`] if it has none.
#[inline]
pub(super) fn number() -> usize {
    match NUMBER.get() {
        UNKNOWN => sit_down(),
        known => known,
    }
}

#[cold]
fn sit_down() -> usize {
    let seat = SEAT.try_with(|seat| seat.as_ref().map(|seat| seat.0));
    let number = seat.ok().flatten().unwrap_or(STANDING);
    NUMBER.set(number);
    number
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::Barrier;
    use std::thread;

    use super::*;

    #[test]
    fn no_two_threads_have_the_same_seat_at_the_same_time() {
        const THREADS: usize = 2 * SEATS;
        for _ in 0..3 {
            let all_sit = Barrier::new(THREADS);
            let numbers: Vec<usize> = thread::scope(|scope| {
                let threads: Vec<_> = (0..THREADS)
                    .map(|_| {
                        scope.spawn(|| {
                            let number = number();
                            all_sit.wait();
                            assert_eq!(super::number(), number);
                            number
                        })
                    })
                    .collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            let sitting = numbers.iter().filter(|number| **number < SEATS);
            let different: HashSet<_> = sitting.clone().collect();
            assert_eq!(different.len(), sitting.count());
            assert!(different.len() > SEATS / 2, "seats are given back");
        }
    }
}
