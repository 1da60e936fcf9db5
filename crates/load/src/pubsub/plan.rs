//! Who publishes what to whom.

use std::time::Duration;

use client::Endpoint;
use mqtt::{QoS, Version};

use crate::failure::Failure;
use crate::options::{PubsubOptions, PubsubQoS, Shape};
use crate::process::Process;
use crate::target::Target;

/// A run.
pub(crate) struct PubsubPlan {
    /// The broker.
    pub(crate) endpoint: Endpoint,
    /// Its process, if it is known.
    pub(crate) process: Option<Process>,
    /// Everybody's version of MQTT.
    pub(crate) version: Version,
    /// Of publishing and of subscribing.
    pub(crate) qos: QoS,
    /// Publishers, each with a topic of its own.
    pub(crate) publishers: u32,
    /// Subscribers of each topic.
    pub(crate) fan: u32,
    /// Messages of each publisher on their way at once.
    pub(crate) window: u32,
    /// Messages a second over all publishers; `None` for as many as arrive.
    pub(crate) rate: Option<u32>,
    /// Bytes of each message.
    pub(crate) payload: usize,
    /// How long is not measured.
    pub(crate) warmup: Duration,
    /// How long is measured.
    pub(crate) measured: Duration,
}

impl PubsubPlan {
    /// The run that the options ask for.
    ///
    /// # Errors
    /// Which option is wrong or missing, and what would be right.
    pub(crate) fn new(options: &PubsubOptions) -> Result<Self, Failure> {
        let target = Target::new(&options.target)?;
        let (publishers, fan) = match options.shape {
            Shape::Pairs => (options.devices, 1),
            Shape::Fanout => (1, options.devices),
        };
        Ok(Self {
            endpoint: target.plain_devices()?,
            process: target.process(),
            version: options.mqtt.version(),
            qos: match options.qos {
                PubsubQoS::Zero => QoS::AtMostOnce,
                PubsubQoS::One => QoS::AtLeastOnce,
                PubsubQoS::Two => QoS::ExactlyOnce,
            },
            publishers,
            fan,
            window: options.window,
            rate: options.rate,
            payload: options.payload as usize,
            warmup: Duration::from_secs(options.warmup.into()),
            measured: Duration::from_secs(options.seconds.into()),
        })
    }

    /// How many subscribers there are.
    pub(crate) fn subscribers(&self) -> u32 {
        self.publishers * self.fan
    }

    /// How many connections there will be.
    pub(crate) fn connections(&self) -> u64 {
        u64::from(self.publishers) + u64::from(self.subscribers())
    }

    /// The topic of publisher `publisher`.
    pub(crate) fn topic(publisher: u32) -> String {
        format!("load/pubsub/{publisher}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::{Cli, Mode};
    use clap::Parser;

    fn plan(line: &str) -> Result<PubsubPlan, Failure> {
        let words = ["tenfour-load", "pubsub"].into_iter().chain(line.split_whitespace());
        match Cli::try_parse_from(words).unwrap().mode {
            Some(Mode::Pubsub(options)) => PubsubPlan::new(&options),
            _ => panic!("pubsub is the mode"),
        }
    }

    #[test]
    fn pairs_have_a_topic_each_and_a_fan_one_together() {
        let pairs = plan("--device-address h:1 --shape pairs --devices 10").unwrap();
        assert_eq!((pairs.publishers, pairs.subscribers(), pairs.connections()), (10, 10, 20));
        let fan = plan("--device-address h:1 --shape fanout --devices 10 --qos 2").unwrap();
        assert_eq!((fan.publishers, fan.subscribers(), fan.connections()), (1, 10, 11));
        assert_eq!(fan.qos, QoS::ExactlyOnce);
    }

    #[test]
    fn a_broker_is_needed() {
        let failure = plan("--shape pairs").err().unwrap().to_string();
        assert!(failure.contains("--device-address"), "{failure}");
    }
}
