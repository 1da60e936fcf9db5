//! Connections that ended a while ago: when, why and what they were (spec 2.2).

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::time::Duration;

use foldhash::fast::RandomState;
use mqtt::ClientId;

use crate::Moment;
use crate::close::CloseReason;
use crate::limits::Bounds;

/// A connection that ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Departure {
    /// When.
    pub at: Moment,
    /// Why.
    pub reason: CloseReason,
    /// Whether its session ended with it.
    pub clean_session: bool,
    /// How long the session outlives it, in seconds.
    pub session_expiry_seconds: u32,
    /// The keep-alive that was in force, in seconds.
    pub keep_alive_seconds: u16,
    /// Its epoch.
    pub epoch: u64,
    /// When the last packet of the client came.
    pub last_received: Moment,
    /// The thing that its client spoke for.
    pub thing_name: Option<Box<str>>,
    /// Where it came from.
    pub source: SocketAddr,
    /// The address that it came to, if that is known.
    pub target: Option<SocketAddr>,
}

/// The last connection of each client that ended within the last while. Bounded in number and in
/// bytes: what is older, and beyond either bound what is oldest, is forgotten.
#[derive(Debug)]
pub struct Departures {
    life: Duration,
    most: usize,
    most_bytes: usize,
    by_client: HashMap<ClientId, Known, RandomState>,
    /// Who left, in the order in which they did.
    order: BTreeMap<u64, ClientId>,
    last: u64,
    bytes: usize,
}

#[derive(Debug)]
struct Known {
    /// Its place in the order.
    number: u64,
    departure: Departure,
}

impl Departures {
    /// None yet.
    pub fn new(bounds: &Bounds) -> Self {
        Departures {
            life: bounds.departure_life,
            most: bounds.departures,
            most_bytes: bounds.departure_bytes,
            by_client: HashMap::default(),
            order: BTreeMap::new(),
            last: 0,
            bytes: 0,
        }
    }

    /// A connection of the client ended; an earlier one of it is forgotten. The moments never go
    /// back.
    pub fn add(&mut self, client_id: &ClientId, departure: Departure) {
        self.remove(client_id);
        self.forget_old(departure.at);
        self.bytes += bytes(client_id, &departure);
        self.last += 1;
        self.order.insert(self.last, client_id.clone());
        self.by_client.insert(client_id.clone(), Known { number: self.last, departure });
        while self.by_client.len() > self.most || self.bytes > self.most_bytes {
            self.forget_oldest();
        }
    }

    /// How the client's last connection ended, if that was not too long ago.
    pub fn get(&self, client_id: &ClientId, now: Moment) -> Option<&Departure> {
        let departure = &self.by_client.get(client_id)?.departure;
        (now.since(departure.at) < self.life).then_some(departure)
    }

    /// Forgets what is too long ago.
    pub fn forget_old(&mut self, now: Moment) {
        while let Some((_, oldest)) = self.order.first_key_value()
            && self.get(oldest, now).is_none()
        {
            self.forget_oldest();
        }
    }

    /// Of how many clients one is known.
    pub fn len(&self) -> usize {
        self.by_client.len()
    }

    /// Whether none is known.
    pub fn is_empty(&self) -> bool {
        self.by_client.is_empty()
    }

    fn forget_oldest(&mut self) {
        if let Some((_, client_id)) = self.order.pop_first() {
            self.remove(&client_id);
        }
    }

    fn remove(&mut self, client_id: &ClientId) {
        if let Some(Known { number, departure }) = self.by_client.remove(client_id) {
            self.order.remove(&number);
            self.bytes -= bytes(client_id, &departure);
        }
    }
}

/// What the tables need beyond what is in them: they grow by doubling.
const SLACK: usize = 2;

/// Bytes that the memory of one takes, about.
fn bytes(client_id: &ClientId, departure: &Departure) -> usize {
    let entry = size_of::<(ClientId, Known)>() + size_of::<(u64, ClientId)>();
    let name = departure.thing_name.as_ref().map_or(0, |name| name.len());
    SLACK * entry + client_id.as_str().len() + name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(number: usize) -> ClientId {
        ClientId::parse(&format!("client-{number}")).expect("valid")
    }

    fn second(at: u64) -> Moment {
        Moment::from_micros(at * 1_000_000)
    }

    fn departure(at: u64) -> Departure {
        Departure {
            at: second(at),
            reason: CloseReason::ConnectionLost,
            clean_session: true,
            session_expiry_seconds: 0,
            keep_alive_seconds: 60,
            epoch: 1,
            last_received: second(at),
            thing_name: None,
            source: ([127, 0, 0, 1], 1).into(),
            target: None,
        }
    }

    fn departures(most: usize, most_bytes: usize) -> Departures {
        let departure_life = Duration::from_secs(1_800);
        let bounds = Bounds {
            departure_life,
            departures: most,
            departure_bytes: most_bytes,
            ..Bounds::default()
        };
        Departures::new(&bounds)
    }

    #[test]
    fn a_departure_is_known_for_its_life() {
        let mut departures = departures(10, 1 << 20);
        departures.add(&client(1), departure(5));
        assert_eq!(departures.get(&client(1), second(5)), Some(&departure(5)));
        assert_eq!(departures.get(&client(1), second(1_804)), Some(&departure(5)));
        assert_eq!(departures.get(&client(1), second(1_805)), None);
        assert_eq!(departures.get(&client(2), second(5)), None);
        departures.forget_old(second(1_804));
        assert_eq!(departures.len(), 1);
        departures.forget_old(second(1_805));
        assert!(departures.is_empty());
        assert_eq!(departures.bytes, 0);
    }

    #[test]
    fn the_last_departure_of_a_client_counts_and_is_the_youngest() {
        let mut departures = departures(2, 1 << 20);
        departures.add(&client(1), departure(1));
        departures.add(&client(2), departure(2));
        departures.add(&client(1), departure(3));
        assert_eq!(departures.len(), 2);
        departures.add(&client(3), departure(4));
        assert_eq!(departures.get(&client(1), second(4)), Some(&departure(3)));
        assert_eq!(departures.get(&client(2), second(4)), None, "it was the oldest");
    }

    #[test]
    fn one_client_that_comes_and_goes_drives_nobody_out() {
        let mut departures = departures(2, 1 << 20);
        departures.add(&client(1), departure(1));
        for at in 2..100 {
            departures.add(&client(2), departure(at));
        }
        assert!(departures.get(&client(1), second(99)).is_some());
        assert_eq!(departures.order.len(), 2);
    }

    #[test]
    fn the_bytes_are_bounded_names_included() {
        let one = bytes(&client(1), &departure(1));
        let mut departures = departures(1_000, 3 * one);
        for number in 0..9 {
            departures.add(&client(number), departure(1));
        }
        assert_eq!(departures.len(), 3);
        assert_eq!(departures.bytes, 3 * one);
        let name = "x".repeat(2 * one);
        departures.add(&client(9), Departure { thing_name: Some(name.into()), ..departure(2) });
        assert_eq!(departures.len(), 1, "a long name takes the room of others");
        let name = "x".repeat(4 * one);
        departures.add(&client(9), Departure { thing_name: Some(name.into()), ..departure(2) });
        assert!(departures.is_empty(), "what never has room is not kept");
        assert_eq!((departures.bytes, departures.order.len()), (0, 0));
    }
}
