//! The server: the real binary, which is killed.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::stage::{PATIENCE, Place};

/// How often to look whether the server is there.
const LOOK: Duration = Duration::from_millis(1);

/// A data folder, and the process that runs on it.
pub(crate) struct Server {
    binary: PathBuf,
    folder: PathBuf,
    process: Option<Child>,
    lives: u64,
}

impl Server {
    /// Makes the folder, which must not exist, with that durability.
    ///
    /// # Errors
    /// What is in the way.
    pub(crate) fn prepare(binary: &Path, folder: &Path, durability: &str) -> Result<Self, String> {
        let (binary, folder) = (binary.to_owned(), folder.to_owned());
        let mut server = Server { binary, folder, process: None, lives: 0 };
        server.start()?;
        server.stop()?;
        let path = server.folder.join("tenfour.toml");
        let setting = |line: &str| line.starts_with("durability = ");
        let text = fs::read_to_string(&path).map_err(|error| failed(&path, &error))?;
        if !text.lines().any(setting) {
            return Err(format!("{} sets no durability", path.display()));
        }
        let lines = text.lines().map(|line| match setting(line) {
            true => format!("durability = \"{durability}\"\n"),
            false => format!("{line}\n"),
        });
        fs::write(&path, lines.collect::<String>()).map_err(|error| failed(&path, &error))?;
        Ok(server)
    }

    /// Starts a process and does not wait for it.
    ///
    /// # Errors
    /// It does not start.
    pub(crate) fn spawn(&mut self) -> Result<(), String> {
        let ready = self.ready_file();
        if let Err(error) = fs::remove_file(&ready)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(failed(&ready, &error));
        }
        let output = self.output()?;
        let errors = output.try_clone().map_err(|error| failed(&self.output_file(), &error))?;
        let process = Command::new(&self.binary)
            .args(["dev", "--open", "--unlimited", "--profile", "standard", "--ephemeral-ports"])
            .arg("--dir")
            .arg(&self.folder)
            .arg("--ready-file")
            .arg(&ready)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .spawn()
            .map_err(|error| failed(&self.binary, &error))?;
        self.process = Some(process);
        self.lives += 1;
        Ok(())
    }

    /// Starts a process; returns once it accepts.
    ///
    /// # Errors
    /// It does not start, and what it said.
    pub(crate) fn start(&mut self) -> Result<Place, String> {
        self.spawn()?;
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if let Some(address) = self.address() {
                return Ok(Place { address, life: self.lives });
            }
            self.expect_alive()?;
            thread::sleep(LOOK);
        }
        Err(format!("the server is not ready after {PATIENCE:?}\n{}", self.last_words()))
    }

    /// SIGKILL.
    ///
    /// # Errors
    /// It ended before.
    pub(crate) fn kill(&mut self) -> Result<(), String> {
        self.expect_alive()?;
        let Some(mut process) = self.process.take() else { return Ok(()) };
        let killed = process.kill().and_then(|()| process.wait());
        killed.map(drop).map_err(|error| format!("killing the server: {error}"))
    }

    /// SIGTERM, after which it has to end well.
    ///
    /// # Errors
    /// It does not.
    pub(crate) fn stop(&mut self) -> Result<(), String> {
        self.expect_alive()?;
        let Some(mut process) = self.process.take() else { return Ok(()) };
        kill_process(Pid::from_child(&process), Signal::TERM)
            .map_err(|error| format!("stopping the server: {error}"))?;
        let status = process.wait().map_err(|error| format!("stopping the server: {error}"))?;
        match status.success() {
            true => Ok(()),
            false => Err(format!("the server ended with {status}\n{}", self.last_words())),
        }
    }

    /// Everything that it said of panics.
    pub(crate) fn panics(&self) -> Vec<String> {
        let text = fs::read_to_string(self.output_file()).unwrap_or_default();
        text.lines().filter(|line| line.contains("panicked")).map(str::to_owned).collect()
    }

    fn expect_alive(&mut self) -> Result<(), String> {
        let ended = self.process.as_mut().and_then(|process| process.try_wait().ok().flatten());
        match ended {
            None => Ok(()),
            Some(status) => Err(format!("the server ended: {status}\n{}", self.last_words())),
        }
    }

    fn address(&self) -> Option<std::net::SocketAddr> {
        let text = fs::read(self.ready_file()).ok()?;
        let ready: Value = serde_json::from_slice(&text).ok()?;
        ready["listeners"]["mqtt"].as_str()?.parse().ok()
    }

    fn last_words(&self) -> String {
        let text = fs::read_to_string(self.output_file()).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(10)..].join("\n")
    }

    fn output(&self) -> Result<File, String> {
        let path = self.output_file();
        let opened = OpenOptions::new().create(true).append(true).open(&path);
        opened.map_err(|error| failed(&path, &error))
    }

    /// Beside the folder, which the server makes itself.
    fn output_file(&self) -> PathBuf {
        self.folder.with_extension("output.txt")
    }

    fn ready_file(&self) -> PathBuf {
        self.folder.with_extension("ready.json")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            // It may have ended by itself.
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

fn failed(path: &Path, error: &io::Error) -> String {
    format!("{}: {error}", path.display())
}
