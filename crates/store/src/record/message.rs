//! A message inside other records.

use engine::Wall;
use engine::message::Message;
use mqtt::{PropertiesBuf, TopicName};
use serde::{Deserialize, Serialize};

use super::{RecordError, qos};
use crate::Table;

#[derive(Serialize, Deserialize)]
pub(super) struct MessageRecord<'a> {
    topic: &'a str,
    qos: u8,
    retain: bool,
    properties: &'a [u8],
    payload: &'a [u8],
    expires_at: Option<u64>,
}

impl<'a> MessageRecord<'a> {
    pub(super) fn new(message: &'a Message, wall: Wall) -> Self {
        MessageRecord {
            topic: message.topic.as_str(),
            qos: message.qos as u8,
            retain: message.retain,
            properties: message.properties.as_properties().as_bytes(),
            payload: &message.payload,
            expires_at: message.expires.map(|expires| wall.millis(expires)),
        }
    }

    pub(super) fn message(&self, table: Table, wall: Wall) -> Result<Message, RecordError> {
        let topic = TopicName::parse(self.topic)
            .map_err(|_| RecordError::new(table, "its topic is not valid"))?;
        let properties = PropertiesBuf::from_publish_bytes(self.properties)
            .map_err(|_| RecordError::new(table, "its properties are not valid"))?;
        Ok(Message {
            topic: topic.into(),
            qos: qos(table, self.qos)?,
            retain: self.retain,
            properties,
            payload: self.payload.into(),
            expires: self.expires_at.map(|millis| wall.moment(millis)),
        })
    }
}
