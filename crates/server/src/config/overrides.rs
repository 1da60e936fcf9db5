//! What the command line changes in a configuration.

use std::net::SocketAddr;

use engine::profile::Profile;

use super::Config;
use super::listeners::{ListenerName, MqttAccess};
use super::mistake::{Mistakes, Place};

/// What the command line changes in a configuration.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// `--ephemeral-ports`: every listener takes a free port.
    pub ephemeral_ports: bool,
    /// `--listen NAME=ADDRESS`: listeners to move or add; wins over `ephemeral_ports`.
    pub listen: Vec<(ListenerName, SocketAddr)>,
    /// `--profile`: the MQTT rules.
    pub profile: Option<&'static Profile>,
    /// `--open`: the plain listeners need no authentication and may do everything.
    pub open: bool,
    /// `--unlimited`: no rate quotas.
    pub unlimited: bool,
}

impl Overrides {
    /// Reads `NAME=ADDRESS`, the value of `--listen`.
    ///
    /// # Errors
    /// Says what is wrong and how it is written.
    pub fn parse_listen(text: &str) -> Result<(ListenerName, SocketAddr), String> {
        let Some((name, address)) = text.split_once('=') else {
            return Err(format!(
                "expected NAME=ADDRESS, such as https=127.0.0.1:9443, not \"{text}\""
            ));
        };
        Ok((name.parse()?, super::listeners::parse_address(address)?))
    }

    /// Reads the value of `--profile`.
    ///
    /// # Errors
    /// Says which profiles there are.
    pub fn parse_profile(text: &str) -> Result<&'static Profile, String> {
        let found = Profile::by_name(text);
        found.ok_or_else(|| format!("there is no profile \"{text}\"; expected aws or standard"))
    }
}

impl Config {
    /// This configuration as the command line wants it, but for the profile.
    ///
    /// # Errors
    /// What the changes would make wrong.
    pub(super) fn with(mut self, overrides: &Overrides) -> Result<Config, Mistakes> {
        if overrides.ephemeral_ports {
            let served: Vec<_> = self.listeners.served().collect();
            for (name, mut address) in served {
                address.set_port(0);
                self.listeners.set_address(name, address);
            }
        }
        for (name, address) in &overrides.listen {
            self.listeners.set_address(*name, *address);
        }
        if overrides.open {
            if let Some(mqtt) = &mut self.listeners.mqtt {
                mqtt.access = Some(MqttAccess::Open);
            }
            if let Some(http) = &mut self.listeners.http {
                http.open = true;
            }
        }
        if overrides.unlimited {
            self.quotas = self.quotas.without_rates();
        }
        let option = if overrides.open { "--open" } else { "--listen" };
        let mut mistakes = self.listeners.verify(|_| Place::Argument(option));
        let tls = self.listeners.served().find(|(name, _)| name.is_tls());
        if let (None, Some((name, _))) = (&self.tls, tls) {
            let message = format!("listener `{name}` needs the [tls] table in the configuration");
            mistakes.add(Place::Argument(option), message);
        }
        mistakes.or(self)
    }
}
