//! The filters that a client's session is subscribed to (spec 2.3).

use std::ops::Bound;

use engine::access::ListSubscriptionsPermit;
use mqtt::{ClientId, QoS};

use crate::named_clients::ClientRefused;
use crate::node::Node;

impl Node {
    /// At most `count` filters that come after `after`, in the order of their bytes, of a client that
    /// is connected or has a session: each as it was subscribed, with the QoS that was granted.
    ///
    /// # Errors
    /// [`ClientRefused`].
    pub fn list_subscriptions(
        &self,
        _permit: ListSubscriptionsPermit,
        client_id: &ClientId,
        after: Option<&str>,
        count: usize,
    ) -> Result<Vec<(Box<str>, QoS)>, ClientRefused> {
        let (now, rates) = (self.now(), self.rules.quotas.list_subscriptions);
        self.named_clients.list_subscriptions.take(rates, client_id, now)?;
        let device = self.devices.get(client_id.as_str()).ok_or(ClientRefused::Unknown)?;
        let state = device.lock();
        if state.connection.is_none() && !state.has_session(now) {
            return Err(ClientRefused::Unknown);
        }
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let following = state.session.subscriptions.range::<str, _>((from, Bound::Unbounded));
        let following = following.take(count);
        Ok(following.map(|(filter, made)| (filter.clone(), made.options.qos)).collect())
    }
}
