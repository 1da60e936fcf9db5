//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use mqtt::Version;
use serde::Serialize;

use crate::schedule::MAX_RATE;
use crate::template::MIN_PAYLOAD;

/// Load for direct messages: latency, throughput and what a message costs the server.
///
/// Devices connect as load-0, load-1, ... and acknowledge every message. Each sender has a
/// keep-alive connection (or with --http2 a stream of one connection) with one request in flight and
/// addresses one device after the other.
#[derive(Debug, Parser)]
#[command(
    name = "tenfour-load",
    version,
    args_conflicts_with_subcommands = true,
    after_long_help = EXAMPLES
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) mode: Option<Mode>,
    #[command(flatten)]
    pub(crate) messages: MessageOptions,
}

const EXAMPLES: &str = "\
Examples:
  tenfour dev --open --unlimited --ready-file ready.json &
  tenfour-load --ready-file ready.json --devices 1000 --senders 16
  tenfour-load --ready-file ready.json --devices 1000 --senders 64 --rate 5000 --json
  tenfour-load --ready-file ready.json --transport https --auth sigv4
  tenfour-load --ready-file ready.json --http2 --senders 64
  tenfour-load idle --ready-file ready.json --devices 10000 --steps 10
  tenfour-load connects --ready-file ready.json --concurrency 32 --device-transport tls
  tenfour-load connects --ready-file ready.json --sessions 10000
  tenfour-load pubsub --device-address localhost:1883 --pid 4711 --shape fanout --devices 1000
  tenfour-load queue --device-address localhost:1883 --pid 4711 --sessions 10000 --messages 10

Closed loop (default): a sender sends its next message when the last one is answered; latency runs
from sending. Open loop (--rate): messages are due at fixed times whatever the server does, and
latency runs from the time a message was due, so a stall counts for every message it delays.

Exit status: 0 all answers were as expected; 1 an unexpected answer, an error or nothing measured;
2 the run could not take place.";

/// What to do besides sending messages.
#[derive(Debug, Subcommand)]
pub(crate) enum Mode {
    /// Connect devices in steps and print the server's resident memory at each.
    Idle(IdleOptions),
    /// Publish to subscribers as fast as it goes without loss or at a fixed rate, on any MQTT broker.
    Pubsub(PubsubOptions),
    /// Let devices connect and disconnect again and again.
    Connects(ConnectsOptions),
    /// Publish for sessions that are offline, then let all come back for their messages.
    Queue(QueueOptions),
}

