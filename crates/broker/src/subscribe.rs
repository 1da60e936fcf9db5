//! SUBSCRIBE and UNSUBSCRIBE.

use std::sync::Arc;

use engine::topics::Subscription;
use engine::{Moment, Ticket};
use mqtt::{
    QoS, ReasonCode, RetainHandling, Subscribe, SubscribeOptions, TopicFilter, Unsubscribe,
};
use store::record;

use crate::batch::Batch;
use crate::catch_up::CatchUp;
use crate::device::{Device, Kept, Subscribed};
use crate::driver::{Driver, Flow};

/// A session as the subscriptions know it: the same as another only if it is the same device.
#[derive(Clone)]
pub(crate) struct Subscriber {
    pub(crate) device: Arc<Device>,
    /// Which of the device's sessions it is.
    pub(crate) generation: u64,
}

impl Subscriber {
    pub(crate) fn new(device: &Arc<Device>, session: &Kept) -> Self {
        Subscriber { device: Arc::clone(device), generation: session.generation }
    }
}

impl PartialEq for Subscriber {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.device, &other.device)
    }
}

/// A filter that was granted.
struct Granted {
    options: SubscribeOptions,
    /// Whether the session did not have it before.
    new: bool,
    /// How many messages had been retained by then: later ones come as they are published.
    retained: u64,
    durable: Ticket,
}

impl Driver {
    pub(crate) fn handle_subscribe(
        &mut self,
        subscribe: &Subscribe<'_>,
        batch: &mut Batch,
    ) -> Flow {
        let now = batch.now;
        let identifier = subscribe.properties.subscription_identifier();
        if identifier.is_some() && !self.node.rules.profile.subscription_identifiers {
            let code = ReasonCode::SubscriptionIdentifiersNotSupported;
            return self.stop(engine::close::CloseReason::ClientError(code));
        }
        let too_many = subscribe.filters.len() > self.node.rules.quotas.filters_per_subscribe;
        let granted: Vec<Result<Granted, ReasonCode>> = subscribe
            .filters
            .iter()
            .map(|(text, options)| match too_many {
                true => Err(ReasonCode::QuotaExceeded),
                false => self.subscribe(text, *options, identifier, now),
            })
            .collect();
        let reasons: Vec<ReasonCode> = granted.iter().map(reason_code).collect();
        self.node.subscribed(self.link(), self.version, subscribe, &reasons);
        let durable = granted.iter().flatten().map(|granted| granted.durable).max();
        let flow = self.with_connection(batch, |connection| {
            let (session, out) = connection.session_and_output();
            let durable = durable.unwrap_or_default();
            session.answer_subscribe(subscribe.packet_id, reasons, durable, out);
        });
        self.catch_up(subscribe, &granted, identifier, batch);
        flow
    }

    pub(crate) fn handle_unsubscribe(
        &mut self,
        unsubscribe: &Unsubscribe<'_>,
        batch: &mut Batch,
    ) -> Flow {
        let mut durable = Ticket::NONE;
        let reasons: Vec<ReasonCode> = unsubscribe
            .filters
            .iter()
            .map(|text| match TopicFilter::parse(text) {
                Err(_) => ReasonCode::TopicFilterInvalid,
                Ok(filter) => match self.unsubscribe(filter) {
                    Some(ticket) => {
                        durable = durable.max(ticket);
                        ReasonCode::Success
                    }
                    None => ReasonCode::NoSubscriptionExisted,
                },
            })
            .collect();
        self.node.unsubscribed(self.link(), unsubscribe, &reasons);
        self.with_connection(batch, |connection| {
            let (session, out) = connection.session_and_output();
            session.answer_unsubscribe(unsubscribe.packet_id, reasons, durable, out);
        })
    }

    /// One filter: what is granted, or why not.
    fn subscribe(
        &self,
        text: &str,
        mut options: SubscribeOptions,
        identifier: Option<u32>,
        now: Moment,
    ) -> Result<Granted, ReasonCode> {
        let filter = TopicFilter::parse(text).map_err(|_| ReasonCode::TopicFilterInvalid)?;
        self.check_filter(filter)?;
        if self.node.access.subscribe(&self.peer, filter, now).is_err() {
            return Err(ReasonCode::NotAuthorized);
        }
        let quotas = &self.node.rules.quotas;
        if self.node.budgets.subscribes.take(quotas.subscribes, now).is_err() {
            return Err(ReasonCode::QuotaExceeded);
        }
        if filter.share_group().is_some() {
            self.check_group(filter)?;
        }
        options.qos = options.qos.min(self.node.rules.profile.maximum_qos);
        let mut state = self.device.lock();
        if state.current(self.epoch).is_none() {
            return Err(ReasonCode::UnspecifiedError);
        }
        let kept = &mut state.session;
        let new = !kept.subscriptions.contains_key(text);
        if new && kept.subscriptions.len() >= quotas.subscriptions_per_session {
            return Err(ReasonCode::QuotaExceeded);
        }
        kept.subscriptions.insert(text.into(), Subscribed { options, identifier });
        let durable = match kept.number {
            0 => Ticket::NONE,
            number => {
                let made = record::subscription::Subscription { filter, options, identifier };
                self.node.keeper.keep_subscription(number, &made)
            }
        };
        let subscriber = Subscriber::new(&self.device, kept);
        let subscription = Subscription { subscriber, options, identifier };
        let mut subscriptions = self.node.subscriptions.write();
        subscriptions.insert(filter, subscription);
        let retained = self.node.retained.read().sets();
        drop(subscriptions);
        Ok(Granted { options, new, retained, durable })
    }

