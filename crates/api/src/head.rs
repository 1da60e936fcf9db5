//! The head of a request.

use http::header::HOST;
use http::request::Parts;
use http::{HeaderMap, HeaderValue};
use identity::sigv4::{Field, Fields};
use smallvec::SmallVec;

/// The head of a request, as it came: nothing is decoded.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    /// The method's name.
    pub method: &'a str,
    /// The path, percent-encoded.
    pub path: &'a str,
    /// What follows the question mark; empty without one.
    pub query: &'a str,
    /// The headers, with a `host` in HTTP/2 as well.
    pub headers: Fields<'a>,
}

/// The headers of a request in the form of the crate `http`, one after the other.
pub struct Listed<'a>(SmallVec<[Field<'a>; 16]>);

impl<'a> Listed<'a> {
    /// The headers of a request.
    pub fn of(headers: &'a HeaderMap) -> Self {
        let fields = headers.iter();
        Listed(
            fields
                .map(|(name, value)| Field { name: name.as_str(), value: value.as_bytes() })
                .collect(),
        )
    }

    /// The head that they belong to.
    pub fn head<'h>(&'h self, parts: &'h Parts) -> Head<'h> {
        Head {
            method: parts.method.as_str(),
            path: parts.uri.path(),
            query: parts.uri.query().unwrap_or(""),
            headers: Fields::new(&self.0),
        }
    }
}

/// Names the host among the headers: HTTP/2 has it outside of them, and the signature covers it as
/// `host`.
pub fn name_host(parts: &mut Parts) {
    if parts.headers.contains_key(HOST) {
        return;
    }
    let host = parts.uri.authority().and_then(|host| HeaderValue::from_str(host.as_str()).ok());
    if let Some(host) = host {
        parts.headers.insert(HOST, host);
    }
}
