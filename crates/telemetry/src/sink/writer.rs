//! The thread that writes the log.

use std::io::{self, Write};
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use super::Shared;
use super::target::Output;
use crate::ring::LogRing;

/// How long entries gather while there are any, before they are written together.
const GATHER: Duration = Duration::from_millis(2);

/// How long to wait before an attempt after one that failed.
const RETRY: Duration = Duration::from_millis(250);

/// A batch buffer up to this size is kept for the next batch.
const KEEP_BYTES: usize = 1024 * 1024;

/// Takes all entries that wait, writes them, and again. While entries come it looks every 2 ms and
/// producers need not wake it (a system call); when none came for that long it parks.
pub(super) struct Writer {
    shared: Arc<Shared>,
    output: Output,
    /// Entries taken and not yet written: `batch[position..]`.
    batch: Vec<u8>,
    position: usize,
    /// Whether the last attempt failed; an outage is said once, not at each attempt.
    failing: bool,
    ring: Option<Arc<LogRing>>,
    /// The same of the ring.
    ring_failing: bool,
}

/// What the writer is to do next.
enum Step {
    Reopen,
    /// Entries were taken.
    Keep,
    Write,
    End,
}

impl Writer {
    pub(super) fn new(shared: Arc<Shared>, output: Output, ring: Option<Arc<LogRing>>) -> Self {
        Writer {
            shared,
            output,
            batch: Vec::new(),
            position: 0,
            failing: false,
            ring,
            ring_failing: false,
        }
    }

    pub(super) fn run(mut self) {
        loop {
            match self.next_step() {
                Step::Reopen => self.reopen(),
                Step::Keep => {
                    self.keep();
                    self.write();
                }
                Step::Write => self.write(),
                Step::End => return,
            }
        }
    }

    /// Waits for work and takes it.
    fn next_step(&mut self) -> Step {
        let mut state = self.shared.state.lock();
        loop {
            if mem::take(&mut state.reopen) {
                return Step::Reopen;
            }
            let unwritten = self.position < self.batch.len();
            if state.stop && (self.failing || !unwritten && state.pending.is_empty()) {
                return Step::End;
            }
            if unwritten {
                if self.failing && !mem::take(&mut state.hurry) {
                    self.shared.work.wait_for(&mut state, RETRY);
                    if mem::take(&mut state.reopen) {
                        return Step::Reopen;
                    }
                }
                return Step::Write;
            }
            if !state.pending.is_empty() {
                self.batch.clear();
                self.position = 0;
                mem::swap(&mut self.batch, &mut state.pending);
                return Step::Keep;
            }
            state.hurry = false;
            state.parked = true;
            self.shared.work.wait(&mut state);
            state.parked = false;
        }
    }

    /// Gives the batch to the ring, once: what it cannot keep is dropped, since the log has it.
    fn keep(&mut self) {
        let Some(ring) = &self.ring else { return };
        let kept = ring.append(&self.batch);
        let was_failing = mem::replace(&mut self.ring_failing, kept.is_err());
        if let Err((entries, error)) = kept {
            self.shared.metrics.log_entries_not_kept(entries);
            if !was_failing {
                complain(&format!(
                    "cannot keep log entries to be read back: {error}; until that is mended they \
                     are in the log alone"
                ));
            }
        }
    }

    /// Writes the batch as far as it goes, and lets entries gather.
    fn write(&mut self) {
        while self.position < self.batch.len() {
            match self.output.write(&self.batch[self.position..]) {
                Ok(count) => self.wrote(count),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return self.failed(&error),
            }
        }
        if self.batch.capacity() > KEEP_BYTES {
            self.batch = Vec::new();
            self.position = 0;
        }
        let mut state = self.shared.state.lock();
        if !(state.hurry || state.stop || state.reopen) {
            self.shared.work.wait_for(&mut state, GATHER);
        }
    }

    fn wrote(&mut self, count: usize) {
        self.position += count;
        self.failing = false;
        self.shared.state.lock().done += count as u64;
        self.shared.written.notify_all();
    }

    fn failed(&mut self, error: &io::Error) {
        self.shared.metrics.log_write_error();
        if !mem::replace(&mut self.failing, true) {
            let name = self.output.name();
            complain(&format!("cannot write to {name}: {error}; entries wait, then are dropped"));
        }
    }

    fn reopen(&mut self) {
        match self.output.reopen() {
            Ok(false) => {}
            Ok(true) => self.rewind_to_line(),
            Err(error) => {
                self.shared.metrics.log_write_error();
                complain(&format!("{error}; the old one stays in use"));
            }
        }
    }

    /// Goes back to the start of an entry that was written in part, so that the new file gets it
    /// whole.
    fn rewind_to_line(&mut self) {
        let line = self.batch[..self.position].iter().rposition(|byte| *byte == b'\n');
        let start = line.map_or(0, |end| end + 1);
        self.shared.state.lock().done -= (self.position - start) as u64;
        self.position = start;
        self.failing = false;
    }
}

/// Says something on standard error, or not if that is closed.
fn complain(sentence: &str) {
    let _ = writeln!(io::stderr(), "tenfour: {sentence}");
}

#[cfg(test)]
mod tests {
    use parking_lot::{Condvar, Mutex};

    use super::*;
    use crate::Metrics;
    use crate::sink::{LogTarget, State};

    fn writer(batch: &[u8], position: usize) -> Writer {
        let state =
            State { accepted: batch.len() as u64, done: position as u64, ..State::default() };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            work: Condvar::new(),
            written: Condvar::new(),
            buffer_bytes: 1_000,
            metrics: Arc::new(Metrics::new()),
        });
        let output = LogTarget::Writer(Box::new(io::sink())).open().unwrap().unwrap();
        Writer { batch: batch.into(), position, ..Writer::new(shared, output, None) }
    }

    #[test]
    fn a_new_file_gets_an_entry_whole_that_the_old_one_has_in_part() {
        for (position, start) in [(0, 0), (2, 0), (4, 4), (6, 4), (8, 8)] {
            let mut writer = writer(b"one\ntwo\n", position);
            writer.rewind_to_line();
            assert_eq!(writer.position, start, "from {position}");
            assert_eq!(writer.shared.state.lock().done, start as u64);
        }
    }
}
