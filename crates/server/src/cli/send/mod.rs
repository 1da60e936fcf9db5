//! `tenfour send`: one direct message, and what became of it.

mod report;
mod sender;

use std::io::Read as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use client::{DirectMessage, PayloadFormat, SendError};

use self::sender::SenderArgs;
use super::found;
use super::runtime::{block_on, fail};

const STATUSES: &str = "Exit status:
  0  200: sent, and with --confirm acknowledged by the device
  1  usage, or no answer: nobody listens, TLS fails, the connection breaks
  4  400 to 499: refused, such as 403 not allowed, 404 not connected, 429 too many
  5  500 to 599 other than 504
  6  504: the device did not acknowledge in time; whether it got the message is not known

Examples:
  tenfour send myDevice commands/reboot '{\"action\": \"reboot\"}' --confirm
  tenfour send lamp-7 config --file config.cbor --content-type application/cbor --as admin";

/// Sends one message to one device and says what became of it
///
/// Without --endpoint it sends to the server that `tenfour dev` runs for the data folder, with the
/// access key of that folder's sender.
#[derive(Args, Debug)]
#[command(after_help = STATUSES)]
pub struct SendArgs {
    /// The MQTT client ID of the device
    #[arg(value_name = "CLIENT")]
    pub client: String,
    /// The topic the device sees
    #[arg(value_name = "TOPIC")]
    pub topic: String,
    /// The payload, sent as it is; '' for none
    #[arg(value_name = "PAYLOAD", required_unless_present = "file", conflicts_with = "file")]
    pub payload: Option<String>,
    /// Takes the payload from a file, or from standard input with -
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Waits for the device's acknowledgement
    #[arg(long)]
    pub confirm: bool,
    /// How long to wait for it, 1 to 15 seconds; the server's default is 5
    #[arg(long, value_name = "SECONDS", requires = "confirm")]
    pub timeout: Option<u64>,
    /// MQTT 5 content type, such as application/json
    #[arg(long, value_name = "TYPE")]
    pub content_type: Option<String>,
    /// MQTT 5 response topic
    #[arg(long, value_name = "TOPIC")]
    pub response_topic: Option<String>,
    /// MQTT 5 correlation data
    #[arg(long, value_name = "TEXT")]
    pub correlation_data: Option<String>,
    /// An MQTT 5 user property; may be repeated
    #[arg(long = "user-property", value_name = "NAME=VALUE", value_parser = parse_property)]
    pub user_properties: Vec<(String, String)>,
    /// MQTT 5 payload format indicator
    #[arg(long, value_name = "FORMAT")]
    pub payload_format: Option<Format>,
    /// Who sends, and where to.
    #[command(flatten)]
    pub sender: SenderArgs,
    /// Prints one JSON object
    #[arg(long)]
    pub json: bool,
}

/// What the payload is said to be.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Format {
    /// Text in UTF-8
    Utf8,
    /// Bytes of any kind
    Bytes,
}

impl SendArgs {
    /// Runs the command.
    pub fn run(self) -> ExitCode {
        block_on(async {
            match self.send().await {
                Ok(code) => code,
                Err(error) => fail(error),
            }
        })
    }

    async fn send(&self) -> Result<ExitCode, String> {
        let payload = self.payload()?;
        let mut sender = self.sender.connectable()?;
        let properties: Vec<_> = self
            .user_properties
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let message = DirectMessage {
            client_id: &self.client,
            topic: &self.topic,
            confirmation: self.confirm.then_some(true),
            timeout: self.timeout,
            content_type: self.content_type.as_deref(),
            response_topic: self.response_topic.as_deref(),
            user_properties: &properties,
            payload_format: self.payload_format.map(|format| match format {
                Format::Utf8 => PayloadFormat::Utf8Data,
                Format::Bytes => PayloadFormat::UnspecifiedBytes,
            }),
            correlation_data: self.correlation_data.as_deref().map(str::as_bytes),
            payload: &payload,
        };
        let answer = sender.send_direct_message(&message).await.map_err(|error| explain(&error))?;
        if self.json {
            println!("{}", report::json(&answer));
        } else {
            print!("{}", report::Report { answer: &answer, args: self });
        }
        Ok(ExitCode::from(report::exit_status(answer.status)))
    }

    fn payload(&self) -> Result<Vec<u8>, String> {
        match (&self.payload, &self.file) {
            (Some(text), _) => Ok(text.clone().into_bytes()),
            (None, Some(path)) if path.as_os_str() == "-" => {
                let mut bytes = Vec::new();
                let read = std::io::stdin().read_to_end(&mut bytes);
                read.map_err(|error| format!("cannot read standard input: {error}"))?;
                Ok(bytes)
            }
            (None, Some(path)) => found::read(path),
            (None, None) => Ok(Vec::new()),
        }
    }
}

fn parse_property(text: &str) -> Result<(String, String), String> {
    let (name, value) = text
        .split_once('=')
        .ok_or_else(|| format!("expected NAME=VALUE, such as unit=celsius, not \"{text}\""))?;
    Ok((name.to_owned(), value.to_owned()))
}

/// An error, with what may help.
fn explain(error: &SendError) -> String {
    let hint = match error {
        SendError::Dial(client::DialError::Tcp { .. }) => {
            "is the server running? `tenfour dev` starts one"
        }
        SendError::Dial(client::DialError::Tls { .. }) => {
            "is that the port of HTTPS, and the CA (--ca) that of this server?"
        }
        SendError::Broken { .. } => {
            "the server drops connections whose certificate it does not know or that are not HTTP; \
             its log says why"
        }
        SendError::NoTls(_)
        | SendError::Dial(_)
        | SendError::NoAnswer { .. }
        | SendError::AnswerTooLong(_)
        | SendError::Unsignable(_)
        | SendError::Unsendable(_) => return error.to_string(),
    };
    format!("{error}\n  {hint}")
}
