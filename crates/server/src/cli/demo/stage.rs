//! The server, the device and the sender of the demo.

use std::path::PathBuf;

use client::{AccessKey, Connected, Device, DeviceOptions, Scheme, Sender, SenderIdentity};
use client::{SenderOptions, Url};

use super::super::found::{self, Found};
use super::logbook::Logbook;
use crate::config::{Config, ListenerName, Overrides};
use crate::dev::{DEVICE, DataFolder};
use crate::serve::{Running, start};

/// A server of this process, with the embedded default in a folder that goes away with the demo.
pub(super) struct Stage {
    running: Running,
    folder: Folder,
    found: Found,
}

/// A folder that is removed when dropped.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        // It is in the folder for temporary files; what cannot be removed now is removed later.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Stage {
    /// Starts a server on free ports.
    pub(super) async fn build() -> Result<Self, String> {
        let name = format!("tenfour-demo-{}", std::process::id());
        let folder = Folder(std::env::temp_dir().join(name));
        let data = DataFolder::open_or_create(&folder.0).map_err(|error| error.to_string())?;
        let overrides = Overrides { ephemeral_ports: true, ..Overrides::default() };
        let config = Config::load_with(&data.config_file(), &overrides)
            .map_err(|mistakes| mistakes.to_string())?;
        let running = start(config, Some(&data)).await.map_err(|error| error.to_string())?;
        let found = Found::of(&running.ready).map_err(|error| error.to_string())?;
        Ok(Self { running, folder, found })
    }

    /// The device of the data folder, connected over mutual TLS.
    pub(super) async fn device(&self) -> Result<(Device, Connected), String> {
        let files = self.found.device.as_ref().ok_or("the data folder has no device")?;
        let tls = found::tls(self.found.ca()?, Some((&files.cert, &files.key)), &[])?;
        let endpoint = self.found.endpoint(ListenerName::Mqtts)?;
        let options = DeviceOptions { tls: Some(tls), ..DeviceOptions::new(endpoint, DEVICE) };
        Device::connect(&options).await.map_err(|error| error.to_string())
    }

    /// The sender of the data folder, over HTTPS with SigV4; not connected yet.
    pub(super) fn sender(&self) -> Result<Sender, String> {
        let key = self.found.sender.clone().ok_or("the data folder has no sender")?;
        let identity = SenderIdentity::AccessKey(AccessKey {
            access_key_id: key.access_key_id,
            secret_access_key: key.secret_access_key,
            session_token: None,
            region: self.found.region.clone(),
        });
        let url = Url::new(Scheme::Https, self.found.endpoint(ListenerName::Https)?);
        let tls = found::tls(self.found.ca()?, None, &["http/1.1"])?;
        Sender::new(SenderOptions::new(url, identity, Some(tls))).map_err(|error| error.to_string())
    }

    pub(super) fn logbook(&self) -> Result<Logbook, String> {
        let path = self.found.log.clone().ok_or("the server has no log file")?;
        Ok(Logbook::new(path))
    }

    /// Where the listeners are, for people.
    pub(super) fn addresses(&self) -> Result<String, String> {
        let mqtts = self.found.endpoint(ListenerName::Mqtts)?;
        let https = self.found.endpoint(ListenerName::Https)?;
        Ok(format!("mqtts {mqtts}, https {https}"))
    }

    /// Stops the server and removes its folder.
    pub(super) async fn strike(self) {
        self.running.stop().await;
        drop(self.folder);
    }
}
