//! `tenfour listen`: a device in the terminal.

mod acknowledgements;
mod report;
mod target;

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use client::{Device, Ending, Event, Message};
use mqtt::{ReasonCode, Version};
use tokio::time::Instant;

use self::acknowledgements::Acknowledgements;
use self::report::Report;
use self::target::TargetArgs;
use super::runtime::{block_on, fail};

const STATUSES: &str = "Exit status:
  0  --count messages arrived, or Ctrl-C
  1  usage, no connection, or the server ended it

Examples:
  tenfour listen myDevice
  tenfour listen myDevice --ack-delay 1500 --json";

/// Is a device: connects with its certificate and prints what it receives
///
/// Without --endpoint it connects to the server that `tenfour dev` runs for the data folder, with
/// the certificate of that folder's device. Direct messages need no subscription.
#[derive(Args, Debug)]
#[command(after_help = STATUSES)]
pub struct ListenArgs {
    /// The MQTT client ID to connect with
    #[arg(value_name = "CLIENT")]
    pub client: String,
    /// The MQTT version, 3 (for 3.1.1) or 5
    #[arg(long, value_name = "VERSION", default_value = "5", value_parser = parse_version)]
    pub mqtt: Version,
    /// Does not acknowledge
    #[arg(long, conflicts_with = "ack_delay")]
    pub no_ack: bool,
    /// Acknowledges so many milliseconds after a message arrived
    #[arg(long, value_name = "MS", default_value_t = 0)]
    pub ack_delay: u64,
    /// Ends after so many messages
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub count: Option<u64>,
    /// Prints one JSON object a line
    #[arg(long)]
    pub json: bool,
    /// Where to connect to, and with what.
    #[command(flatten)]
    pub target: TargetArgs,
}

impl ListenArgs {
    /// Runs the command.
    pub fn run(self) -> ExitCode {
        block_on(async {
            match self.listen().await {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => fail(error),
            }
        })
    }

    async fn listen(&self) -> Result<(), String> {
        let options = self.target.options(&self.client, self.mqtt)?;
        let report = Report::new(self.json);
        let (device, connected) = Device::connect(&options)
            .await
            .map_err(|error| self.target.explain(&self.client, &error))?;
        report.connected(&options, &connected);
        let delay = (!self.no_ack).then(|| Duration::from_millis(self.ack_delay));
        let pending = Acknowledgements::new(delay);
        let mut listener = Listener { device, pending, report, left: self.count };
        let ended = tokio::select! {
            ended = listener.run() => ended?,
            interrupted = tokio::signal::ctrl_c() => {
                interrupted.map_err(|error| format!("Ctrl-C cannot be waited for: {error}"))?;
                None
            }
        };
        if let Some(ending) = ended {
            report.ended(&ending);
            return Err(ending.to_string());
        }
        // The server may have gone first; there is nothing left to lose.
        let _ = listener.device.disconnect().await;
        Ok(())
    }
}

/// A connected device, what it still has to acknowledge, and how many messages it waits for.
struct Listener {
    device: Device,
    pending: Acknowledgements,
    report: Report,
    left: Option<u64>,
}

impl Listener {
    /// Until enough messages came and are acknowledged, or until the server ends the connection.
    async fn run(&mut self) -> Result<Option<Ending>, String> {
        while self.left != Some(0) || !self.pending.is_empty() {
            tokio::select! {
                event = self.device.next() => {
                    match event.map_err(|error| error.to_string())? {
                        Event::Message(message) => self.received(&message),
                        Event::Disconnected(ending) => return Ok(Some(ending)),
                    }
                }
                packet_id = self.pending.due() => {
                    let sent = self.device.acknowledge(packet_id, ReasonCode::Success).await;
                    sent.map_err(|error| error.to_string())?;
                    self.report.acknowledged(packet_id);
                }
            }
        }
        Ok(None)
    }

    fn received(&mut self, message: &Message) {
        if self.left == Some(0) {
            // Waiting for the last acknowledgements; this one is for nobody.
            return;
        }
        self.left = self.left.map(|left| left - 1);
        self.report.message(message);
        if let Some(packet_id) = message.packet_id {
            self.pending.push(packet_id, Instant::now());
        }
    }
}

fn parse_version(text: &str) -> Result<Version, String> {
    match text {
        "3" | "3.1.1" => Ok(Version::V311),
        "5" | "5.0" => Ok(Version::V5),
        other => Err(format!("there is no MQTT {other} here; expected 3 or 5")),
    }
}
