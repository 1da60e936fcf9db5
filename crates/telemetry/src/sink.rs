//! The log on its way out: a bounded buffer, and the thread that empties it.

mod target;
mod writer;

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use crate::Metrics;
use crate::ring::LogRing;

pub use target::{LogError, LogTarget};

/// The producers' end of the log.
pub(crate) struct Sink {
    shared: Arc<Shared>,
}

/// What producers and the writer thread share.
struct Shared {
    state: Mutex<State>,
    /// Wakes the writer when it is parked or must hurry.
    work: Condvar,
    /// Wakes whoever waits in [`Sink::flush`].
    written: Condvar,
    buffer_bytes: usize,
    metrics: Arc<Metrics>,
}

#[derive(Default)]
struct State {
    /// Whole entries, in order, that the writer has not yet taken.
    pending: Vec<u8>,
    /// Bytes ever accepted into `pending`.
    accepted: u64,
    /// Bytes of these that were written. The difference is what the bound limits: it includes the
    /// batch the writer is busy with.
    done: u64,
    /// Whether the writer sleeps until it is woken; else it looks by itself within 2 ms.
    parked: bool,
    /// Somebody waits for everything to be written.
    hurry: bool,
    reopen: bool,
    stop: bool,
}

impl Sink {
    /// Opens `target` and starts its writer, which keeps in `ring` what it writes; nothing for a
    /// target that discards everything.
    pub(crate) fn start(
        target: LogTarget,
        ring: Option<Arc<LogRing>>,
        buffer_bytes: usize,
        metrics: Arc<Metrics>,
    ) -> Result<Option<Self>, LogError> {
        let Some(output) = target.open()? else { return Ok(None) };
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            work: Condvar::new(),
            written: Condvar::new(),
            buffer_bytes,
            metrics,
        });
        let writer = writer::Writer::new(Arc::clone(&shared), output, ring);
        thread::Builder::new()
            .name("log".into())
            .spawn(move || writer.run())
            .map_err(LogError::Thread)?;
        Ok(Some(Sink { shared }))
    }

    /// Takes one whole line in, or drops and counts it when the buffer is full.
    pub(crate) fn append(&self, line: &[u8]) {
        let mut state = self.shared.state.lock();
        let waiting = state.accepted - state.done;
        if waiting + line.len() as u64 > self.shared.buffer_bytes as u64 {
            drop(state);
            self.shared.metrics.log_entry_dropped();
            return;
        }
        state.pending.extend_from_slice(line);
        state.accepted += line.len() as u64;
        let wake = std::mem::take(&mut state.parked);
        drop(state);
        if wake {
            self.shared.work.notify_one();
        }
    }

    /// Waits until what was accepted so far is written; says whether it is.
    pub(crate) fn flush(&self, deadline: Duration) -> bool {
        let until = Instant::now().checked_add(deadline);
        let mut state = self.shared.state.lock();
        let goal = state.accepted;
        while state.done < goal {
            state.hurry = true;
            self.shared.work.notify_one();
            match until {
                Some(until) => {
                    if self.shared.written.wait_until(&mut state, until).timed_out() {
                        return state.done >= goal;
                    }
                }
                None => self.shared.written.wait(&mut state),
            }
        }
        true
    }

    /// Has the writer open its file anew.
    pub(crate) fn reopen(&self) {
        self.shared.state.lock().reopen = true;
        self.shared.work.notify_one();
    }

    /// Has the writer end once everything is written, or at the first error.
    pub(crate) fn stop(&self) {
        self.shared.state.lock().stop = true;
        self.shared.work.notify_one();
    }
}
