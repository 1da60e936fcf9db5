//! What a run will do: options that fit together.

use std::time::Duration;

use mqtt::{TopicName, Version};

use crate::failure::Failure;
use crate::options::{FleetOptions, MessageOptions};
use crate::process::Process;
use crate::tally::Expected;
use crate::target::Target;
use crate::transport::Connector;

/// The devices of a run.
#[derive(Clone)]
pub(crate) struct FleetPlan {
    /// How they connect.
    pub(crate) connector: Connector,
    /// Their version of MQTT.
    pub(crate) version: Version,
    /// The number of the first one.
    pub(crate) first: u32,
    /// How many there are.
    pub(crate) count: u32,
}

/// A run with messages.
pub(crate) struct Plan {
    /// The devices.
    pub(crate) fleet: FleetPlan,
    /// Whether they connect.
    pub(crate) presence: Presence,
    /// How senders connect.
    pub(crate) connector: Connector,
    /// How many senders there are.
    pub(crate) senders: u32,
    /// What they speak.
    pub(crate) protocol: Protocol,
    /// With what requests are signed, if they are.
    pub(crate) signing: Option<Signing>,
    /// What is sent.
    pub(crate) messages: Messages,
    /// When it is sent.
    pub(crate) pace: Pace,
    /// How long is not measured.
    pub(crate) warmup: Duration,
    /// How long is measured.
    pub(crate) measured: Duration,
    /// Threads.
    pub(crate) threads: u32,
    /// The server's process, if it is known.
    pub(crate) process: Option<Process>,
}

/// Whether the addressed devices are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    /// All are connected before the first message.
    Connected,
    /// None is.
    Offline,
}

/// What senders speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// HTTP/1.1, a connection each.
    Http1,
    /// HTTP/2, one connection together.
    Http2,
}

/// What each message is.
#[derive(Clone, Debug)]
pub(crate) struct Messages {
    /// The topic: a valid topic name.
    pub(crate) topic: String,
    /// Whether its answer waits for the device.
    pub(crate) confirmation: Confirmation,
    /// The length of its payload.
    pub(crate) payload_bytes: usize,
    /// Whether it has an idempotency key.
    pub(crate) keys: bool,
}

/// Whether an answer waits for the device's acknowledgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Confirmation {
    /// It does not.
    None,
    /// It does, for so long.
    Within {
        /// The timeout, 1 to 15.
        seconds: u8,
    },
}

/// When messages are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// The next one when the last one is answered.
    Closed,
    /// At fixed times.
    Open {
        /// Messages a second, over all senders.
        rate: u32,
        /// How many may be due and unsent, over all threads.
        backlog: u32,
    },
}

/// With what requests are signed.
#[derive(Clone)]
pub(crate) struct Signing {
    /// The access key ID.
    pub(crate) access_key_id: String,
    /// The secret access key.
    pub(crate) secret_access_key: String,
    /// The region of the scope.
    pub(crate) region: String,
}

impl FleetPlan {
    /// The devices that the options ask for.
    ///
    /// # Errors
    /// See [`Target::devices`].
    pub(crate) fn new(options: &FleetOptions, target: &Target<'_>) -> Result<Self, Failure> {
        let connector = target.devices(options.device_transport)?;
        let FleetOptions { first, devices: count, mqtt, .. } = *options;
        Ok(Self { connector, version: mqtt.version(), first, count })
    }
}

impl Plan {
    /// The run that the options ask for.
    ///
    /// # Errors
    /// Which option is wrong or missing, and what would be right.
    pub(crate) fn new(options: &MessageOptions) -> Result<Self, Failure> {
        let target = Target::new(&options.target)?;
        TopicName::parse(&options.topic)
            .map_err(|error| Failure::Option(format!("--topic \"{}\": {error}", options.topic)))?;
        if options.threads > options.senders {
            return Err(Failure::Option(format!(
                "--threads {} is more than --senders {}: some would have nothing to do",
                options.threads, options.senders
            )));
        }
        if options.http2 && options.threads > 1 {
            return Err(Failure::Option(format!(
                "--http2 is one connection, which has one thread; not --threads {}",
                options.threads
            )));
        }
        let confirmation = match options.no_confirm {
            true => Confirmation::None,
            false => Confirmation::Within { seconds: options.timeout },
        };
        Ok(Self {
            fleet: FleetPlan::new(&options.fleet, &target)?,
            presence: if options.offline { Presence::Offline } else { Presence::Connected },
            connector: target.senders(options)?,
            senders: options.senders,
            protocol: if options.http2 { Protocol::Http2 } else { Protocol::Http1 },
            signing: target.signing(options)?,
            messages: Messages {
                topic: options.topic.clone(),
                confirmation,
                payload_bytes: options.payload as usize,
                keys: options.idempotency_keys,
            },
            pace: options.rate.map_or(Pace::Closed, |rate| Pace::Open {
                rate,
                backlog: options.backlog.unwrap_or(rate),
            }),
            warmup: Duration::from_secs(options.warmup.into()),
            measured: Duration::from_secs(options.seconds.into()),
            threads: options.threads,
            process: target.process(),
        })
    }

