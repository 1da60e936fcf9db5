//! SUBSCRIBE and UNSUBSCRIBE.

use std::sync::Arc;

use engine::Moment;
use mqtt::{
    Packet, Properties, QoS, ReasonCode, SubAck, Subscribe, SubscribeOptions, TopicFilter,
    UnsubAck, Unsubscribe, Version,
};

use crate::batch::Batch;
use crate::device::Device;
use crate::driver::{Driver, Flow};

/// A session as the subscriptions know it: the same as another only if it is the same device.
#[derive(Clone)]
pub(crate) struct Subscriber(pub(crate) Arc<Device>);

impl PartialEq for Subscriber {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Driver {
    pub(crate) fn handle_subscribe(
        &mut self,
        subscribe: &Subscribe<'_>,
        batch: &mut Batch,
    ) -> Flow {
        let now = batch.now;
        if subscribe.properties.subscription_identifier().is_some()
            && !self.node.rules.profile.subscription_identifiers
        {
            let code = ReasonCode::SubscriptionIdentifiersNotSupported;
            return self.stop(engine::close::CloseReason::ClientError(code));
        }
        let too_many = subscribe.filters.len() > self.node.rules.quotas.filters_per_subscribe;
        let reasons: Vec<ReasonCode> = subscribe
            .filters
            .iter()
            .map(|(text, options)| {
                if too_many {
                    return ReasonCode::QuotaExceeded;
                }
                match self.subscribe(text, *options, now) {
                    Ok(QoS::AtMostOnce) => ReasonCode::Success,
                    Ok(QoS::AtLeastOnce | QoS::ExactlyOnce) => ReasonCode::GrantedQoS1,
                    Err(code) => code,
                }
            })
            .collect();
        self.node.subscribed(self.link(), self.version, subscribe, &reasons);
        let properties = Properties::EMPTY;
        let packet_id = subscribe.packet_id;
        self.with_connection(batch, |connection| {
            let (session, out) = connection.session_and_output();
            session.answer(&Packet::SubAck(SubAck { packet_id, properties, reasons }), out);
        })
    }

    pub(crate) fn handle_unsubscribe(
        &mut self,
        unsubscribe: &Unsubscribe<'_>,
        batch: &mut Batch,
    ) -> Flow {
        let reasons = unsubscribe
            .filters
            .iter()
            .map(|text| match TopicFilter::parse(text) {
                Err(_) => ReasonCode::TopicFilterInvalid,
                Ok(filter) if self.unsubscribe(filter) => ReasonCode::Success,
                Ok(_) => ReasonCode::NoSubscriptionExisted,
            })
            .collect();
        self.node.unsubscribed(self.link(), unsubscribe);
        let properties = Properties::EMPTY;
        let packet_id = unsubscribe.packet_id;
        self.with_connection(batch, |connection| {
            let (session, out) = connection.session_and_output();
            session.answer(&Packet::UnsubAck(UnsubAck { packet_id, properties, reasons }), out);
        })
    }

    /// One filter: what is granted, or why not.
    fn subscribe(
        &self,
        text: &str,
        mut options: SubscribeOptions,
        now: Moment,
    ) -> Result<QoS, ReasonCode> {
        let filter = TopicFilter::parse(text).map_err(|_| ReasonCode::TopicFilterInvalid)?;
        let profile = self.node.rules.profile;
        let slashes = text.bytes().filter(|byte| *byte == b'/').count();
        if text.len() > profile.topic_bytes
            || slashes > profile.topic_slashes
            || (text.starts_with('$') && profile.reserved_topics && filter.share_group().is_none())
        {
            return Err(ReasonCode::TopicFilterInvalid);
        }
        if filter.share_group().is_some() {
            return Err(match self.version {
                Version::V5 => ReasonCode::SharedSubscriptionsNotSupported,
                Version::V311 => ReasonCode::UnspecifiedError,
            });
        }
        if self.node.access.subscribe(&self.peer, filter, now).is_err() {
            return Err(ReasonCode::NotAuthorized);
        }
        let quotas = &self.node.rules.quotas;
        if self.node.budgets.subscribes.take(quotas.subscribes, now).is_err() {
            return Err(ReasonCode::QuotaExceeded);
        }
        options.qos = options.qos.min(QoS::AtLeastOnce);
        let mut state = self.device.lock();
        if state.current(self.epoch).is_none() {
            return Err(ReasonCode::UnspecifiedError);
        }
        let subscriptions = &mut state.session.subscriptions;
        let known = subscriptions.iter().position(|(present, _)| **present == *text);
        match known {
            Some(at) => subscriptions[at].1 = options,
            None if subscriptions.len() >= quotas.subscriptions_per_session => {
                return Err(ReasonCode::QuotaExceeded);
            }
            None => subscriptions.push((text.into(), options)),
        }
        let subscriber = Subscriber(Arc::clone(&self.device));
        self.node.subscriptions.write().insert(filter, subscriber, options);
        Ok(options.qos)
    }

    fn unsubscribe(&self, filter: TopicFilter<'_>) -> bool {
        let mut state = self.device.lock();
        if state.current(self.epoch).is_none() {
            return false;
        }
        state.session.subscriptions.retain(|(present, _)| **present != *filter.as_str());
        self.node.subscriptions.write().remove(filter, &Subscriber(Arc::clone(&self.device)))
    }
}