/// Options of a run with messages.
#[derive(Debug, Args, Serialize)]
pub(crate) struct MessageOptions {
    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) target: TargetOptions,
    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) fleet: FleetOptions,
    /// Senders, each with one request in flight.
    #[arg(long, value_name = "C", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) senders: u32,
    /// Give each message an idempotency key of its own.
    #[arg(long)]
    pub(crate) idempotency_keys: bool,
    /// Where the senders connect, instead of the ready file's listener.
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) sender_address: Option<String>,
    /// Wait for the device's acknowledgement (default).
    #[arg(long, overrides_with = "no_confirm")]
    #[serde(skip)]
    pub(crate) confirm: bool,
    /// Do not wait for the device's acknowledgement.
    #[arg(long, overrides_with = "confirm")]
    pub(crate) no_confirm: bool,
    /// Seconds that the server waits for an acknowledgement.
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..=15))]
    pub(crate) timeout: u8,
    /// Bytes of each message.
    #[arg(long, value_name = "BYTES", default_value_t = 256, value_parser = clap::value_parser!(u32).range(0..=131_072))]
    pub(crate) payload: u32,
    /// The topic of all messages.
    #[arg(long, default_value = "load/messages")]
    pub(crate) topic: String,
    /// How the senders connect.
    #[arg(long, value_enum, default_value_t = Transport::Http)]
    pub(crate) transport: Transport,
    /// One HTTP/2 connection for all senders, each with one stream at a time, instead of HTTP/1.1 on
    /// a connection each; over http with prior knowledge, over https by ALPN.
    #[arg(long)]
    pub(crate) http2: bool,
    /// How the senders prove who they are.
    #[arg(long, value_enum, default_value_t = Auth::None)]
    pub(crate) auth: Auth,
    /// For --auth sigv4, instead of the ready file's admin key.
    #[arg(long, requires = "secret_access_key")]
    pub(crate) access_key_id: Option<String>,
    /// For --auth sigv4, with --access-key-id.
    #[arg(long, requires = "access_key_id")]
    #[serde(skip)]
    pub(crate) secret_access_key: Option<String>,
    /// For --auth sigv4, the region of signatures.
    #[arg(long)]
    pub(crate) region: Option<String>,
    /// Seconds that are measured.
    #[arg(long, value_name = "S", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=600))]
    pub(crate) seconds: u32,
    /// Seconds before them that are not.
    #[arg(long, value_name = "S", default_value_t = 2, value_parser = clap::value_parser!(u32).range(0..=60))]
    pub(crate) warmup: u32,
    /// Open loop: messages a second, over all senders.
    #[arg(long, value_name = "R", value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_RATE)))]
    pub(crate) rate: Option<u32>,
    /// Open loop: how many messages may be due and unsent before further ones are dropped
    /// [default: those of one second].
    #[arg(long, value_name = "N", requires = "rate", value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub(crate) backlog: Option<u32>,
    /// Do not connect the devices: every message is for nobody, and 404 is the expected answer.
    #[arg(long)]
    pub(crate) offline: bool,
    /// Threads of the load generator; devices and senders are spread evenly.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(crate) threads: u32,
    /// Print one JSON object.
    #[arg(long)]
    #[serde(skip)]
    pub(crate) json: bool,
}

/// Options of a run without messages.
#[derive(Debug, Args, Serialize)]
pub(crate) struct IdleOptions {
    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) target: TargetOptions,
    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) fleet: FleetOptions,
    /// How many times memory is read, at even distances up to all devices.
    #[arg(long, value_name = "K", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) steps: u32,
    /// Devices at the first step, to leave out how memory grows at first
    /// [default: as many as each further step adds].
    #[arg(long, value_name = "M", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) from: Option<u32>,
    /// Seconds for which all devices stay after the report.
    #[arg(long, value_name = "S", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=3600))]
    pub(crate) hold: u32,
    /// Milliseconds of rest before memory is read.
    #[arg(long, value_name = "MS", default_value_t = 500, value_parser = clap::value_parser!(u32).range(0..=60_000))]
    pub(crate) settle: u32,
    /// Print one JSON object.
    #[arg(long)]
    #[serde(skip)]
    pub(crate) json: bool,
}

/// Options of a run with publishers and subscribers.
#[derive(Debug, Args, Serialize)]
pub(crate) struct PubsubOptions {
    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) target: TargetOptions,
    /// Who publishes to whom.
    #[arg(long, value_enum, default_value_t = Shape::Pairs)]
    pub(crate) shape: Shape,
    /// The quality of service of publishing and of subscribing.
    #[arg(long, value_enum, default_value_t = PubsubQoS::Zero)]
    pub(crate) qos: PubsubQoS,
    /// Pairs, or subscribers of the one topic.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) devices: u32,
    /// Messages of each publisher that are on their way at once. With QoS 1 and 2 the broker's
    /// Receive Maximum bounds it too.
    #[arg(long, value_name = "W", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) window: u32,
    /// Open loop: messages a second, over all publishers.
    #[arg(long, value_name = "R", value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_RATE)))]
    pub(crate) rate: Option<u32>,
    /// Everybody's version of MQTT.
    #[arg(long, value_enum, default_value_t = Mqtt::V5)]
    pub(crate) mqtt: Mqtt,
    /// Bytes of each message.
    #[arg(long, value_name = "BYTES", default_value_t = 256, value_parser = clap::value_parser!(u32).range(i64::from(MIN_PAYLOAD)..=131_072))]
    pub(crate) payload: u32,
    /// Seconds that are measured.
    #[arg(long, value_name = "S", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=600))]
    pub(crate) seconds: u32,
    /// Seconds before them that are not.
    #[arg(long, value_name = "S", default_value_t = 2, value_parser = clap::value_parser!(u32).range(0..=60))]
    pub(crate) warmup: u32,
    /// Print one JSON object.
    #[arg(long)]
    #[serde(skip)]
    pub(crate) json: bool,
}

