//! Operations on a client that a sender names: what they have in common.

use engine::Moment;
use engine::client_rates::ClientRates;
use engine::limits::{CLIENTS_WITH_RATES, OperationRates};
use engine::rate::Bucket;
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

/// How often these operations may be called.
pub(crate) struct NamedClients {
    pub(crate) get_connection: Budget,
    pub(crate) delete_connection: Budget,
    pub(crate) list_subscriptions: Budget,
}

/// How often one operation may be called: by the account, and for each client.
pub(crate) struct Budget {
    account: (Bucket, Quota),
    clients: (Mutex<ClientRates>, Quota),
}

impl Default for NamedClients {
    fn default() -> Self {
        NamedClients {
            get_connection: Budget::new(Quota::GetConnection, Quota::GetConnectionPerClient),
            delete_connection: Budget::new(
                Quota::DeleteConnection,
                Quota::DeleteConnectionPerClient,
            ),
            list_subscriptions: Budget::new(
                Quota::ListSubscriptions,
                Quota::ListSubscriptionsPerClient,
            ),
        }
    }
}

impl Budget {
    /// The quotas that are told to be exceeded.
    fn new(account: Quota, client: Quota) -> Self {
        let clients = Mutex::new(ClientRates::new(CLIENTS_WITH_RATES));
        Budget { account: (Bucket::new(), account), clients: (clients, client) }
    }

    /// Takes one call about that client. One too many for a client costs the account nothing, so
    /// that nobody is kept from other clients by it.
    pub(crate) fn take(
        &self,
        rates: OperationRates,
        client_id: &ClientId,
        now: Moment,
    ) -> Result<(), ClientRefused> {
        let throttled = |quota| move |_| ClientRefused::Throttled(quota);
        let ((account, account_quota), (clients, client_quota)) = (&self.account, &self.clients);
        account.look(rates.account, now).map_err(throttled(*account_quota))?;
        let taken = clients.lock().take(client_id, rates.per_client, now);
        taken.map_err(throttled(*client_quota))?;
        account.take(rates.account, now).map_err(throttled(*account_quota))
    }
}

#[cfg(test)]
mod tests {
    use engine::rate::Rate;

    use super::*;

    #[test]
    fn one_client_that_is_asked_for_too_often_takes_nothing_from_others() {
        let budget = Budget::new(Quota::GetConnection, Quota::GetConnectionPerClient);
        let rates = OperationRates {
            account: Some(Rate::per_second(3)),
            per_client: Some(Rate::per_second(1)),
        };
        let take = |name: &str, millis: u64| {
            let client_id = ClientId::parse(name).expect("valid");
            budget.take(rates, &client_id, Moment::from_micros(millis * 1_000))
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
