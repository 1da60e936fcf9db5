//! The ready file, in the shape of `tenfour dev --ready-file`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::options::Options;
use super::relay::Listeners;
use crate::failure::Failure;

/// Stands for a key wherever a client insists on one. Nobody checks it.
const ANY_KEY: &str = "AKIAIOSFODNN7EXAMPLE";

/// What goes into the file.
pub(crate) struct Ready(Value);

impl Ready {
    /// Names the listeners, and files and keys that make every mode of the load generator start.
    ///
    /// # Errors
    /// When a listener has no address.
    pub(crate) fn new(options: &Options, listeners: &Listeners) -> io::Result<Self> {
        let (mqtt, http) = listeners.addresses()?;
        let (mqtt, http) = (mqtt.to_string(), http.to_string());
        let key = json!({"access_key_id": ANY_KEY, "secret_access_key": ANY_KEY});
        let mut ready = json!({
            "listeners": {"mqtt": mqtt, "http": http},
            "sender": key,
            "admin": key,
            "region": "us-west-2",
            "account": "123456789012",
            "pid": std::process::id(),
        });
        if let Some((certificate, private_key)) =
            options.certificate.as_ref().zip(options.key.as_ref())
        {
            let certificate = absolute(certificate)?;
            let ca = options.ca.as_deref().map_or_else(|| Ok(certificate.clone()), absolute)?;
            ready["listeners"] = json!({"mqtts": mqtt, "https": http});
            ready["ca"] = json!(ca);
            // Nobody asks a client for it; a client that wants one to show is content.
            ready["device"] = json!({
                "client_id": "load-0", "cert": certificate, "key": absolute(private_key)?,
            });
        }
        Ok(Self(ready))
    }

    /// Writes the file so that whoever waits for it sees all of it or nothing.
    ///
    /// # Errors
    /// When it cannot be written there.
    pub(crate) fn write(&self, path: &Path) -> Result<(), Failure> {
        let failure = |error: io::Error| Failure::ReadyFile {
            path: path.to_owned(),
            what: format!("{error}; it must be in a folder that exists and can be written"),
        };
        let Some(name) = path.file_name() else {
            return Err(failure(io::ErrorKind::InvalidFilename.into()));
        };
        let draft =
            path.with_file_name(format!(".{}.{}", name.to_string_lossy(), std::process::id()));
        let written =
            fs::write(&draft, format!("{}\n", self.0)).and_then(|()| fs::rename(&draft, path));
        written.map_err(|error| {
            // It may not even exist; the error to report is the first one.
            let _ = fs::remove_file(&draft);
            failure(error)
        })
    }
}

fn absolute(path: impl AsRef<Path>) -> io::Result<PathBuf> {
    std::path::absolute(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ready_file::ReadyFile;
    use clap::Parser;

    fn written(line: &str) -> ReadyFile {
        static NUMBER: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("floor-{}-{number}.json", std::process::id()));
        let words =
            ["tenfour-floor", "--ready-file", "f"].into_iter().chain(line.split_whitespace());
        let options = Options::try_parse_from(words).unwrap();
        Ready::new(&options, &Listeners::bind().unwrap()).unwrap().write(&path).unwrap();
        let ready = ReadyFile::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        ready
    }

    #[test]
    fn the_load_generator_reads_what_is_written() {
        let ready = written("");
        assert!(ready.listeners.contains_key("mqtt") && ready.listeners.contains_key("http"));
        assert_eq!(ready.pid, Some(std::process::id()));
        assert!(ready.admin.is_some() && ready.region.is_some() && ready.ca.is_none());
    }

    #[test]
    fn with_tls_there_are_the_listeners_and_files_of_tls() {
        let ready = written("--tls --certificate /c --key /k --ca /ca");
        assert!(ready.listeners.contains_key("mqtts") && ready.listeners.contains_key("https"));
        assert_eq!(ready.ca.unwrap(), Path::new("/ca"));
        assert_eq!(ready.device.unwrap().key, Path::new("/k"));
        assert_eq!(written("--tls --certificate /c --key /k").ca.unwrap(), Path::new("/c"));
    }

    #[test]
    fn a_place_that_cannot_be_written_is_named() {
        let message = Ready(json!({})).write(Path::new("/nonexistent/f")).unwrap_err().to_string();
        assert!(message.contains("/nonexistent/f") && message.contains("folder"), "{message}");
    }
}
