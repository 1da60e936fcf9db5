//! Signals.

use std::io;

use tokio::signal::unix::{SignalKind, signal};

use super::Running;

/// Waits for SIGTERM or SIGINT; SIGHUP reloads meanwhile.
///
/// # Errors
/// When signals cannot be had from the operating system.
pub async fn until_told_to_stop(running: &Running) -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    loop {
        tokio::select! {
            _ = terminate.recv() => return Ok(()),
            _ = interrupt.recv() => return Ok(()),
            _ = hang_up.recv() => running.reload(),
        }
    }
}
