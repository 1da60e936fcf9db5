//! Who is connected.

use std::sync::atomic::Ordering;
use std::time::Duration;

use mqtt::ClientId;

use crate::node::Node;

/// Which part of the account's burst of direct messages is left to others by whoever sends many.
const LEFT_TO_OTHERS: u32 = 2;

impl Node {
    /// The clients that are connected at about this moment, a part of the registry at a time, so
    /// that whoever looks at many can let others go on in between. No lock is held there.
    pub fn connected_clients(&self) -> impl Iterator<Item = Vec<ClientId>> {
        self.devices.parts().map(|devices| {
            let connected =
                devices.iter().filter(|device| device.connected.load(Ordering::Relaxed));
            connected.map(|device| device.client_id.clone()).collect()
        })
    }

    /// How long one of many direct messages should wait, so that half the account's burst stays for
    /// those that come alone; zero if it may go now.
    pub fn pace_of_many(&self) -> Duration {
        let rate = self.rules.quotas.send_direct_message;
        let spare = rate.map_or(0, |rate| rate.burst / LEFT_TO_OTHERS);
        self.budgets.direct.until_spare(rate, spare, self.now())
    }
}
