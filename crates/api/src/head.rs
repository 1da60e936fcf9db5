//! The head of a request.

use http::HeaderMap;
use http::request::Parts;

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
    pub headers: &'a HeaderMap,
}

impl<'a> Head<'a> {
    /// The head in the form of the crate `http`.
    pub fn of(parts: &'a Parts) -> Self {
        Head {
            method: parts.method.as_str(),
            path: parts.uri.path(),
            query: parts.uri.query().unwrap_or(""),
            headers: &parts.headers,
        }
    }
}
