//! The table of the sessions' subscriptions.

use mqtt::{RetainHandling, SubscribeOptions, TopicFilter};
use serde::{Deserialize, Serialize};

use super::{RecordError, decode, encode, qos, text};
use crate::{Changes, Table};

const TABLE: Table = Table::Subscriptions;

#[derive(Serialize, Deserialize)]
struct SubscriptionRecord {
    qos: u8,
    no_local: bool,
    retain_as_published: bool,
    identifier: Option<u32>,
}

/// One subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subscription<'a> {
    /// The filter, as it was subscribed.
    pub filter: TopicFilter<'a>,
    /// The options; what happens with retained messages is over by now.
    pub options: SubscribeOptions,
    /// Its identifier.
    pub identifier: Option<u32>,
}

/// Keeps a subscription of a session.
pub fn put(changes: &mut Changes, session: u64, subscription: &Subscription<'_>) {
    let value = encode(&SubscriptionRecord {
        qos: subscription.options.qos as u8,
        no_local: subscription.options.no_local,
        retain_as_published: subscription.options.retain_as_published,
        identifier: subscription.identifier,
    });
    changes.put(TABLE, &key(session, subscription.filter.as_str()), &value);
}

/// Keeps a subscription no longer.
pub fn delete(changes: &mut Changes, session: u64, filter: &str) {
    changes.delete(TABLE, &key(session, filter));
}

/// The number of the session and the subscription.
///
/// # Errors
/// [`RecordError`].
pub fn read<'a>(key: &'a [u8], value: &[u8]) -> Result<(u64, Subscription<'a>), RecordError> {
    let short = RecordError::new(TABLE, "its key is too short");
    let (session, filter) = key.split_first_chunk::<8>().ok_or(short)?;
    let filter = TopicFilter::parse(text(TABLE, filter)?)
        .map_err(|_| RecordError::new(TABLE, "its filter is not valid"))?;
    let record: SubscriptionRecord = decode(TABLE, value)?;
    let options = SubscribeOptions {
        qos: qos(TABLE, record.qos)?,
        no_local: record.no_local,
        retain_as_published: record.retain_as_published,
        retain_handling: RetainHandling::default(),
    };
    let subscription = Subscription { filter, options, identifier: record.identifier };
    Ok((u64::from_be_bytes(*session), subscription))
}

fn key(session: u64, filter: &str) -> Vec<u8> {
    [&session.to_be_bytes(), filter.as_bytes()].concat()
}
