//! One send of the demo: what is expected, and what came.

use client::{Answer, Device, DirectMessage, Event, Message, Sender};
use mqtt::{QoS, ReasonCode};

use super::logbook::{Entry, Logbook};
use crate::dev::DEVICE;

pub(super) const TOPIC: &str = "commands/reboot";
pub(super) const PAYLOAD: &str = "{\"action\":\"reboot\"}";

/// What the device does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Acknowledges.
    Acknowledges,
    /// Receives and says nothing.
    KeepsSilent,
    /// Is not there.
    Offline,
}

/// One send.
#[derive(Clone, Copy)]
pub(super) struct Scene {
    pub(super) title: &'static str,
    pub(super) part: Part,
    /// How long the sender lets the server wait, in seconds.
    pub(super) timeout: u64,
    pub(super) status: u16,
    /// The reason code of an error.
    pub(super) reason: Option<&'static str>,
}

/// What came of a scene.
pub(super) struct Outcome {
    pub(super) answer: Answer,
    /// What the device received.
    pub(super) received: Option<Message>,
    pub(super) entry: Entry,
}

pub(super) const SCENES: [Scene; 3] = [
    Scene {
        title: "The device is connected and acknowledges",
        part: Part::Acknowledges,
        timeout: 10,
        status: 200,
        reason: None,
    },
    Scene {
        title: "The device is offline",
        part: Part::Offline,
        timeout: 10,
        status: 404,
        reason: Some("TARGET_CLIENT_ID_NOT_FOUND"),
    },
    Scene {
        title: "The device is connected and does not acknowledge",
        part: Part::KeepsSilent,
        timeout: 1,
        status: 504,
        reason: Some("DELIVERY_CONFIRMATION_TIMEOUT"),
    },
];

impl Scene {
    /// Sends to the device while the device plays its part, and looks the send up in the log.
    pub(super) async fn play(
        &self,
        sender: &mut Sender,
        device: Option<&mut Device>,
        logbook: &Logbook,
    ) -> Result<Outcome, String> {
        let message = DirectMessage {
            client_id: DEVICE,
            topic: TOPIC,
            confirmation: Some(true),
            timeout: Some(self.timeout),
            content_type: Some("application/json"),
            payload: PAYLOAD.as_bytes(),
            ..DirectMessage::default()
        };
        let mut received = None;
        let answer = tokio::select! {
            answer = sender.send_direct_message(&message) => answer.map_err(|e| e.to_string())?,
            error = self.act(device, &mut received) => return Err(error),
        };
        let trace = answer.trace_id.as_deref().ok_or("the answer has no traceId")?;
        let wanted = [("traceId", trace), ("eventType", "SendDirectMessage")];
        let entry = logbook.find(&wanted).await?;
        Ok(Outcome { answer, received, entry })
    }

    /// Plays the device's part for as long as it is let; returns only what goes wrong.
    async fn act(&self, device: Option<&mut Device>, received: &mut Option<Message>) -> String {
        let Some(device) = device else { return std::future::pending().await };
        loop {
            let message = match device.next().await {
                Ok(Event::Message(message)) => message,
                Ok(Event::Disconnected(ending)) => return format!("the device: {ending}"),
                Err(error) => return format!("the device: {error}"),
            };
            let packet_id = message.packet_id.filter(|_| self.part == Part::Acknowledges);
            *received = Some(message);
            if let Some(packet_id) = packet_id
                && let Err(error) = device.acknowledge(packet_id, ReasonCode::Success).await
            {
                return format!("the device: {error}");
            }
        }
    }

    /// What is not as it should be.
    pub(super) fn differences(&self, outcome: &Outcome) -> Vec<String> {
        let Outcome { answer, received, entry } = outcome;
        let mut found = Vec::new();
        let mut check = |what: &str, came: String, expected: String| {
            if came != expected {
                found.push(format!("{what}: expected {expected}, came {came}"));
            }
        };
        check("status", answer.status.to_string(), self.status.to_string());
        let reason = self.reason.unwrap_or("none");
        check("reason", answer.reason.as_deref().unwrap_or("none").into(), reason.into());
        check("logged reason", entry.text("reason").unwrap_or("none").into(), reason.into());
        let logged = if self.reason.is_none() { "Success" } else { "Failure" };
        check("logged status", entry.text("status").unwrap_or("none").into(), logged.into());
        let expected = match self.part {
            Part::Offline => "nothing".to_owned(),
            Part::Acknowledges | Part::KeepsSilent => shown(QoS::AtLeastOnce, TOPIC, PAYLOAD),
        };
        let came = received.as_ref().map_or("nothing".to_owned(), |message| {
            shown(message.qos, &message.topic, &String::from_utf8_lossy(&message.payload))
        });
        check("at the device", came, expected);
        found
    }
}

fn shown(qos: QoS, topic: &str, payload: &str) -> String {
    format!("QoS {} {topic} {payload}", qos as u8)
}
