//! Who sends, and where to: the data folder's server, or another.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use client::{AccessKey, Scheme, Sender, SenderIdentity, SenderOptions, Url};

use super::super::found::{self, Found};
use crate::config::{DEFAULT_REGION, ListenerName};

/// HTTP with a client certificate where the listener offers other things as well (spec 1.1).
const ALPN_X509: &[&str] = &["x-amzn-http-ca"];
/// One request needs no HTTP/2.
const ALPN_SIGNED: &[&str] = &["http/1.1"];

/// Who sends, and where to.
#[derive(Args, Debug)]
#[command(next_help_heading = "Server and identity")]
pub struct SenderArgs {
    /// The data folder of the running `tenfour dev`
    #[arg(long, value_name = "FOLDER", default_value = ".tenfour", conflicts_with = "endpoint")]
    pub dir: PathBuf,
    /// Whose access key of the data folder to use
    #[arg(long = "as", value_name = "WHO", default_value = "sender", conflicts_with = "endpoint")]
    pub who: Who,
    /// Another server, such as https://localhost:9443
    #[arg(long, value_name = "URL")]
    pub endpoint: Option<Url>,
    /// The certificate to check that server against
    #[arg(long, value_name = "FILE", requires = "endpoint")]
    pub ca: Option<PathBuf>,
    /// The access key to sign with; else the environment's AWS_ACCESS_KEY_ID and its companions
    #[arg(long, value_name = "ID", requires_all = ["endpoint", "secret_access_key"])]
    pub access_key_id: Option<String>,
    /// Its secret, which other users of this machine can see here: prefer the environment
    #[arg(long, value_name = "SECRET", requires_all = ["endpoint", "access_key_id"])]
    pub secret_access_key: Option<String>,
    /// Its session token, for temporary credentials
    #[arg(long, value_name = "TOKEN", requires = "access_key_id")]
    pub session_token: Option<String>,
    /// The region of that server
    #[arg(long, value_name = "REGION", requires = "endpoint", default_value = DEFAULT_REGION)]
    pub region: String,
    /// The client certificate to send with, instead of an access key
    #[arg(long, value_name = "FILE", requires_all = ["endpoint", "key"])]
    #[arg(conflicts_with = "access_key_id")]
    pub cert: Option<PathBuf>,
    /// Its private key
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub key: Option<PathBuf>,
}

/// Whose access key of the data folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Who {
    /// The backend with the announcement's policy
    Sender,
    /// The one who may do everything
    Admin,
}

impl SenderArgs {
    /// A sender that is ready to connect.
    pub(super) fn connectable(&self) -> Result<Sender, String> {
        let options = match &self.endpoint {
            None => self.of_folder()?,
            Some(url) => self.elsewhere(url)?,
        };
        Sender::new(options).map_err(|error| error.to_string())
    }

    fn of_folder(&self) -> Result<SenderOptions, String> {
        let found = Found::read(&self.dir)?;
        let (key, name) = match self.who {
            Who::Sender => (&found.sender, "backend"),
            Who::Admin => (&found.admin, "admin"),
        };
        let key = key.as_ref().ok_or_else(|| {
            let file = self.dir.join(format!("registry/senders/{name}.toml"));
            format!("the server has no access key to use; {} had it", file.display())
        })?;
        let identity = SenderIdentity::AccessKey(AccessKey {
            access_key_id: key.access_key_id.clone(),
            secret_access_key: key.secret_access_key.clone(),
            session_token: None,
            region: found.region.clone(),
        });
        let url = Url::new(Scheme::Https, found.endpoint(ListenerName::Https)?);
        let tls = found::tls(found.ca()?, None, ALPN_SIGNED)?;
        Ok(SenderOptions::new(url, identity, Some(tls)))
    }

    fn elsewhere(&self, url: &Url) -> Result<SenderOptions, String> {
        let own = self.cert.as_deref().zip(self.key.as_deref());
        let identity = match (own, self.access_key()) {
            (Some(_), _) => SenderIdentity::Certificate,
            (None, Some(key)) => SenderIdentity::AccessKey(key),
            (None, None) if url.scheme() == Scheme::Http => SenderIdentity::Anonymous,
            (None, None) => {
                return Err("who sends? Name an access key with --access-key-id and \
                            --secret-access-key, or a certificate with --cert and --key"
                    .to_owned());
            }
        };
        let alpn = if own.is_some() { ALPN_X509 } else { ALPN_SIGNED };
        let tls = match (url.scheme(), &self.ca) {
            (Scheme::Http, _) if own.is_some() => {
                return Err(format!("a certificate needs TLS, and {url} has none"));
            }
            (Scheme::Http, _) => None,
            (Scheme::Https, Some(ca)) => Some(found::tls(ca, own, alpn)?),
            (Scheme::Https, None) => {
                return Err(format!("{url} needs --ca, the certificate to check it against"));
            }
        };
        Ok(SenderOptions::new(url.clone(), identity, tls))
    }

    /// From the arguments, or else from the environment as the AWS SDKs read it.
    fn access_key(&self) -> Option<AccessKey> {
        let from_environment = |name| std::env::var(name).ok().filter(|text| !text.is_empty());
        let (id, secret, token) = match (&self.access_key_id, &self.secret_access_key) {
            (Some(id), Some(secret)) => (id.clone(), secret.clone(), self.session_token.clone()),
            (None, _) | (_, None) => (
                from_environment("AWS_ACCESS_KEY_ID")?,
                from_environment("AWS_SECRET_ACCESS_KEY")?,
                from_environment("AWS_SESSION_TOKEN"),
            ),
        };
        Some(AccessKey {
            access_key_id: id,
            secret_access_key: secret,
            session_token: token,
            region: self.region.clone(),
        })
    }
}
