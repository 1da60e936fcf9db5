//! Which session a client asks for, and whether it got it.

use mqtt::{
    Connect, Disconnect, EncodeError, Properties, PropertiesBuf, Property, ReasonCode, Version,
};

/// Longer than any run, so that nobody has to ping.
const KEEP_ALIVE_SECONDS: u16 = 7200;
/// How long a session outlives its connection: longer than anybody is away in a run, and short
/// enough that what a run leaves behind goes by itself.
const EXPIRY_SECONDS: u32 = 900;

/// What a CONNECT says of the session. Sessions that outlive a connection are MQTT 5's: 3.1.1 cannot
/// ask for a new one and for its survival at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Session {
    /// A new one that ends with the connection.
    Transient,
    /// A new one, whatever there was, that outlives the connection.
    Begun,
    /// The one that is there, which outlives this connection too.
    Resumed,
}

impl Session {
    /// The CONNECT of `client_id` without will, name and password.
    ///
    /// # Errors
    /// When MQTT has no such packet.
    pub(crate) fn connect(self, version: Version, client_id: &str) -> Result<Vec<u8>, EncodeError> {
        let mut properties = PropertiesBuf::new();
        match self {
            Self::Transient => {}
            Self::Begun | Self::Resumed => {
                properties.push(Property::SessionExpiryInterval(EXPIRY_SECONDS))?;
            }
        }
        let connect = Connect {
            version,
            clean_start: match self {
                Self::Transient | Self::Begun => true,
                Self::Resumed => false,
            },
            keep_alive: KEEP_ALIVE_SECONDS,
            client_id,
            properties: match version {
                Version::V311 => Properties::EMPTY,
                Version::V5 => properties.as_properties(),
            },
            will: None,
            username: None,
            password: None,
        };
        let mut packet = Vec::new();
        connect.encode(version, &mut packet)?;
        Ok(packet)
    }

    /// Whether CONNACK's session present is what was asked for `[MQTT-3.2.2-2]`, `[MQTT-3.2.2-3]`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn check(self, present: bool) -> Result<(), String> {
        match (self, present) {
            (Self::Transient | Self::Begun, false) | (Self::Resumed, true) => Ok(()),
            (Self::Transient | Self::Begun, true) => {
                Err("the server says that it goes on with a session, and clean start was set"
                    .to_owned())
            }
            (Self::Resumed, false) => Err(format!(
                "the server has no session of it, and it asked for one {EXPIRY_SECONDS} s long \
                 when it was here before"
            )),
        }
    }
}

/// What becomes of a session that outlives its connections when its client leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Farewell {
    /// It stays as long as CONNECT has asked for.
    Kept,
    /// It ends at once.
    Ended,
}

impl Farewell {
    /// Appends the DISCONNECT.
    ///
    /// # Errors
    /// When MQTT has no such packet.
    pub(crate) fn encode(self, version: Version, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let mut properties = PropertiesBuf::new();
        match self {
            Self::Kept => {}
            Self::Ended => properties.push(Property::SessionExpiryInterval(0))?,
        }
        let disconnect =
            Disconnect { reason: ReasonCode::Success, properties: properties.as_properties() };
        disconnect.encode(version, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mqtt::{Packet, decode};

    #[test]
    fn a_session_is_asked_for_as_the_standard_says() {
        for (session, clean_start, expiry) in [
            (Session::Transient, true, None),
            (Session::Begun, true, Some(EXPIRY_SECONDS)),
            (Session::Resumed, false, Some(EXPIRY_SECONDS)),
        ] {
            let bytes = session.connect(Version::V5, "c").unwrap();
            let Some((Packet::Connect(connect), _)) = decode(&bytes, Version::V5, 100).unwrap()
            else {
                panic!("a CONNECT")
            };
            let asked = (connect.clean_start, connect.properties.session_expiry_interval());
            assert_eq!(asked, (clean_start, expiry), "{session:?}");
        }
    }

    #[test]
    fn a_session_that_was_not_asked_for_and_one_that_is_gone_are_told() {
        assert!(Session::Resumed.check(true).is_ok() && Session::Begun.check(false).is_ok());
        assert!(Session::Transient.check(true).unwrap_err().contains("clean start"));
        assert!(Session::Resumed.check(false).unwrap_err().contains("no session"));
    }
}
