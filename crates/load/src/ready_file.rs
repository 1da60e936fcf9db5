//! The file in which a server says where it listens.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::failure::Failure;

/// What `tenfour dev --ready-file` writes, as far as it is used here.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct ReadyFile {
    /// Addresses by the listener's name.
    pub(crate) listeners: BTreeMap<String, String>,
    /// The certificate to check the server against.
    pub(crate) ca: Option<PathBuf>,
    /// A device that may connect.
    pub(crate) device: Option<DeviceFiles>,
    /// An access key that may do everything.
    pub(crate) admin: Option<AccessKey>,
    /// The region of signatures.
    pub(crate) region: Option<String>,
    /// The server's process.
    pub(crate) pid: Option<u32>,
}

/// A certificate and its key.
#[derive(Debug, Deserialize)]
pub(crate) struct DeviceFiles {
    /// The certificate, PEM.
    pub(crate) cert: PathBuf,
    /// The private key, PEM.
    pub(crate) key: PathBuf,
}

/// An access key.
#[derive(Debug, Deserialize)]
pub(crate) struct AccessKey {
    /// What everybody may see.
    pub(crate) access_key_id: String,
    /// The secret.
    pub(crate) secret_access_key: String,
}

impl ReadyFile {
    /// Reads the file.
    ///
    /// # Errors
    /// When it is not there or not what a server writes.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let failure = |what: String| Failure::ReadyFile { path: path.to_owned(), what };
        let text = fs::read(path).map_err(|error| {
            failure(format!("{error}; start the server with --ready-file and wait for the file"))
        })?;
        serde_json::from_slice(&text).map_err(|error| {
            failure(format!("{error}; it must be what `tenfour dev --ready-file` writes"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_server_writes_is_read_and_the_rest_passed_over() {
        let text = r#"{"listeners":{"mqtt":"127.0.0.1:1883","http":"127.0.0.1:8080"},
            "ca":"/x/ca.pem","device":{"client_id":"d","cert":"/x/c","key":"/x/k"},
            "sender":{"access_key_id":"s","secret_access_key":"s"},
            "admin":{"access_key_id":"a","secret_access_key":"b"},
            "region":"us-west-2","account":"123456789012","log":"/x/log","pid":7}"#;
        let ready: ReadyFile = serde_json::from_str(text).unwrap();
        assert_eq!(ready.listeners["http"], "127.0.0.1:8080");
        assert_eq!(ready.admin.unwrap().access_key_id, "a");
        assert_eq!(ready.pid, Some(7));
    }

    #[test]
    fn a_file_that_is_absent_or_something_else_is_named() {
        for path in ["/nonexistent/ready.json", "Cargo.toml"] {
            let message = ReadyFile::read(Path::new(path)).unwrap_err().to_string();
            assert!(message.contains(path) && message.contains("--ready-file"), "{message}");
        }
    }
}
