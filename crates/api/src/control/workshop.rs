//! Where key pairs are made: a 2048-bit RSA key takes a core up to half a second, which no thread that
//! serves connections has to spare.

use std::sync::Arc;
use std::thread;

use parking_lot::{Condvar, Mutex};

/// Work that waits for a thread at most; more is turned away.
const WAITING: usize = 64;

/// How long a thread waits for more work before it ends.
const IDLE: std::time::Duration = std::time::Duration::from_secs(10);

/// Something to be made.
type Work = Box<dyn FnOnce() + Send>;

/// Threads that make key pairs: half as many as there are cores, and none while nothing is made.
pub(crate) struct Workshop {
    state: Mutex<State>,
    arrived: Condvar,
    threads: usize,
}

#[derive(Default)]
struct State {
    waiting: std::collections::VecDeque<Work>,
    running: usize,
    idle: usize,
}

/// As much waits as may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

impl Workshop {
    pub(crate) fn new() -> Arc<Self> {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let threads = (cores / 2).max(1);
        Arc::new(Workshop { state: Mutex::default(), arrived: Condvar::new(), threads })
    }

    /// Has `work` done on another thread.
    ///
    /// # Errors
    /// [`Full`], also if the operating system has no thread to spare; `work` is dropped.
    pub(crate) fn take_on(
        self: &Arc<Self>,
        work: impl FnOnce() + Send + 'static,
    ) -> Result<(), Full> {
        let mut state = self.state.lock();
        if state.waiting.len() >= WAITING {
            return Err(Full);
        }
        if state.idle <= state.waiting.len() && state.running < self.threads {
            let shop = Arc::clone(self);
            let spawned = thread::Builder::new().name("key-pairs".to_owned());
            match spawned.spawn(move || shop.run()) {
                Ok(_) => state.running += 1,
                Err(_) if state.running == 0 => return Err(Full),
                // Those who run come to it.
                Err(_) => {}
            }
        }
        state.waiting.push_back(Box::new(work));
        drop(state);
        self.arrived.notify_one();
        Ok(())
    }

    fn run(&self) {
        let mut state = self.state.lock();
        loop {
            if let Some(work) = state.waiting.pop_front() {
                drop(state);
                // A request whose work panics is answered by whoever waits for it.
                let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
                state = self.state.lock();
                continue;
            }
            state.idle += 1;
            let timed_out = self.arrived.wait_for(&mut state, IDLE).timed_out();
            state.idle -= 1;
            if timed_out && state.waiting.is_empty() {
                state.running -= 1;
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_is_taken_on_is_done_and_no_more_is_taken_on_than_may_wait() {
        let shop = Workshop::new();
        let (open, gate) = channel::<()>();
        let gate = Arc::new(Mutex::new(gate));
        let (done, results) = channel();
        let mut taken = 0;
        let most = WAITING + shop.threads;
        while taken <= most {
            let (gate, done) = (Arc::clone(&gate), done.clone());
            let work = move || {
                // Until the test lets it go on.
                let _ = gate.lock().recv();
                let _ = done.send(());
            };
            if shop.take_on(work).is_err() {
                break;
            }
            taken += 1;
        }
        assert!((WAITING..=most).contains(&taken), "{taken}");
        drop(open);
        for _ in 0..taken {
            results.recv_timeout(Duration::from_secs(30)).expect("done in time");
        }
        assert_eq!(shop.take_on(|| panic!("in a test")), Ok(()));
        assert_eq!(shop.take_on(move || done.send(()).expect("a receiver")), Ok(()));
        results.recv_timeout(Duration::from_secs(30)).expect("a panic ends its work alone");
    }
}
