//! Which listeners, certificates and keys a run uses: the options, and for what they leave open the
//! ready file.

use std::path::Path;
use std::sync::Arc;

use client::Endpoint;
use rustls::ClientConfig;

use crate::failure::Failure;
use crate::options::{Auth, DeviceTransport, MessageOptions, TargetOptions, Transport};
use crate::plan::Signing;
use crate::process::Process;
use crate::ready_file::ReadyFile;
use crate::tls::{self, ClientCertificate};
use crate::transport::Connector;

/// The server under load.
pub(crate) struct Target<'a> {
    options: &'a TargetOptions,
    ready: ReadyFile,
}

impl<'a> Target<'a> {
    /// Reads the ready file, if there is one.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn new(options: &'a TargetOptions) -> Result<Self, Failure> {
        let ready = options.ready_file.as_deref().map(ReadyFile::read).transpose()?;
        Ok(Self { options, ready: ready.unwrap_or_default() })
    }

    /// The server's process, if it is known.
    pub(crate) fn process(&self) -> Option<Process> {
        self.options.pid.or(self.ready.pid).map(Process::Id)
    }

    /// How devices connect.
    ///
    /// # Errors
    /// No address, or no certificate where one is needed.
    pub(crate) fn devices(&self, transport: DeviceTransport) -> Result<Connector, Failure> {
        match transport {
            DeviceTransport::Plain => Ok(Connector::plain(self.plain_devices()?)),
            DeviceTransport::Tls => {
                let config = self.tls(Some(self.certificate("--device-transport tls")?), &[])?;
                let given = self.options.device_address.as_deref();
                Connector::tls(self.endpoint(given, "mqtts", "--device-address")?, config)
            }
        }
    }

    /// Where devices connect without TLS.
    ///
    /// # Errors
    /// No address.
    pub(crate) fn plain_devices(&self) -> Result<Endpoint, Failure> {
        self.endpoint(self.options.device_address.as_deref(), "mqtt", "--device-address")
    }

    /// How senders connect.
    ///
    /// # Errors
    /// No address, no certificate where one is needed, or a combination that does not exist.
    pub(crate) fn senders(&self, options: &MessageOptions) -> Result<Connector, Failure> {
        let given = options.sender_address.as_deref();
        let endpoint = |name| self.endpoint(given, name, "--sender-address");
        let protocols: &[&[u8]] = if options.http2 { &[b"h2"] } else { &[b"http/1.1"] };
        match (options.transport, options.auth) {
            (Transport::Http, Auth::None | Auth::Sigv4) => Ok(Connector::plain(endpoint("http")?)),
            (Transport::Http, Auth::X509) => Err(Failure::Option(
                "--auth x509 needs --transport https: the certificate is part of TLS".to_owned(),
            )),
            (Transport::Https, Auth::None | Auth::Sigv4) => {
                Connector::tls(endpoint("https")?, self.tls(None, protocols)?)
            }
            (Transport::Https, Auth::X509) => {
                let own = self.certificate("--auth x509")?;
                Connector::tls(endpoint("https_x509")?, self.tls(Some(own), protocols)?)
            }
        }
    }

    /// With what requests are signed, if they are.
    ///
    /// # Errors
    /// No access key or no region.
    pub(crate) fn signing(&self, options: &MessageOptions) -> Result<Option<Signing>, Failure> {
        match options.auth {
            Auth::None | Auth::X509 => return Ok(None),
            Auth::Sigv4 => {}
        }
        let given = options.access_key_id.as_ref().zip(options.secret_access_key.as_ref());
        let admin = self.ready.admin.as_ref();
        let admin = admin.map(|admin| (&admin.access_key_id, &admin.secret_access_key));
        let Some((access_key_id, secret_access_key)) = given.or(admin) else {
            let sentence = "--auth sigv4 needs --access-key-id and --secret-access-key, or a ready \
                 file with an admin key";
            return Err(Failure::Option(sentence.to_owned()));
        };
        let Some(region) = options.region.as_ref().or(self.ready.region.as_ref()) else {
            let sentence = "--auth sigv4 needs --region, or a ready file that has one";
            return Err(Failure::Option(sentence.to_owned()));
        };
        Ok(Some(Signing {
            access_key_id: access_key_id.clone(),
            secret_access_key: secret_access_key.clone(),
            region: region.clone(),
        }))
    }

    fn endpoint(
        &self,
        given: Option<&str>,
        listener: &str,
        option: &str,
    ) -> Result<Endpoint, Failure> {
        let known = self.ready.listeners.get(listener).map(String::as_str);
        let text = given.or(known).ok_or_else(|| {
            Failure::Option(match &self.options.ready_file {
                Some(path) => format!(
                    "the server of {} has no listener {listener}; start it with one, or give \
                     {option}",
                    path.display()
                ),
                None => format!("no server: give --ready-file or {option}"),
            })
        })?;
        Ok(text.parse()?)
    }

    fn tls(
        &self,
        own: Option<ClientCertificate<'_>>,
        protocols: &[&[u8]],
    ) -> Result<Arc<ClientConfig>, Failure> {
        let ca = self.options.ca.as_deref().or(self.ready.ca.as_deref());
        let ca = ca.ok_or_else(|| {
            Failure::Option("TLS needs --ca, or a ready file that has one".to_owned())
        })?;
        tls::config(ca, own, protocols)
    }

    fn certificate(&self, what: &str) -> Result<ClientCertificate<'_>, Failure> {
        let given = self.options.cert.as_deref().zip(self.options.key.as_deref());
        let device = self.ready.device.as_ref();
        let device = device.map(|files| (files.cert.as_path(), files.key.as_path()));
        let found: Option<(&Path, &Path)> = given.or(device);
        let (certificate, key) = found.ok_or_else(|| {
            Failure::Option(format!("{what} needs --cert and --key, or a ready file with a device"))
        })?;
        Ok(ClientCertificate { certificate, key })
    }
}
