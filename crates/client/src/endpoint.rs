//! Where to connect to.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// A host and a port, written `host:port`; an IPv6 address stands in brackets.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    host: Box<str>,
    port: u16,
}

/// The two kinds of URL a sender may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Without encryption.
    Http,
    /// With TLS.
    Https,
}

/// The address of an HTTP service: a scheme, a host and a port, and nothing behind them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Url {
    scheme: Scheme,
    endpoint: Endpoint,
}

/// Why a text names no endpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// Neither `http://` nor `https://` in front.
    #[error("\"{0}\" does not begin with https:// or http://; write https://HOST:PORT")]
    NoScheme(Box<str>),
    /// Something stands behind the port.
    #[error("\"{0}\" goes on behind the port; write https://HOST:PORT and nothing more")]
    Path(Box<str>),
    /// The host is missing or holds what no host name can hold.
    #[error("\"{0}\" has no valid host; write HOST:PORT, with an IPv6 address in brackets")]
    Host(Box<str>),
    /// The port is missing.
    #[error("\"{0}\" has no port; write HOST:PORT")]
    NoPort(Box<str>),
    /// The port is no number from 1 to 65535.
    #[error("the port of \"{0}\" is not a number from 1 to 65535")]
    Port(Box<str>),
}

impl Endpoint {
    /// The host name or IP address, without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Reads `host[:port]`; without a `default_port` the port must be there.
    fn parse(text: &str, default_port: Option<u16>) -> Result<Self, EndpointError> {
        let (host, rest) = split_host(text).ok_or_else(|| EndpointError::Host(text.into()))?;
        let port = match (rest.strip_prefix(':'), default_port) {
            (Some(digits), _) => {
                port_number(digits).ok_or_else(|| EndpointError::Port(text.into()))?
            }
            (None, Some(port)) => port,
            (None, None) => return Err(EndpointError::NoPort(text.into())),
        };
        Ok(Self { host: host.into(), port })
    }
}

/// The host, without brackets, and what follows it: nothing, or a colon and more.
fn split_host(text: &str) -> Option<(&str, &str)> {
    if let Some(bracketed) = text.strip_prefix('[') {
        let (host, rest) = bracketed.split_once(']')?;
        let is_ipv6 = host.parse::<IpAddr>().is_ok_and(|address| address.is_ipv6());
        return (is_ipv6 && (rest.is_empty() || rest.starts_with(':'))).then_some((host, rest));
    }
    let (host, rest) = text.split_at(text.find(':').unwrap_or(text.len()));
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    (!host.is_empty() && host.bytes().all(fits)).then_some((host, rest))
}

fn port_number(digits: &str) -> Option<u16> {
    // `parse` takes a leading plus sign, which is no digit.
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|port| is_number && *port != 0)
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        Self::parse(text, None)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

impl Scheme {
    /// The port of a URL that names none.
    const fn default_port(self) -> u16 {
        match self {
            Scheme::Http => 80,
            Scheme::Https => 443,
        }
    }

    /// As it stands in a URL, without the `://`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Scheme::Http => "http",
            Scheme::Https => "https",
        }
    }
}

impl Url {
    /// A URL of its parts.
    pub fn new(scheme: Scheme, endpoint: Endpoint) -> Self {
        Self { scheme, endpoint }
    }

    /// With or without TLS.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Host and port.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// What the `Host` header says: the port is left out where it is the scheme's default, as
    /// every HTTP client does, because a signature covers this text.
    pub fn authority(&self) -> String {
        let whole = self.endpoint.to_string();
        if self.endpoint.port != self.scheme.default_port() {
            return whole;
        }
        whole.rsplit_once(':').map_or(whole.clone(), |(host, _)| host.to_owned())
    }
}

impl FromStr for Url {
    type Err = EndpointError;

    /// Reads `https://host[:port][/]` or `http://host[:port][/]`.
    fn from_str(text: &str) -> Result<Self, EndpointError> {
        let known = [Scheme::Https, Scheme::Http].into_iter().find_map(|scheme| {
            let prefix = text.get(..scheme.as_str().len())?;
            let is_prefix = prefix.eq_ignore_ascii_case(scheme.as_str());
            let rest = text[prefix.len()..].strip_prefix("://").filter(|_| is_prefix)?;
            Some((scheme, rest))
        });
        let (scheme, rest) = known.ok_or_else(|| EndpointError::NoScheme(text.into()))?;
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        if authority.contains(['/', '?', '#']) {
            return Err(EndpointError::Path(text.into()));
        }
        let endpoint = Endpoint::parse(authority, Some(scheme.default_port()))?;
        Ok(Self { scheme, endpoint })
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.as_str(), self.endpoint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_read_and_print_alike() {
        for text in ["localhost:8883", "127.0.0.1:1", "[::1]:65535", "a-b.example:443"] {
            assert_eq!(text.parse::<Endpoint>().unwrap().to_string(), text);
        }
        let endpoint: Endpoint = "[::1]:8883".parse().unwrap();
        assert_eq!((endpoint.host(), endpoint.port()), ("::1", 8883));
    }

    #[test]
    fn what_is_no_endpoint_is_refused_with_its_mistake() {
        type Mistake = fn(Box<str>) -> EndpointError;
        let cases: [(&str, Mistake); 12] = [
            ("", EndpointError::Host),
            (":8883", EndpointError::Host),
            ("localhost", EndpointError::NoPort),
            ("[::1]", EndpointError::NoPort),
            ("localhost:", EndpointError::Port),
            ("localhost:0", EndpointError::Port),
            ("localhost:65536", EndpointError::Port),
            ("localhost:+80", EndpointError::Port),
            ("::1:8883", EndpointError::Host),
            ("[localhost]:1", EndpointError::Host),
            ("[::1]8883", EndpointError::Host),
            ("local host:1", EndpointError::Host),
        ];
        for (text, mistake) in cases {
            assert_eq!(text.parse::<Endpoint>(), Err(mistake(text.into())), "{text}");
        }
    }

    #[test]
    fn a_url_may_leave_its_port_and_slash_away() {
        for (text, whole, authority) in [
            ("https://localhost:9443", "https://localhost:9443", "localhost:9443"),
            ("HTTPS://localhost/", "https://localhost:443", "localhost"),
            ("http://127.0.0.1", "http://127.0.0.1:80", "127.0.0.1"),
            ("http://[::1]:8080/", "http://[::1]:8080", "[::1]:8080"),
            ("https://[::1]", "https://[::1]:443", "[::1]"),
            ("http://localhost:443", "http://localhost:443", "localhost:443"),
        ] {
            let url: Url = text.parse().unwrap();
            assert_eq!((url.to_string().as_str(), url.authority().as_str()), (whole, authority));
        }
    }

    #[test]
    fn what_is_no_url_is_refused_with_its_mistake() {
        type Mistake = fn(Box<str>) -> EndpointError;
        let cases: [(&str, &str, Mistake); 7] = [
            ("localhost:9443", "localhost:9443", EndpointError::NoScheme),
            ("httpsé://a", "httpsé://a", EndpointError::NoScheme),
            ("ftp://a", "ftp://a", EndpointError::NoScheme),
            ("https://a/b", "https://a/b", EndpointError::Path),
            ("https://a?b", "https://a?b", EndpointError::Path),
            ("https://", "", EndpointError::Host),
            ("https://user@a", "user@a", EndpointError::Host),
        ];
        for (text, quoted, mistake) in cases {
            assert_eq!(text.parse::<Url>(), Err(mistake(quoted.into())), "{text}");
        }
    }
}
