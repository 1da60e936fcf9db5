//! Who comes and goes.

use std::time::Duration;

use mqtt::Version;

use crate::failure::Failure;
use crate::options::{ConnectsOptions, Mqtt};
use crate::process::Process;
use crate::target::Target;
use crate::transport::Connector;

/// A run.
pub(crate) struct ConnectsPlan {
    /// How devices connect.
    pub(crate) connector: Connector,
    /// The server's process, if it is known.
    pub(crate) process: Option<Process>,
    /// Everybody's version of MQTT.
    pub(crate) version: Version,
    /// Places at which devices come and go.
    pub(crate) concurrency: u32,
    /// Sessions over all places, if any are kept; at least one a place.
    pub(crate) sessions: Option<u32>,
    /// How long is not measured.
    pub(crate) warmup: Duration,
    /// How long is measured.
    pub(crate) measured: Duration,
}

impl ConnectsPlan {
    /// The run that the options ask for.
    ///
    /// # Errors
    /// Which option is wrong or missing, and what would be right.
    pub(crate) fn new(options: &ConnectsOptions) -> Result<Self, Failure> {
        let refused = |sentence: &str| Err(Failure::Option(sentence.to_owned()));
        match (options.sessions, options.mqtt) {
            (Some(_), Mqtt::V311) => {
                return refused("--sessions needs --mqtt 5: sessions are kept for a time");
            }
            (Some(sessions), Mqtt::V5) if sessions < options.concurrency => {
                return refused("--sessions must not be below --concurrency: each place needs one");
            }
            (Some(_), Mqtt::V5) | (None, _) => {}
        }
        let target = Target::new(&options.target)?;
        Ok(Self {
            connector: target.devices(options.device_transport)?,
            process: target.process(),
            version: options.mqtt.version(),
            concurrency: options.concurrency,
            sessions: options.sessions,
            warmup: Duration::from_secs(options.warmup.into()),
            measured: Duration::from_secs(options.seconds.into()),
        })
    }

    /// How many sessions a place has of all that are kept.
    pub(crate) fn sessions_at(&self, place: u32) -> Option<u32> {
        self.sessions.map(|sessions| (sessions - place).div_ceil(self.concurrency))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::{Cli, Mode};
    use clap::Parser;

    fn plan(line: &str) -> Result<ConnectsPlan, Failure> {
        let words = ["tenfour-load", "connects", "--device-address", "h:1"].into_iter();
        match Cli::try_parse_from(words.chain(line.split_whitespace())).unwrap().mode {
            Some(Mode::Connects(options)) => ConnectsPlan::new(&options),
            _ => panic!("connects is the mode"),
        }
    }

    #[test]
    fn sessions_are_spread_over_the_places() {
        let kept = plan("--concurrency 4 --sessions 10").unwrap();
        assert_eq!([0, 1, 2, 3].map(|place| kept.sessions_at(place)), [3, 3, 2, 2].map(Some));
        assert_eq!(plan("--concurrency 4").unwrap().sessions_at(0), None);
    }

    #[test]
    fn sessions_that_cannot_be_kept_are_refused() {
        for (line, word) in [
            ("--sessions 100 --mqtt 3", "--mqtt 5"),
            ("--sessions 3 --concurrency 4", "--concurrency"),
        ] {
            let failure = plan(line).err().unwrap().to_string();
            assert!(failure.contains(word), "{failure}");
        }
    }
}
