//! Operations on a client that a sender names: what they have in common.

use engine::Moment;
use engine::client_rates::ClientRates;
use engine::limits::CLIENTS_WITH_RATES;
use engine::rate::{Bucket, Rate};
use mqtt::ClientId;
use parking_lot::Mutex;
use telemetry::Quota;

/// Why an operation on a client was not carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientRefused {
    /// A rate is exceeded.
    Throttled(Quota),
    /// Nothing is known of the client that the operation could be about.
    Unknown,
}

/// The rates of these operations.
#[derive(Default)]
pub(crate) struct NamedClients {
    pub(crate) get_connection: Budget,
    pub(crate) delete_connection: Budget,
    pub(crate) list_subscriptions: Budget,
}

/// The rates of one operation: of the account, and for each client.
pub(crate) struct Budget {
    account: Bucket,
    clients: Mutex<ClientRates>,
}

/// A rate, and what it is called.
pub(crate) type Named = (Option<Rate>, Quota);

impl Default for Budget {
    fn default() -> Self {
        let clients = Mutex::new(ClientRates::new(CLIENTS_WITH_RATES));
        Budget { account: Bucket::new(), clients }
    }
}

impl Budget {
    /// Takes one call about that client. One too many for a client costs the account nothing, so
    /// that nobody is kept from other clients by it.
    pub(crate) fn take(
        &self,
        account: Named,
        client: Named,
        client_id: &ClientId,
        now: Moment,
    ) -> Result<(), ClientRefused> {
        let throttled = |quota| move |_| ClientRefused::Throttled(quota);
        self.account.look(account.0, now).map_err(throttled(account.1))?;
        self.clients.lock().take(client_id, client.0, now).map_err(throttled(client.1))?;
        self.account.take(account.0, now).map_err(throttled(account.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_client_that_is_asked_for_too_often_takes_nothing_from_others() {
        let budget = Budget::default();
        let account = (Some(Rate::per_second(3)), Quota::GetConnection);
        let client = (Some(Rate::per_second(1)), Quota::GetConnectionPerClient);
        let take = |name: &str, millis: u64| {
            let client_id = ClientId::parse(name).expect("valid");
            budget.take(account, client, &client_id, Moment::from_micros(millis * 1_000))
        };
        assert_eq!(take("a", 0), Ok(()));
        for _ in 0..10 {
            let refused = Err(ClientRefused::Throttled(Quota::GetConnectionPerClient));
            assert_eq!(take("a", 0), refused);
        }
        assert_eq!((take("b", 0), take("c", 0)), (Ok(()), Ok(())));
        assert_eq!(take("d", 0), Err(ClientRefused::Throttled(Quota::GetConnection)));
        assert_eq!(take("d", 400), Ok(()), "its own rate was not touched");
    }
}
