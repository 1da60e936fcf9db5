//! MQTT 3.1.1.

use std::error::Error;
use std::sync::mpsc::Sender;
use std::thread;

use rumqttc::{Client, Event, LastWill, MqttOptions, Outgoing, Packet, SubscribeReasonCode};

use crate::conversation::{Message, say_message};
use crate::device::{Connect, Device, Incident, Properties, Publish, qos, relay};

/// Requests that may wait for the connection.
const REQUESTS: usize = 1000;

/// A client of 3.1.1.
pub(crate) struct Device4 {
    client: Client,
}

impl Device4 {
    /// Connects in the background.
    pub(crate) fn start(connect: &Connect, incidents: Sender<Incident>) -> Self {
        let mut options = MqttOptions::new(&connect.client_id, &connect.host, connect.port);
        options.set_clean_session(connect.clean);
        if let Some(will) = &connect.will {
            let payload = will.payload.as_bytes();
            options.set_last_will(LastWill::new(&will.topic, payload, qos(will.qos), will.retain));
        }
        let (client, mut connection) = Client::new(options, REQUESTS);
        thread::spawn(move || relay(connection.iter(), incident, &incidents));
        Self { client }
    }
}

impl Device for Device4 {
    fn subscribe(&mut self, filter: &str, level: u8) -> Result<(), Box<dyn Error>> {
        Ok(self.client.subscribe(filter, qos(level))?)
    }

    fn unsubscribe(&mut self, filter: &str) -> Result<(), Box<dyn Error>> {
        Ok(self.client.unsubscribe(filter)?)
    }

    fn publish(&mut self, publish: &Publish, payload: &str) -> Result<(), Box<dyn Error>> {
        let level = qos(publish.qos);
        Ok(self.client.publish(&publish.topic, level, publish.retain, payload)?)
    }

    fn disconnect(&mut self) -> Result<(), Box<dyn Error>> {
        Ok(self.client.disconnect()?)
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
                SubscribeReasonCode::Failure => 0x80,
            };
            Some(Incident::Subscribed(suback.return_codes.iter().map(code).collect()))
        }
        Event::Incoming(Packet::UnsubAck(_)) => Some(Incident::Unsubscribed),
        Event::Incoming(Packet::PubAck(_) | Packet::PubComp(_)) => Some(Incident::Settled),
        Event::Incoming(Packet::Publish(publish)) => {
            say_message(&Message {
                topic: publish.topic.as_bytes(),
                payload: &publish.payload,
                qos: publish.qos as u8,
                retain: publish.retain,
                properties: Properties::default(),
            });
            None
        }
        Event::Outgoing(Outgoing::Publish(_)) => Some(Incident::Written),
        _ => None,
    }
}
