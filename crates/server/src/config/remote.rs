//! A server of the operator's that something is posted to: its URL, and whom to believe that it is that
//! server.

use std::path::Path;

use client::{Scheme, Tls, TlsParts, Url};
use http::Uri;

use super::document::Value;
use super::mistake::{Mistakes, Place};

/// A server that is posted to.
#[derive(Clone, Debug)]
pub struct Remote {
    /// The server.
    pub url: Url,
    /// The path, and the query if there is one.
    pub path_and_query: String,
    /// Whom to believe that it is that server; there is one for `https`.
    pub tls: Option<Tls>,
    /// Where the configuration names the URL.
    place: Place,
}

impl Remote {
    /// Reads the URL, which is like `example`, and the authorities in the file that `ca` names.
    pub(super) fn read(
        url: &Value<'_>,
        ca: Option<Value<'_>>,
        example: &'static str,
    ) -> Option<Remote> {
        let (server, path_and_query) = url.parse(|text| parse_url(text, example))?;
        let tls = match server.scheme() {
            Scheme::Https => Some(read_tls(url, ca)?),
            Scheme::Http => {
                if let Some(ca) = ca {
                    ca.mistake(
                        "is of use with https only; write https:// in the URL, or leave it out",
                    );
                }
                None
            }
        };
        Some(Remote { url: server, path_and_query, tls, place: url.place() })
    }

    /// A warning when whoever is on the way can read `what` is posted.
    pub(super) fn warnings(&self, what: &str) -> Mistakes {
        let mut warnings = Mistakes::default();
        let host = self.url.endpoint().host();
        let is_local = host == "localhost"
            || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback());
        if self.url.scheme() == Scheme::Http && !is_local {
            let advice = "everybody on the way can read them; write https://";
            let message = format!("{what} go to {host} in the clear: {advice}");
            warnings.add(self.place.clone(), message);
        }
        warnings
    }
}

fn parse_url(text: &str, example: &str) -> Result<(Url, String), String> {
    let example = format!("such as \"{example}\"");
    let uri: Uri =
        text.parse().map_err(|error| format!("\"{text}\" is no URL {example}: {error}"))?;
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err(format!("expected a URL {example}, not \"{text}\""));
    };
    if authority.as_str().contains('@') || text.contains('#') {
        return Err("must have neither a name and password nor a fragment".to_owned());
    }
    let url = format!("{scheme}://{authority}").parse();
    let url = url.map_err(|error: client::EndpointError| error.to_string())?;
    let path_and_query = uri.path_and_query().map_or("/", |target| target.as_str());
    Ok((url, path_and_query.to_owned()))
}

/// The authorities that are believed: those in the file that `ca` names, or the system's.
fn read_tls(url: &Value<'_>, ca: Option<Value<'_>>) -> Option<Tls> {
    let Some(value) = ca else {
        return system_tls().map_err(|message| url.mistake(message)).ok();
    };
    let path = value.path()?;
    file_tls(&path).map_err(|message| value.mistake(message)).ok()
}

fn file_tls(path: &Path) -> Result<Tls, String> {
    let pem =
        std::fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    Tls::new(TlsParts { ca: &pem, ..TlsParts::default() })
        .map_err(|error| format!("{}: {error}", path.display()))
}

fn system_tls() -> Result<Tls, String> {
    let found = rustls_native_certs::load_native_certs();
    if found.certs.is_empty() {
        let advice = "name the server's in ca = \"…\"";
        return Err(format!("the system has no certificates of authorities; {advice}"));
    }
    Tls::trusting(found.certs).map_err(|error| error.to_string())
}