    /// Whether the shared subscription may have one more member, or may come to be.
    fn check_group(&self, filter: TopicFilter<'_>) -> Result<(), ReasonCode> {
        let quotas = &self.node.rules.quotas;
        let subscriber = Subscriber::new(&self.device, &self.device.lock().session);
        let subscriptions = self.node.subscriptions.read();
        let has_room = match subscriptions.group(filter) {
            Some(group) => group.others(&subscriber) < quotas.members_per_shared_group,
            None => subscriptions.groups() < quotas.shared_groups,
        };
        if has_room { Ok(()) } else { Err(ReasonCode::QuotaExceeded) }
    }

    /// Whether the profile has such filters.
    fn check_filter(&self, filter: TopicFilter<'_>) -> Result<(), ReasonCode> {
        let profile = self.node.rules.profile;
        let inner = filter.inner();
        let slashes = inner.bytes().filter(|byte| *byte == b'/').count();
        let share_name = filter.share_group().unwrap_or_default();
        let reserved = profile.reserved_topics && inner.starts_with('$');
        let too_long = filter.as_str().len() > LONGEST_FILTER
            || inner.len() > profile.filter_bytes
            || slashes > profile.topic_slashes
            || share_name.len() > profile.share_name_bytes;
        if too_long || (reserved && !is_open_to_subscribers(inner)) {
            return Err(ReasonCode::TopicFilterInvalid);
        }
        Ok(())
    }

    /// What was retained goes to new subscriptions, not to shared ones.
    fn catch_up(
        &self,
        subscribe: &Subscribe<'_>,
        granted: &[Result<Granted, ReasonCode>],
        identifier: Option<u32>,
        batch: &mut Batch,
    ) {
        let mut catch_ups = Vec::new();
        for ((text, options), granted) in subscribe.filters.iter().zip(granted) {
            let (Ok(granted), Ok(filter)) = (granted, TopicFilter::parse(text)) else { continue };
            let wanted = match options.retain_handling {
                RetainHandling::Send => true,
                RetainHandling::SendIfNew => granted.new,
                RetainHandling::DoNotSend => false,
            };
            let alone = filter.share_group().is_none();
            if wanted && alone && self.node.has_retained_for(filter, batch.now) {
                let subscribed = Subscribed { options: granted.options, identifier };
                catch_ups.push(CatchUp::new(filter, subscribed, granted.retained));
            }
        }
        if catch_ups.is_empty() {
            return;
        }
        let mut state = self.device.lock();
        let Some(connection) = state.current(self.epoch) else { return };
        connection.catch_ups.extend(catch_ups);
        self.node.send_backlog(&self.device, &mut state, batch.now);
        if let Some(connection) = &mut state.connection {
            batch.add(&self.device, connection);
        }
    }

    /// Removes a subscription, if there was one.
    fn unsubscribe(&self, filter: TopicFilter<'_>) -> Option<Ticket> {
        let mut state = self.device.lock();
        state.current(self.epoch)?;
        let kept = &mut state.session;
        kept.subscriptions.remove(filter.as_str());
        let subscriber = Subscriber::new(&self.device, kept);
        if !self.node.subscriptions.write().remove(filter, &subscriber) {
            return None;
        }
        Some(match kept.number {
            0 => Ticket::NONE,
            number => self.node.keeper.forget_subscription(number, filter.as_str()),
        })
    }
}

/// The longest filter with its share, in bytes: the store's longest key less the number of the
/// session.
const LONGEST_FILTER: usize = 65_527;

/// The topics of the server that clients may subscribe to (spec 5).
fn is_open_to_subscribers(filter: &str) -> bool {
    filter.starts_with("$aws/events/") || shadow::is_open_to_subscribers(filter)
}

fn reason_code(granted: &Result<Granted, ReasonCode>) -> ReasonCode {
    match granted {
        Ok(granted) => match granted.options.qos {
            QoS::AtMostOnce => ReasonCode::Success,
            QoS::AtLeastOnce => ReasonCode::GrantedQoS1,
            QoS::ExactlyOnce => ReasonCode::GrantedQoS2,
        },
        Err(code) => *code,
    }
}
