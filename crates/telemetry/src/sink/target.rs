//! Where the log can go.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Where the log goes.
pub enum LogTarget {
    /// Standard output.
    Stdout,
    /// A file, appended to; made if it does not exist.
    File(PathBuf),
    /// Whatever the program (or a test) brings. A write may block, it has a thread of its own; it
    /// should not buffer, for nothing is flushed.
    Writer(Box<dyn Write + Send>),
    /// Nowhere: entries are not even put together. Events still count.
    Discard,
}

/// Why a log could not be started.
#[derive(Debug, Error)]
pub enum LogError {
    /// The file cannot be opened for appending.
    #[error("cannot open the log file {}: {cause}", file.display())]
    File {
        /// Which file.
        file: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// The folder of the entries that are kept cannot be used.
    #[error(
        "cannot keep log entries in {}: {cause}; name another folder with `folder` in [log], or \
         keep none with `kept_bytes = 0`", folder.display()
    )]
    Ring {
        /// Which folder.
        folder: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// Standard output is closed.
    #[error("cannot write the log to standard output: {0}")]
    Stdout(#[source] io::Error),
    /// No thread can be started.
    #[error("cannot start the thread that writes the log: {0}")]
    Thread(#[source] io::Error),
}

/// An open target.
pub(super) struct Output {
    stream: Box<dyn Write + Send>,
    /// Its name, if it can be opened anew.
    file: Option<PathBuf>,
}

impl LogTarget {
    /// Opens it; `None` for [`LogTarget::Discard`].
    pub(super) fn open(self) -> Result<Option<Output>, LogError> {
        let output = match self {
            LogTarget::Stdout => Output { stream: Box::new(stdout()?), file: None },
            LogTarget::Writer(stream) => Output { stream, file: None },
            LogTarget::Discard => return Ok(None),
            LogTarget::File(path) => {
                let stream = Box::new(open(&path)?);
                Output { stream, file: Some(path) }
            }
        };
        Ok(Some(output))
    }
}

impl Output {
    /// Opens the file anew by its name; says whether there is one. On an error the old one stays.
    pub(super) fn reopen(&mut self) -> Result<bool, LogError> {
        let Some(path) = &self.file else { return Ok(false) };
        self.stream = Box::new(open(path)?);
        Ok(true)
    }

    /// Writes a part of `bytes`: all of it, as a rule.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.stream.write(bytes)?;
        if count == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        Ok(count)
    }

    /// What it is called in messages.
    pub(super) fn name(&self) -> String {
        match &self.file {
            Some(path) => format!("the log file {}", path.display()),
            None => "the log".into(),
        }
    }
}

/// Standard output without the buffer of [`io::stdout`]: after an error nobody could tell what of
/// that buffer was written.
fn stdout() -> Result<File, LogError> {
    let descriptor = io::stdout().as_fd().try_clone_to_owned().map_err(LogError::Stdout)?;
    Ok(File::from(descriptor))
}

fn open(path: &Path) -> Result<File, LogError> {
    let torn = is_torn(path);
    let mut file = OpenOptions::new()
        .append(true)
        .create(true)
        .open(path)
        .map_err(|cause| LogError::File { file: path.into(), cause })?;
    if torn {
        // Where there is no room for it there is none for an entry.
        let _ = file.write_all(b"\n");
    }
    Ok(file)
}

/// Whether a process that was cut off left a part of a line at the end, which the next entry must not
/// continue.
fn is_torn(path: &Path) -> bool {
    // A pipe would wait for its writer.
    if !path.is_file() {
        return false;
    }
    let last = || -> io::Result<u8> {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::End(-1))?;
        let mut last = [0];
        file.read_exact(&mut last)?;
        Ok(last[0])
    };
    last().is_ok_and(|last| last != b'\n')
}
