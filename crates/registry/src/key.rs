//! What names a record.

use std::fmt;

use policy::{Resource, Scope};

/// The name of a record. No two records have the same, whatever their sources.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// A device's certificate, by its ID (64 lower-case hexadecimal digits).
    Certificate(String),
    /// The certificate of an authority, by its ID.
    Authority(String),
    /// A policy, by its name.
    Policy(String),
    /// A thing, by its name.
    Thing(String),
    /// A sender, by its access key ID.
    Sender(String),
    /// The code that proves that somebody has an authority's key.
    RegistrationCode,
    /// The authority with which this node makes certificates.
    Issuer,
    /// What was set of the log.
    Logging,
}

impl Key {
    /// The ID or name alone; empty for what there is one of.
    pub fn name(&self) -> &str {
        match self {
            Key::Certificate(name)
            | Key::Authority(name)
            | Key::Policy(name)
            | Key::Thing(name)
            | Key::Sender(name) => name,
            Key::RegistrationCode | Key::Issuer | Key::Logging => "",
        }
    }

    /// Its ARN; `*` for what has none.
    pub fn arn(&self, scope: &Scope) -> String {
        scope.arn(match self {
            Key::Certificate(id) => Resource::Certificate(id),
            Key::Authority(id) => Resource::CaCertificate(id),
            Key::Policy(name) => Resource::Policy(name),
            Key::Thing(name) => Resource::Thing(name),
            Key::Sender(_) | Key::RegistrationCode | Key::Issuer | Key::Logging => Resource::Any,
        })
    }
}

impl fmt::Display for Key {
    /// As a sentence names it: `certificate 0a1b…`, `policy lamps`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Key::Certificate(id) => write!(f, "certificate {id}"),
            Key::Authority(id) => write!(f, "CA certificate {id}"),
            Key::Policy(name) => write!(f, "policy {name}"),
            Key::Thing(name) => write!(f, "thing {name}"),
            Key::Sender(id) => write!(f, "access key {id}"),
            Key::RegistrationCode => f.write_str("registration code"),
            Key::Issuer => f.write_str("issuer"),
            Key::Logging => f.write_str("logging options"),
        }
    }
}
