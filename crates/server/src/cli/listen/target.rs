//! Where a device connects to, and with what.

use std::path::PathBuf;

use clap::Args;
use client::{ConnectError, DeviceOptions, DialError, Endpoint};
use mqtt::{ReasonCode, Version};

use super::super::found::{self, Found};
use crate::config::ListenerName;

/// Needed where the listener offers other things than MQTT as well, and harmless elsewhere.
const ALPN: &[&str] = &["x-amzn-mqtt-ca"];

/// Where to connect to, and with what.
#[derive(Args, Debug)]
#[command(next_help_heading = "Server and identity")]
pub struct TargetArgs {
    /// The data folder of the running `tenfour dev`
    #[arg(long, value_name = "FOLDER", default_value = ".tenfour", conflicts_with = "endpoint")]
    pub dir: PathBuf,
    /// Another server, such as localhost:8883
    #[arg(long, value_name = "HOST:PORT", requires_all = ["ca", "cert", "key"])]
    pub endpoint: Option<Endpoint>,
    /// The certificate to check that server against
    #[arg(long, value_name = "FILE", requires = "endpoint")]
    pub ca: Option<PathBuf>,
    /// The certificate of the device, instead of the folder's
    #[arg(long, value_name = "FILE", requires = "key")]
    pub cert: Option<PathBuf>,
    /// Its private key
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub key: Option<PathBuf>,
}

impl TargetArgs {
    /// How to connect as `client_id`.
    pub(super) fn options(
        &self,
        client_id: &str,
        version: Version,
    ) -> Result<DeviceOptions, String> {
        let own = self.cert.as_deref().zip(self.key.as_deref());
        let (endpoint, tls) = match (&self.endpoint, &self.ca) {
            (Some(endpoint), Some(ca)) => (endpoint.clone(), found::tls(ca, own, ALPN)?),
            (Some(_), None) | (None, _) => {
                let found = Found::read(&self.dir)?;
                let device = found.device.as_ref();
                let own = own.or_else(|| device.map(|device| (&*device.cert, &*device.key)));
                let own = own.ok_or_else(|| {
                    let folder = self.dir.join("devices");
                    format!("{} has no certificate; name one with --cert", folder.display())
                })?;
                let tls = found::tls(found.ca()?, Some(own), ALPN)?;
                (found.endpoint(ListenerName::Mqtts)?, tls)
            }
        };
        Ok(DeviceOptions { version, tls: Some(tls), ..DeviceOptions::new(endpoint, client_id) })
    }

    /// An error, with what may help.
    pub(super) fn explain(&self, client_id: &str, error: &ConnectError) -> String {
        let hint = match error {
            ConnectError::Refused { reason: ReasonCode::NotAuthorized, .. } => format!(
                "the certificate's policies must allow iot:Connect on client/{client_id}; ask why \
                 not:\n    tenfour policy test --principal certificates/NAME \
                 --action iot:Connect \\\n      --resource client/{client_id} \
                 --client-id {client_id}"
            ),
            ConnectError::Dial(DialError::Tcp { .. }) => {
                "is the server running? `tenfour dev` starts one".to_owned()
            }
            ConnectError::Dial(DialError::Tls { .. }) => {
                "is that the port of MQTT over TLS, and the CA (--ca) that of this server?"
                    .to_owned()
            }
            ConnectError::CertificateRejected(_) | ConnectError::Closed => format!(
                "the certificate must be registered and ACTIVE (registry/certificates), and its \
                 policies must\n  allow iot:Connect on client/{client_id}; the server's log says \
                 what it was"
            ),
            ConnectError::Dial(DialError::Resolve { .. } | DialError::TimedOut { .. })
            | ConnectError::Refused { .. }
            | ConnectError::NoAnswer
            | ConnectError::Exchange(_) => return error.to_string(),
        };
        format!("{error}\n  {hint}")
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn folder(dir: &Path) -> TargetArgs {
        TargetArgs { dir: dir.to_owned(), endpoint: None, ca: None, cert: None, key: None }
    }

    #[test]
    fn without_a_running_server_the_folder_is_named() {
        let empty = tempfile::tempdir().unwrap();
        let error = folder(empty.path()).options("a", Version::V5).unwrap_err();
        assert!(error.contains("tenfour dev"), "{error}");
    }

    #[test]
    fn a_refusal_for_want_of_a_policy_says_which() {
        let refused = ConnectError::Refused { reason: ReasonCode::NotAuthorized, text: None };
        let text = folder(Path::new("x")).explain("lamp", &refused);
        assert!(text.contains("NotAuthorized (0x87)") && text.contains("client/lamp"), "{text}");
        let busy = ConnectError::Refused { reason: ReasonCode::ServerBusy, text: None };
        let text = folder(Path::new("x")).explain("lamp", &busy);
        assert_eq!(text, "the server refused the connection: ServerBusy (0x89)");
    }
}
