//! MQTT 5.0.

use std::error::Error;
use std::sync::mpsc::Sender;
use std::thread;

use rumqttc::Outgoing;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{LastWill, Packet, PublishProperties, SubscribeReasonCode};
use rumqttc::v5::{Client, Event, MqttOptions};

use crate::conversation::{Message, say_message};
use crate::device::{Connect, Device, Incident, Properties, Publish, relay};

/// Requests that may wait for the connection.
const REQUESTS: usize = 1000;

/// A client of 5.0.
pub(crate) struct Device5 {
    client: Client,
}

impl Device5 {
    /// Connects in the background.
    pub(crate) fn start(connect: &Connect, incidents: Sender<Incident>) -> Self {
        let mut options = MqttOptions::new(&connect.client_id, &connect.host, connect.port);
        options.set_clean_start(connect.clean);
        options.set_session_expiry_interval(connect.session_expiry);
        if let Some(will) = &connect.will {
            let payload = will.payload.clone().into_bytes();
            let will = LastWill::new(&will.topic, payload, qos(will.qos), will.retain, None);
            options.set_last_will(will);
        }
        let (client, mut connection) = Client::new(options, REQUESTS);
        thread::spawn(move || relay(connection.iter(), incident, &incidents));
        Self { client }
    }
}

impl Device for Device5 {
    fn subscribe(&mut self, filter: &str, level: u8) -> Result<(), Box<dyn Error>> {
        Ok(self.client.subscribe(filter, qos(level))?)
    }

    fn unsubscribe(&mut self, filter: &str) -> Result<(), Box<dyn Error>> {
        Ok(self.client.unsubscribe(filter)?)
    }

    fn publish(&mut self, publish: &Publish, payload: &str) -> Result<(), Box<dyn Error>> {
        Ok(self.client.publish_with_properties(
            &publish.topic,
            qos(publish.qos),
            publish.retain,
            payload.to_owned(),
            to_properties(&publish.properties),
        )?)
    }

    fn disconnect(&mut self) -> Result<(), Box<dyn Error>> {
        Ok(self.client.disconnect()?)
    }
}

fn qos(number: u8) -> QoS {
    match number {
        0 => QoS::AtMostOnce,
        1 => QoS::AtLeastOnce,
        _ => QoS::ExactlyOnce,
    }
}

fn to_properties(given: &Properties) -> PublishProperties {
    PublishProperties {
        content_type: given.content_type.clone(),
        response_topic: given.response_topic.clone(),
        correlation_data: given.correlation_data.clone().map(Into::into),
        user_properties: given.user_properties.clone(),
        ..PublishProperties::default()
    }
}

fn from_properties(received: &PublishProperties) -> Properties {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Properties {
        content_type: received.content_type.clone(),
        response_topic: received.response_topic.clone(),
        correlation_data: received.correlation_data.as_deref().map(text),
        user_properties: received.user_properties.clone(),
    }
}

fn incident(event: Event) -> Option<Incident> {
    match event {
        Event::Incoming(Packet::ConnAck(connack)) => {
            Some(Incident::Connected { session_present: connack.session_present })
        }
        Event::Incoming(Packet::SubAck(suback)) => {
            let code = |reason: &SubscribeReasonCode| match reason {
                SubscribeReasonCode::Success(level) => *level as u8,
                _ => 0x80,
            };
            Some(Incident::Subscribed(suback.return_codes.iter().map(code).collect()))
        }
        Event::Incoming(Packet::UnsubAck(_)) => Some(Incident::Unsubscribed),
        Event::Incoming(Packet::PubAck(_) | Packet::PubComp(_)) => Some(Incident::Settled),
        Event::Incoming(Packet::Publish(publish)) => {
            say_message(&Message {
                topic: &publish.topic,
                payload: &publish.payload,
                qos: publish.qos as u8,
                retain: publish.retain,
                properties: publish.properties.as_ref().map(from_properties).unwrap_or_default(),
            });
            None
        }
        Event::Outgoing(Outgoing::Publish(_)) => Some(Incident::Written),
        _ => None,
    }
}
