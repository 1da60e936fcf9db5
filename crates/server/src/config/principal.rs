//! The name under which the configuration and the command line know a principal.

use std::fmt;
use std::str::FromStr;

/// A certificate or a sender of the registry, by the file that describes it:
/// `certificates/myDevice` is `registry/certificates/myDevice.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PrincipalName {
    /// `certificates/NAME`
    Certificate(String),
    /// `senders/NAME`
    Sender(String),
}

impl fmt::Display for PrincipalName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PrincipalName::Certificate(name) => write!(f, "certificates/{name}"),
            PrincipalName::Sender(name) => write!(f, "senders/{name}"),
        }
    }
}

/// A text that names no principal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrincipalNameError(String);

impl fmt::Display for PrincipalNameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PrincipalNameError(text) = self;
        write!(f, "expected certificates/NAME or senders/NAME, not \"{text}\"")
    }
}

impl std::error::Error for PrincipalNameError {}

impl FromStr for PrincipalName {
    type Err = PrincipalNameError;

    fn from_str(text: &str) -> Result<Self, PrincipalNameError> {
        let error = || PrincipalNameError(text.to_owned());
        let (folder, name) = text.split_once('/').ok_or_else(error)?;
        if name.is_empty() || name.contains('/') {
            return Err(error());
        }
        match folder {
            "certificates" => Ok(PrincipalName::Certificate(name.to_owned())),
            "senders" => Ok(PrincipalName::Sender(name.to_owned())),
            _ => Err(error()),
        }
    }
}