/// Options of a run in which devices come and go.
#[derive(Debug, Args, Serialize)]
pub(crate) struct ConnectsOptions {
    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) target: TargetOptions,
    /// Devices that come and go at the same time.
    #[arg(long, value_name = "C", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) concurrency: u32,
    /// How they connect; plain needs a server started with --open.
    #[arg(long, value_enum, default_value_t = DeviceTransport::Plain)]
    pub(crate) device_transport: DeviceTransport,
    /// Their version of MQTT.
    #[arg(long, value_enum, default_value_t = Mqtt::V5)]
    pub(crate) mqtt: Mqtt,
    /// Sessions that outlive their connections, begun before anything is measured; from then on one
    /// after the other is resumed. Without it, every client is one that nobody has had before.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) sessions: Option<u32>,
    /// Seconds that are measured.
    #[arg(long, value_name = "S", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=600))]
    pub(crate) seconds: u32,
    /// Seconds before them that are not.
    #[arg(long, value_name = "S", default_value_t = 2, value_parser = clap::value_parser!(u32).range(0..=60))]
    pub(crate) warmup: u32,
    /// Print one JSON object.
    #[arg(long)]
    #[serde(skip)]
    pub(crate) json: bool,
}

/// Options of a run with sessions that are offline.
#[derive(Debug, Args, Serialize)]
pub(crate) struct QueueOptions {
    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) target: TargetOptions,
    /// Sessions, with MQTT 5 and a topic each.
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) sessions: u32,
    /// Messages with QoS 1 for each session.
    #[arg(long, value_name = "M", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) messages: u32,
    /// Bytes of each message.
    #[arg(long, value_name = "BYTES", default_value_t = 256, value_parser = clap::value_parser!(u32).range(i64::from(MIN_PAYLOAD)..=131_072))]
    pub(crate) payload: u32,
    /// Publishers, among whom the sessions are divided.
    #[arg(long, value_name = "P", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) publishers: u32,
    /// Messages of each publisher that are unacknowledged at once; the broker's Receive Maximum
    /// bounds it too.
    #[arg(long, value_name = "W", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) window: u32,
    /// Sessions that connect at the same time when all come back.
    #[arg(long, value_name = "C", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) concurrency: u32,
    /// How everybody connects; plain needs a server started with --open.
    #[arg(long, value_enum, default_value_t = DeviceTransport::Plain)]
    pub(crate) device_transport: DeviceTransport,
    /// Print one JSON object.
    #[arg(long)]
    #[serde(skip)]
    pub(crate) json: bool,
}

/// Which server.
#[derive(Debug, Args, Serialize)]
pub(crate) struct TargetOptions {
    /// What `tenfour dev --ready-file F` wrote: addresses, certificates, keys and process ID.
    #[arg(long, value_name = "F")]
    pub(crate) ready_file: Option<PathBuf>,
    /// Where the devices connect, instead of the ready file's listener.
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) device_address: Option<String>,
    /// The server's process, instead of the ready file's.
    #[arg(long)]
    pub(crate) pid: Option<u32>,
    /// The CA to check the server against (PEM), instead of the ready file's.
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// The certificate of all devices over TLS, and of the senders with --auth x509 (PEM), instead
    /// of the ready file's device.
    #[arg(long, value_name = "FILE", requires = "key")]
    pub(crate) cert: Option<PathBuf>,
    /// The private key of --cert (PEM).
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub(crate) key: Option<PathBuf>,
}

