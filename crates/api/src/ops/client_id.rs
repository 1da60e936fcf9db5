//! Client IDs as senders name them.

use std::borrow::Cow;

use engine::limits::CLIENT_ID_BYTES;
use mqtt::ClientId;

use crate::percent;

/// The text of a path label.
///
/// # Errors
/// The sentence for the sender.
pub(crate) fn decode(label: &str) -> Result<Cow<'_, str>, String> {
    percent::decode(label).map_err(|what| format!("The client ID in the path {what}."))
}

/// The client ID that a sender names.
///
/// # Errors
/// The sentence for the sender.
pub(crate) fn check(decoded: &str) -> Result<ClientId, String> {
    if !is_addressable(decoded) {
        return Err(format!(
            "The client ID must not be longer than {CLIENT_ID_BYTES} bytes and must not start with $."
        ));
    }
    ClientId::parse(decoded).map_err(|error| format!("The client ID is none: {error}."))
}

/// Whether a client ID, or a part of one, is of those that a sender can name.
pub(crate) fn is_addressable(client_id: &str) -> bool {
    client_id.len() <= CLIENT_ID_BYTES && !client_id.starts_with('$')
}

/// The client ID of a path label.
///
/// # Errors
/// The sentence for the sender.
pub(crate) fn of_label(label: &str) -> Result<ClientId, String> {
    check(&decode(label)?)
}

/// A label as the log has it, valid or not; empty when it cannot be read.
pub(crate) fn logged(label: &str) -> Cow<'_, str> {
    decode(label).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_decoded_and_then_checked() {
        let client_id = of_label("a%2Fb/c").expect("valid");
        assert_eq!(client_id.as_str(), "a/b/c");
        assert!(of_label(&"x".repeat(128)).is_ok());
        for label in ["", "$x", "%24x", "%zz", "%00", &"x".repeat(129), &"%C3%A9".repeat(65)] {
            assert!(of_label(label).is_err(), "{label}");
        }
    }

    #[test]
    fn the_log_has_what_can_be_read() {
        assert_eq!(logged("%24x"), "$x");
        assert_eq!(logged("%zz"), "");
    }
}
