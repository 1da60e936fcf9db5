//! What the operating system says about a process: CPU time and resident memory.

use std::fs;
use std::io;
use std::time::Duration;

use crate::failure::Failure;

/// A process to look at.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Process {
    /// The load generator itself.
    Own,
    /// Another one, usually the server.
    Id(u32),
}

impl Process {
    /// User and system time of all its threads so far; `None` if the process is gone or its
    /// figures are not for us.
    pub(crate) fn cpu_time(self) -> Option<Duration> {
        let ticks = ticks(&self.read("stat").ok()?)?;
        let per_second = rustix::param::clock_ticks_per_second();
        Some(Duration::from_secs(ticks) / u32::try_from(per_second).ok()?)
    }

    /// Resident memory in bytes.
    ///
    /// # Errors
    /// When the process is gone or shows no memory.
    pub(crate) fn resident(self) -> Result<u64, Failure> {
        let failure = |what: String| Failure::Process { pid: self.id(), what };
        let status = self.read("status").map_err(|error| failure(error.to_string()))?;
        resident(&status).ok_or_else(|| failure("its status has no VmRSS line".to_owned()))
    }

    fn id(self) -> u32 {
        match self {
            Self::Own => std::process::id(),
            Self::Id(id) => id,
        }
    }

    fn read(self, file: &str) -> io::Result<String> {
        fs::read_to_string(format!("/proc/{}/{file}", self.id()))
    }
}

/// utime and stime, fields 14 and 15 of `/proc/<pid>/stat`. The second field is the command in
/// parentheses and may itself hold anything, so counting starts behind the last parenthesis.
fn ticks(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// The VmRSS line of `/proc/<pid>/status` in bytes.
fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_counted_behind_the_command() {
        let stat = "42 (a) b (c) S 1 42 42 0 -1 4194304 1 0 0 0 70 30 0 0 20 0 9 0 1 2 3";
        assert_eq!(ticks(stat), Some(100));
        assert_eq!(ticks("42 (a) S 1 2"), None);
        assert_eq!(ticks(""), None);
    }

    #[test]
    fn memory_is_read_in_kibibytes() {
        assert_eq!(resident("Name:\tx\nVmRSS:\t    1234 kB\nThreads: 1"), Some(1234 * 1024));
        assert_eq!(resident("Name:\tx\n"), None);
        assert_eq!(resident("VmRSS: lots kB"), None);
    }

    #[test]
    fn this_process_has_figures_and_an_absent_one_has_none() {
        assert!(Process::Own.cpu_time().is_some());
        assert!(Process::Own.resident().unwrap() > 0);
        // Above the highest process ID that Linux gives out.
        assert!(Process::Id(u32::MAX).cpu_time().is_none());
        let message = Process::Id(u32::MAX).resident().unwrap_err().to_string();
        assert!(message.contains(&u32::MAX.to_string()), "{message}");
    }
}
