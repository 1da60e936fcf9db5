//! The running server of a data folder, as its `ready.json` describes it to clients.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use client::{ClientCertificate, Endpoint, Tls, TlsParts};
use serde::Deserialize;

use crate::config::ListenerName;
use crate::dev::ReadyFile;

/// The file in the data folder in which a running `tenfour dev` says where it is.
pub(super) const READY_FILE: &str = "ready.json";

/// What `tenfour dev` wrote when it was ready.
#[derive(Debug, Deserialize)]
pub(super) struct Found {
    listeners: BTreeMap<String, SocketAddr>,
    pub(super) ca: Option<PathBuf>,
    pub(super) device: Option<FoundDevice>,
    pub(super) sender: Option<FoundKey>,
    pub(super) admin: Option<FoundKey>,
    pub(super) region: String,
    pub(super) log: Option<PathBuf>,
}

/// The registered device of the folder.
#[derive(Debug, Deserialize)]
pub(super) struct FoundDevice {
    pub(super) cert: PathBuf,
    pub(super) key: PathBuf,
}

/// An access key of the folder.
#[derive(Clone, Deserialize)]
pub(super) struct FoundKey {
    pub(super) access_key_id: String,
    pub(super) secret_access_key: String,
}

impl std::fmt::Debug for FoundKey {
    /// Leaves the secret out.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FoundKey")
            .field("access_key_id", &self.access_key_id)
            .finish_non_exhaustive()
    }
}

impl Found {
    /// The server that runs for the data folder `dir`.
    pub(super) fn read(dir: &Path) -> Result<Self, String> {
        let path = dir.join(READY_FILE);
        let text = fs::read(&path).map_err(|error| {
            if error.kind() != io::ErrorKind::NotFound {
                return format!("cannot read {}: {error}", path.display());
            }
            format!(
                "no server seems to run for the folder {}; start it with `tenfour dev`, or name \
                 another folder with --dir or a server with --endpoint",
                dir.display()
            )
        })?;
        serde_json::from_slice(&text).map_err(|error| {
            format!("{} is damaged ({error}); start `tenfour dev` again", path.display())
        })
    }

    /// The server of this process, seen as other processes see it.
    pub(super) fn of(ready: &ReadyFile) -> serde_json::Result<Self> {
        serde_json::from_value(serde_json::to_value(ready)?)
    }

    /// Where a listener is reached from this machine.
    pub(super) fn endpoint(&self, listener: ListenerName) -> Result<Endpoint, String> {
        let name = listener.as_str();
        let address = self.listeners.get(name).ok_or_else(|| {
            format!("the server has no listener {name}; add it to [listeners] in tenfour.toml")
        })?;
        let local = address.ip().is_loopback() || address.ip().is_unspecified();
        let text = match local {
            // The name the server's certificate is for.
            true => format!("localhost:{}", address.port()),
            false => address.to_string(),
        };
        text.parse().map_err(|error| format!("listener {name}: {error}"))
    }

    /// The certificate to check the server against.
    pub(super) fn ca(&self) -> Result<&Path, String> {
        self.ca.as_deref().ok_or_else(|| {
            "the server names no CA; add `ca = \"FILE\"` to [tls] in tenfour.toml".to_owned()
        })
    }
}

/// Reads certificate files into TLS. `own` is a certificate file and its key file.
pub(super) fn tls(ca: &Path, own: Option<(&Path, &Path)>, alpn: &[&str]) -> Result<Tls, String> {
    let ca = read(ca)?;
    let own = own.map(|(cert, key)| Ok::<_, String>((read(cert)?, read(key)?))).transpose()?;
    let client_certificate =
        own.as_ref().map(|(certificate, key)| ClientCertificate { certificate, key });
    let parts = TlsParts { ca: &ca, client_certificate, alpn, server_name: None };
    Tls::new(parts).map_err(|error| error.to_string())
}

/// The bytes of a file, or an error with its name.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const READY: &str = r#"{"listeners":{"mqtts":"127.0.0.1:1","https":"0.0.0.0:2",
        "http":"192.0.2.1:3"},"region":"us-west-2","account":"123456789012","pid":1}"#;

    #[test]
    fn a_folder_without_a_running_server_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let error = Found::read(folder.path()).unwrap_err();
        assert!(error.contains("tenfour dev") && error.contains("no server seems to run"));
    }

    #[test]
    fn a_damaged_file_says_so() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("ready.json"), "{").unwrap();
        assert!(Found::read(folder.path()).unwrap_err().contains("damaged"));
    }

    #[test]
    fn local_listeners_are_reached_by_the_name_in_the_certificate() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("ready.json"), READY).unwrap();
        let found = Found::read(folder.path()).unwrap();
        let endpoint = |name| found.endpoint(name).map(|endpoint| endpoint.to_string());
        assert_eq!(endpoint(ListenerName::Mqtts).unwrap(), "localhost:1");
        assert_eq!(endpoint(ListenerName::Https).unwrap(), "localhost:2");
        assert_eq!(endpoint(ListenerName::Http).unwrap(), "192.0.2.1:3");
        assert!(endpoint(ListenerName::Admin).unwrap_err().contains("no listener admin"));
        assert!(found.ca().unwrap_err().contains("[tls]"));
    }

    #[test]
    fn files_that_are_missing_are_named() {
        let error = tls(Path::new("/does/not/exist"), None, &[]).unwrap_err();
        assert!(error.contains("/does/not/exist"), "{error}");
    }
}
