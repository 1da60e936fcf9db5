//! Signals.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::Running;

/// The signals the process answers to. To be made before anybody is told that the server is ready:
/// without it a signal ends the process on the spot.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    /// Takes the signals over from the operating system's default.
    ///
    /// # Errors
    /// When they cannot be had.
    pub fn take_over() -> io::Result<Self> {
        Ok(Signals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for SIGTERM or SIGINT; SIGHUP reloads meanwhile.
    pub async fn told_to_stop(&mut self, running: &Running) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
                _ = self.hang_up.recv() => running.reload(),
            }
        }
    }

    /// Waits for one more SIGTERM or SIGINT.
    pub async fn told_again(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
