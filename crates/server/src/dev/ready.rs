//! The ready file: everything a script needs to use a running server.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::AccessKey;

/// The files of a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeviceFiles {
    /// Its MQTT client ID.
    pub client_id: String,
    /// Its certificate, PEM.
    pub cert: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
}

/// One JSON object, written when all listeners accept.
#[derive(Clone, Debug, Serialize)]
pub struct ReadyFile {
    /// The addresses in use, by the listener's name.
    pub listeners: BTreeMap<&'static str, SocketAddr>,
    /// The certificate to check the server against.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// A device that may connect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<DeviceFiles>,
    /// An access key that may send to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sender: Option<AccessKey>,
    /// An access key that may do everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub admin: Option<AccessKey>,
    /// The region of signatures and ARNs.
    pub region: String,
    /// The account of ARNs.
    pub account: String,
    /// The log, if it goes to a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<PathBuf>,
    /// The server's process.
    pub pid: u32,
}

impl ReadyFile {
    /// Writes the file so that whoever waits for it sees all of it or nothing. It holds secrets,
    /// so only its owner may read it.
    ///
    /// # Errors
    /// What the file system says.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let mut json = serde_json::to_vec(self)?;
        json.push(b'\n');
        let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_string_lossy();
        let draft = path.with_file_name(format!(".{name}.{}", self.pid));
        let written = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&draft)
            .and_then(|mut file| file.write_all(&json))
            .and_then(|()| fs::rename(&draft, path));
        if written.is_err() {
            // It may not even exist; the error to report is the first one.
            let _ = fs::remove_file(&draft);
        }
        written
    }
}