    /// How many connections there will be.
    pub(crate) fn connections(&self) -> u64 {
        let devices = match self.presence {
            Presence::Connected => self.fleet.count,
            Presence::Offline => 0,
        };
        let senders = match self.protocol {
            Protocol::Http1 => self.senders,
            Protocol::Http2 => 1,
        };
        u64::from(devices) + u64::from(senders)
    }

    /// How long an answer may take after the last request was sent.
    pub(crate) fn grace(&self) -> Duration {
        let timeout = match self.messages.confirmation {
            Confirmation::None => 0,
            Confirmation::Within { seconds } => seconds,
        };
        Duration::from_secs(u64::from(timeout) + 2)
    }

    /// The answer that the run is about.
    pub(crate) fn expected(&self) -> Expected {
        match self.presence {
            Presence::Connected => Expected::Delivered,
            Presence::Offline => Expected::NotConnected,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Cli;
    use clap::Parser;

    fn plan(line: &str) -> Result<Plan, Failure> {
        let words = ["tenfour-load"].into_iter().chain(line.split_whitespace());
        Plan::new(&Cli::try_parse_from(words).unwrap().messages)
    }

    const ADDRESSES: &str = "--device-address 127.0.0.1:1883 --sender-address 127.0.0.1:8080";

    #[test]
    fn two_addresses_are_enough() {
        let plan = plan(&format!("{ADDRESSES} --devices 5 --senders 2 --rate 50")).unwrap();
        assert_eq!(plan.connections(), 7);
        assert_eq!(plan.pace, Pace::Open { rate: 50, backlog: 50 });
        assert_eq!(plan.messages.confirmation, Confirmation::Within { seconds: 5 });
        assert_eq!(plan.expected(), Expected::Delivered);
        assert!(plan.process.is_none());
    }

    #[test]
    fn devices_that_are_offline_need_no_connections_and_are_not_found() {
        let plan = plan(&format!("{ADDRESSES} --offline --senders 2")).unwrap();
        assert_eq!((plan.connections(), plan.expected()), (2, Expected::NotConnected));
    }

    #[test]
    fn senders_of_http2_share_a_connection() {
        let plan = plan(&format!("{ADDRESSES} --devices 5 --senders 64 --http2")).unwrap();
        assert_eq!((plan.connections(), plan.protocol), (6, Protocol::Http2));
    }

    #[test]
    fn options_that_do_not_fit_are_refused_with_what_is_missing() {
        for (line, missing) in [
            ("", "--ready-file"),
            ("--device-address 127.0.0.1:1", "--sender-address"),
            ("--device-address nowhere --sender-address 127.0.0.1:1", "HOST:PORT"),
            (&format!("{ADDRESSES} --auth x509"), "--transport https"),
            (&format!("{ADDRESSES} --auth sigv4"), "--access-key-id"),
            (
                &format!("{ADDRESSES} --auth sigv4 --access-key-id a --secret-access-key b"),
                "--region",
            ),
            (&format!("{ADDRESSES} --transport https"), "--ca"),
            (&format!("{ADDRESSES} --device-transport tls"), "--cert"),
            (&format!("{ADDRESSES} --topic a/#"), "--topic"),
            (&format!("{ADDRESSES} --threads 4 --senders 2"), "--threads"),
            (&format!("{ADDRESSES} --threads 2 --http2"), "--http2"),
        ] {
            let Err(failure) = plan(line) else { panic!("{line} was accepted") };
            assert!(failure.to_string().contains(missing), "{line}: {failure}");
        }
    }
}
