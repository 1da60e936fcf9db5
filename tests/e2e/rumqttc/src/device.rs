//! What both versions of the library are used for.

use std::error::Error;
use std::fmt::Display;
use std::sync::mpsc::Sender;

use rumqttc::QoS;
use serde::{Deserialize, Serialize};

/// CONNECT.
#[derive(Deserialize)]
pub(crate) struct Connect {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) client_id: String,
    pub(crate) version: u8,
    pub(crate) clean: bool,
    /// Seconds; MQTT 5 only.
    pub(crate) session_expiry: Option<u32>,
    pub(crate) will: Option<Will>,
}

/// The Will of a CONNECT.
#[derive(Deserialize)]
pub(crate) struct Will {
    pub(crate) topic: String,
    pub(crate) payload: String,
    pub(crate) qos: u8,
    pub(crate) retain: bool,
}

/// PUBLISH of several payloads.
#[derive(Deserialize)]
pub(crate) struct Publish {
    pub(crate) topic: String,
    pub(crate) payloads: Vec<String>,
    pub(crate) qos: u8,
    pub(crate) retain: bool,
    pub(crate) properties: Properties,
}

/// Properties of a message; MQTT 5 only.
#[derive(Clone, Default, Deserialize, Serialize)]
pub(crate) struct Properties {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) content_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) response_topic: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) correlation_data: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) user_properties: Vec<(String, String)>,
}

/// What happens on a connection, messages apart.
pub(crate) enum Incident {
    Connected {
        session_present: bool,
    },
    /// The reason codes.
    Subscribed(Vec<u8>),
    Unsubscribed,
    /// A PUBLISH went out.
    Written,
    /// A PUBACK or PUBCOMP came in.
    Settled,
    /// The connection is over, and why.
    Ended(String),
}

/// A client of one version.
pub(crate) trait Device {
    fn subscribe(&mut self, filter: &str, qos: u8) -> Result<(), Box<dyn Error>>;
    fn unsubscribe(&mut self, filter: &str) -> Result<(), Box<dyn Error>>;
    fn publish(&mut self, publish: &Publish, payload: &str) -> Result<(), Box<dyn Error>>;
    fn disconnect(&mut self) -> Result<(), Box<dyn Error>>;
}

/// The library's QoS for a number, in the type of 3.1.1.
pub(crate) fn qos(number: u8) -> QoS {
    match number {
        0 => QoS::AtMostOnce,
        1 => QoS::AtLeastOnce,
        _ => QoS::ExactlyOnce,
    }
}

/// Passes on what happens until the connection ends; it is not made again.
pub(crate) fn relay<E, X: Display>(
    events: impl Iterator<Item = Result<E, X>>,
    incident: impl Fn(E) -> Option<Incident>,
    incidents: &Sender<Incident>,
) {
    for event in events {
        let incident = match event {
            Ok(event) => incident(event),
            Err(error) => Some(Incident::Ended(error.to_string())),
        };
        let Some(incident) = incident else { continue };
        let over = matches!(incident, Incident::Ended(_));
        if incidents.send(incident).is_err() || over {
            return;
        }
    }
}