/// The devices.
#[derive(Debug, Args, Serialize)]
pub(crate) struct FleetOptions {
    /// Devices.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) devices: u32,
    /// The number of the first one, so that several generators do not take each other's names.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=1_000_000_000))]
    pub(crate) first: u32,
    /// How they connect; plain needs a server started with --open.
    #[arg(long, value_enum, default_value_t = DeviceTransport::Plain)]
    pub(crate) device_transport: DeviceTransport,
    /// Their version of MQTT.
    #[arg(long, value_enum, default_value_t = Mqtt::V5)]
    pub(crate) mqtt: Mqtt,
}

/// How devices connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DeviceTransport {
    /// The listener `mqtt`.
    Plain,
    /// The listener `mqtts`, all with the same client certificate.
    Tls,
}

/// The version of MQTT.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
pub(crate) enum Mqtt {
    /// MQTT 3.1.1.
    #[value(name = "3")]
    #[serde(rename = "3")]
    V311,
    /// MQTT 5.0.
    #[value(name = "5")]
    #[serde(rename = "5")]
    V5,
}

/// Who publishes to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Shape {
    /// Each publisher to a subscriber of its own, on a topic of their own.
    Pairs,
    /// One publisher to all subscribers of one topic.
    Fanout,
}

/// A quality of service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
pub(crate) enum PubsubQoS {
    /// Nothing is acknowledged.
    #[value(name = "0")]
    #[serde(rename = "0")]
    Zero,
    /// Subscribers acknowledge to the broker, and the broker to publishers.
    #[value(name = "1")]
    #[serde(rename = "1")]
    One,
    /// The same in four packets, so that nothing comes twice.
    #[value(name = "2")]
    #[serde(rename = "2")]
    Two,
}

impl Mqtt {
    /// The same for the codec.
    pub(crate) fn version(self) -> Version {
        match self {
            Self::V311 => Version::V311,
            Self::V5 => Version::V5,
        }
    }
}

/// How senders connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Transport {
    /// The listener `http`.
    Http,
    /// The listener `https`, or with --auth x509 `https_x509`.
    Https,
}

/// How senders prove who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Auth {
    /// Not at all; needs a server started with --open.
    None,
    /// A signature on every request.
    Sigv4,
    /// A client certificate; needs https.
    X509,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(["tenfour-load"].into_iter().chain(line.split_whitespace()))
    }

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_last_of_confirm_and_no_confirm_wins() {
        assert!(!parse("").unwrap().messages.no_confirm);
        assert!(parse("--no-confirm").unwrap().messages.no_confirm);
        assert!(!parse("--no-confirm --confirm").unwrap().messages.no_confirm);
        assert!(parse("--confirm --no-confirm").unwrap().messages.no_confirm);
    }

    #[test]
    fn numbers_out_of_bounds_are_refused() {
        for line in [
            "--devices 0",
            "--senders 0",
            "--payload 131073",
            "--seconds 0",
            "--seconds 601",
            "--warmup 61",
            "--rate 0",
            "--rate 1000001",
            "--timeout 16",
            "--threads 0",
            "--backlog 5",
            "--cert c",
            "--access-key-id a",
            "--mqtt 4",
            "idle --steps 0",
            "--devices 5 idle",
            "connects --concurrency 0",
            "connects --sessions 0",
            "queue --sessions 0",
            "queue --messages 0",
            "queue --payload 11",
            "pubsub --payload 11",
            "pubsub --qos 3",
            "pubsub --rate 0",
            "pubsub --window 0",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }

    #[test]
    fn secrets_are_not_among_the_options_of_a_report() {
        let cli = parse("--access-key-id AK --secret-access-key hidden").unwrap();
        let json = serde_json::to_string(&cli.messages).unwrap();
        assert!(json.contains("\"AK\"") && !json.contains("hidden"), "{json}");
    }
}
