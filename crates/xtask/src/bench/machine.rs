//! Where figures come from.

use std::fmt;
use std::fs;
use std::process::Command;

use crate::failure::{Failure, Outcome};
use crate::repository::{Repository, capture};

/// The machine, the day and the commit.
pub(super) struct Machine {
    cpu: String,
    cores: usize,
    kernel: String,
    date: String,
    commit: String,
    /// Of the last minute, before anything is measured.
    load: String,
}

impl Machine {
    /// What is here now.
    ///
    /// # Errors
    /// When the system or git does not say.
    pub(super) fn here(repository: &Repository) -> Outcome<Self> {
        let read = |path: &str| {
            fs::read_to_string(path).map_err(|error| Failure::io(format!("reading {path}"), &error))
        };
        let cores = std::thread::available_parallelism()
            .map_err(|error| Failure::io("counting cores", &error))?;
        let date = capture(Command::new("date").args(["-u", "+%Y-%m-%d"]), "date")?;
        let git = |arguments: &[&str]| {
            capture(Command::new("git").current_dir(repository.root()).args(arguments), "git")
        };
        let commit = git(&["rev-parse", "--short", "HEAD"])?;
        let load = read("/proc/loadavg")?;
        let changed = !git(&["status", "--porcelain"])?.trim().is_empty();
        Ok(Self {
            cpu: model(&read("/proc/cpuinfo")?).unwrap_or("unknown CPU").to_owned(),
            cores: cores.get(),
            kernel: read("/proc/sys/kernel/osrelease")?.trim().to_owned(),
            date: date.trim().to_owned(),
            load: load.split(' ').next().unwrap_or_default().to_owned(),
            commit: format!("{}{}", commit.trim(), if changed { " with changes" } else { "" }),
        })
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cpu, cores, kernel, date, commit, load } = self;
        write!(f, "{cpu}, {cores} cores, Linux {kernel}; {date}, commit {commit}; ")?;
        write!(f, "load average {load} before the first measurement")
    }
}

/// The model of the first processor of `/proc/cpuinfo`.
fn model(cpuinfo: &str) -> Option<&str> {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"))?;
    line.split_once(':').map(|(_, name)| name.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_is_that_of_the_first_processor() {
        assert_eq!(model("processor\t: 0\nmodel name\t: A B\nmodel name\t: C\n"), Some("A B"));
        assert_eq!(model("processor\t: 0\n"), None);
    }
}
