//! Rates for each client that somebody names, of whom there may be any number.

use std::collections::HashMap;
use std::time::Duration;

use foldhash::fast::RandomState;
use mqtt::ClientId;

use crate::Moment;
use crate::rate::{Bucket, Rate};

/// A bucket for each of those clients that something was taken for lately: a bucket that is full
/// again is the same as none, and makes room.
#[derive(Debug)]
pub struct ClientRates {
    most: usize,
    buckets: HashMap<ClientId, Bucket, RandomState>,
}

impl ClientRates {
    /// For at most so many clients at a time.
    pub fn new(most: usize) -> Self {
        ClientRates { most, buckets: HashMap::default() }
    }

    /// Takes a token of that client's. `None` as the rate means no limit, and takes no room.
    ///
    /// # Errors
    /// The time to wait when there is none, or when too many other clients wait for theirs.
    pub fn take(
        &mut self,
        client_id: &ClientId,
        rate: Option<Rate>,
        now: Moment,
    ) -> Result<(), Duration> {
        if rate.is_none() {
            return Ok(());
        }
        if let Some(bucket) = self.buckets.get(client_id) {
            return bucket.take(rate, now);
        }
        if self.buckets.len() >= self.most {
            self.buckets.retain(|_, bucket| !bucket.is_full(now));
        }
        if self.buckets.len() >= self.most {
            return Err(PATIENCE);
        }
        self.buckets.entry(client_id.clone()).or_default().take(rate, now)
    }
}

/// After how long there may be room.
const PATIENCE: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Option<Rate> = Some(Rate::per_second(1));

    fn client(number: usize) -> ClientId {
        ClientId::parse(&format!("client-{number}")).expect("valid")
    }

    fn millis(at: u64) -> Moment {
        Moment::from_micros(at * 1_000)
    }

    #[test]
    fn each_client_has_a_rate_of_its_own() {
        let mut rates = ClientRates::new(10);
        assert_eq!(rates.take(&client(1), RATE, millis(0)), Ok(()));
        assert_eq!(rates.take(&client(2), RATE, millis(0)), Ok(()));
        let wait = Err(Duration::from_millis(600));
        assert_eq!(rates.take(&client(1), RATE, millis(400)), wait);
        assert_eq!(rates.take(&client(1), RATE, millis(1_000)), Ok(()));
    }

    #[test]
    fn the_number_of_clients_is_bounded_and_who_may_call_again_makes_room() {
        let mut rates = ClientRates::new(2);
        assert_eq!(rates.take(&client(1), RATE, millis(0)), Ok(()));
        assert_eq!(rates.take(&client(2), RATE, millis(500)), Ok(()));
        assert!(rates.take(&client(3), RATE, millis(600)).is_err());
        assert_eq!(rates.take(&client(3), RATE, millis(1_000)), Ok(()));
        assert_eq!(rates.buckets.len(), 2);
        assert!(rates.take(&client(2), RATE, millis(1_000)).is_err(), "it kept its bucket");
    }

    #[test]
    fn no_rate_is_no_limit_and_takes_no_room() {
        let mut rates = ClientRates::new(1);
        for number in 0..100 {
            assert_eq!(rates.take(&client(number), None, millis(0)), Ok(()));
        }
        assert!(rates.buckets.is_empty());
    }
}
