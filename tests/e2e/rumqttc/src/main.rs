//! A client of rumqttc that does what its standard input says: see ../programs/README.md.

mod conversation;
mod device;
mod v4;
mod v5;

use std::error::Error;
use std::io::{BufRead, stdin};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};

use crate::conversation::{Command, say};
use crate::device::{Connect, Device, Incident, Publish};

/// Longer than anything takes; whoever drives this program gives up sooner.
const PATIENCE: Duration = Duration::from_secs(60);

type Answer = Result<Value, Box<dyn Error>>;

fn main() -> Result<(), Box<dyn Error>> {
    let mut client = Client { connection: None };
    for line in stdin().lock().lines() {
        let command: Command = serde_json::from_str(&line?)?;
        let name = command.name();
        let mut answer = match client.obey(command) {
            Ok(answer) => answer,
            Err(error) => json!({ "error": error.to_string() }),
        };
        answer["answer"] = json!(name);
        say(&answer);
    }
    Ok(())
}

struct Client {
    connection: Option<(Box<dyn Device>, Receiver<Incident>)>,
}

impl Client {
    fn obey(&mut self, command: Command) -> Answer {
        match command {
            Command::Connect(connect) => self.connect(&connect),
            Command::Subscribe { filter, qos } => {
                self.device()?.subscribe(&filter, qos)?;
                self.wait(|incident| match incident {
                    Incident::Subscribed(granted) => Some(json!({ "granted": granted })),
                    _ => None,
                })
            }
            Command::Unsubscribe { filter } => {
                self.device()?.unsubscribe(&filter)?;
                self.wait(|incident| matches!(incident, Incident::Unsubscribed).then(|| json!({})))
            }
            Command::Publish(publish) => self.publish(&publish),
            Command::Disconnect => {
                self.device()?.disconnect()?;
                self.wait(|incident| matches!(incident, Incident::Ended(_)).then(|| json!({})))
            }
        }
    }

    fn connect(&mut self, connect: &Connect) -> Answer {
        let (sender, incidents) = channel();
        let device: Box<dyn Device> = match connect.version {
            5 => Box::new(v5::Device5::start(connect, sender)),
            _ => Box::new(v4::Device4::start(connect, sender)),
        };
        self.connection = Some((device, incidents));
        self.wait(|incident| match incident {
            Incident::Connected { session_present } => {
                Some(json!({ "session_present": session_present }))
            }
            _ => None,
        })
    }

    /// QoS 0 is settled when it is written, the others when they are acknowledged.
    fn publish(&mut self, publish: &Publish) -> Answer {
        let mut left = publish.payloads.len();
        for payload in &publish.payloads {
            self.device()?.publish(publish, payload)?;
        }
        while left > 0 {
            self.wait(|incident| match incident {
                Incident::Written if publish.qos == 0 => Some(json!({})),
                Incident::Settled => Some(json!({})),
                _ => None,
            })?;
            left -= 1;
        }
        Ok(json!({}))
    }

    fn device(&mut self) -> Result<&mut Box<dyn Device>, Box<dyn Error>> {
        let connection = self.connection.as_mut().ok_or("not connected")?;
        Ok(&mut connection.0)
    }

    /// Waits for an incident that gives an answer. The end of the connection is an error unless
    /// it is the answer.
    fn wait(&self, answer: impl Fn(&Incident) -> Option<Value>) -> Answer {
        let (_, incidents) = self.connection.as_ref().ok_or("not connected")?;
        loop {
            let incident = incidents.recv_timeout(PATIENCE)?;
            if let Some(answer) = answer(&incident) {
                return Ok(answer);
            }
            if let Incident::Ended(error) = incident {
                return Err(error.into());
            }
        }
    }
}
