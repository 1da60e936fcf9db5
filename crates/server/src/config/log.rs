//! The `[log]` table.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use registry::LogLevel;

use super::document::Table;

/// How much of the log may be kept; less is not worth it.
const KEPT_BYTES: RangeInclusive<u64> = 128 * 1_024..=1 << 40;
const KEPT_BYTES_DEFAULT: u64 = 256 * 1_024 * 1_024;

/// How long, a minute to ten years.
const KEPT_FOR: RangeInclusive<Duration> =
    Duration::from_secs(60)..=Duration::from_secs(10 * 365 * 86_400);
const KEPT_FOR_DEFAULT: Duration = Duration::from_secs(7 * 86_400);

/// Where log entries go, and which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// Where they go.
    pub target: LogTarget,
    /// Which are written.
    pub level: LogLevel,
    /// What is kept of them to be read back; nothing if not said.
    pub kept: Option<KeptLog>,
}

/// What is kept of the log to be read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptLog {
    /// The folder; made when it does not exist. Not used if nothing outlives the process.
    pub folder: PathBuf,
    /// The most bytes.
    pub bytes: u64,
    /// How long.
    pub age: Duration,
}

/// Where log entries go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogTarget {
    /// To standard output.
    Stdout,
    /// To the end of this file.
    File(PathBuf),
}

/// Reads the table; `beside` is the folder of the configuration.
pub(super) fn read(mut table: Table<'_>, beside: &Path) -> Log {
    let target = table.get("file").and_then(|value| {
        if value.text()? == "stdout" {
            return Some(LogTarget::Stdout);
        }
        let path = value.path()?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
            value.mistake(format_args!("there is no folder {}", folder.display()));
            return None;
        }
        Some(LogTarget::File(path))
    });
    let levels = LogLevel::ALL.map(|level| (level.as_str(), level));
    let level = table.get("level").and_then(|value| value.one_of(&levels));
    Log {
        target: target.unwrap_or(LogTarget::Stdout),
        level: level.unwrap_or(LogLevel::Info),
        kept: read_kept(&mut table, beside),
    }
}

/// What is kept; `kept_bytes = 0` keeps nothing.
fn read_kept(table: &mut Table<'_>, beside: &Path) -> Option<KeptLog> {
    let folder = table.get("folder").and_then(|value| value.path());
    let age = table.get("kept_for").and_then(|value| value.seconds(KEPT_FOR));
    let bytes = table.get("kept_bytes").and_then(|value| {
        let bytes = value.integer(0..=*KEPT_BYTES.end())?;
        if bytes > 0 && !KEPT_BYTES.contains(&bytes) {
            let (start, end) = (KEPT_BYTES.start(), KEPT_BYTES.end());
            value.expected(format_args!("0 to keep nothing, or bytes from {start} to {end}"));
            return None;
        }
        Some(bytes)
    });
    let bytes = bytes.unwrap_or(KEPT_BYTES_DEFAULT);
    (bytes > 0).then(|| KeptLog {
        folder: folder.unwrap_or_else(|| beside.join("logs")),
        bytes,
        age: age.unwrap_or(KEPT_FOR_DEFAULT),
    })
}
