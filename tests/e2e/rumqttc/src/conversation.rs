//! Lines in, lines out.

use std::io::{Write, stdout};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::device::{Connect, Properties, Publish};

/// What a line of the input asks for.
#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "lowercase")]
pub(crate) enum Command {
    Connect(Connect),
    Subscribe { filter: String, qos: u8 },
    Unsubscribe { filter: String },
    Publish(Publish),
    Disconnect,
}

impl Command {
    /// Its name in the answer.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Command::Connect(_) => "connect",
            Command::Subscribe { .. } => "subscribe",
            Command::Unsubscribe { .. } => "unsubscribe",
            Command::Publish(_) => "publish",
            Command::Disconnect => "disconnect",
        }
    }
}

/// A message that came in.
pub(crate) struct Message<'a> {
    pub(crate) topic: &'a [u8],
    pub(crate) payload: &'a [u8],
    pub(crate) qos: u8,
    pub(crate) retain: bool,
    pub(crate) properties: Properties,
}

/// Writes one line.
pub(crate) fn say(line: &Value) {
    // Who does not read any more does not care for the rest either.
    let _ = writeln!(stdout().lock(), "{line}");
}

/// Tells of a message.
pub(crate) fn say_message(message: &Message<'_>) {
    say(&json!({ "message": {
        "topic": String::from_utf8_lossy(message.topic),
        "payload": String::from_utf8_lossy(message.payload),
        "qos": message.qos,
        "retain": message.retain,
        "properties": message.properties,
    }}));
}
