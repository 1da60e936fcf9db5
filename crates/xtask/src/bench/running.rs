//! A program that runs beside, and never longer than this one.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::failure::{Failure, Outcome};
use crate::repository::is_installed;

/// How long a program may take to be ready.
const READY_WITHIN: Duration = Duration::from_secs(30);
/// How often it is asked.
const POLL: Duration = Duration::from_millis(10);
/// How much of what it said is shown when it does not come up.
const SHOWN: usize = 600;

/// A child process; killed when this is dropped, whatever the reason.
pub(super) struct Running {
    child: Child,
    output: PathBuf,
}

impl Running {
    /// Starts a command whose output goes to the file `output`. Where util-linux is at hand, the
    /// kernel ends the program even when this one is killed.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(super) fn start(command: &Command, output: &Path) -> Outcome<Self> {
        let attempt = |error| Failure::io(format!("starting {:?}", command.get_program()), &error);
        let file = File::create(output).map_err(attempt)?;
        let mut guarded = if is_installed("setpriv") {
            let mut guarded = Command::new("setpriv");
            guarded.args(["--pdeathsig", "KILL"]).arg(command.get_program());
            guarded
        } else {
            Command::new(command.get_program())
        };
        guarded.args(command.get_args()).stdin(Stdio::null());
        guarded.stdout(file.try_clone().map_err(attempt)?).stderr(file);
        let child = guarded.spawn().map_err(attempt)?;
        Ok(Self { child, output: output.to_owned() })
    }

    /// Its process ID.
    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until `ready` has something to say.
    ///
    /// # Errors
    /// When the program ends first or takes too long; with the end of what it said.
    pub(super) fn wait_for<T>(&mut self, ready: impl Fn() -> Option<T>) -> Outcome<T> {
        let until = Instant::now() + READY_WITHIN;
        loop {
            if let Some(found) = ready() {
                return Ok(found);
            }
            let ended = self.child.try_wait();
            let ended = ended.map_err(|error| Failure::io("waiting for a program", &error))?;
            if let Some(status) = ended {
                return Err(Failure::new(format!("it ended ({status}): {}", self.said())));
            }
            if Instant::now() > until {
                let seconds = READY_WITHIN.as_secs();
                return Err(Failure::new(format!("not ready in {seconds} s: {}", self.said())));
            }
            std::thread::sleep(POLL);
        }
    }

    /// The end of its output.
    fn said(&self) -> String {
        let text = std::fs::read(&self.output).unwrap_or_default();
        let text = String::from_utf8_lossy(&text[text.len().saturating_sub(SHOWN)..]).into_owned();
        text.trim().to_owned()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("tenfour-bench-{name}-{}", std::process::id()))
    }

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_program_ends_with_its_guard() {
        let output = output("guard");
        let running = Running::start(&shell("exec sleep 600"), &output).unwrap();
        let process = PathBuf::from(format!("/proc/{}", running.pid()));
        assert!(process.exists());
        drop(running);
        assert!(!process.exists());
        std::fs::remove_file(&output).unwrap();
    }

    #[test]
    fn a_program_that_ends_before_it_is_ready_is_quoted() {
        let output = output("quoted");
        let mut running = Running::start(&shell("echo no such port; exit 3"), &output).unwrap();
        let failure = running.wait_for(|| None::<()>).unwrap_err().to_string();
        assert!(failure.contains("no such port") && failure.contains('3'), "{failure}");
        std::fs::remove_file(&output).unwrap();
    }
}
