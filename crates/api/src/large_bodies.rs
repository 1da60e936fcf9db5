//! Room for the bodies that are larger than others, of senders who have not proved who they are.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};

use engine::limits::{LARGE_BODIES, LARGE_BODIES_OF_A_PEER};
use foldhash::fast::RandomState;
use parking_lot::Mutex;

/// The bits of an IPv6 address that one peer may have chosen for itself.
const CHOSEN_BITS: u32 = 64;

/// What of large bodies is in memory. Only what has come counts: whoever announces a large body and
/// does not send it takes nothing from others.
pub(crate) struct LargeBodies {
    taken: Mutex<Taken>,
    /// All of them together, in bytes.
    most: usize,
    /// Those of one peer.
    most_of_a_peer: usize,
    /// What every body may have without counting.
    ordinary: usize,
}

#[derive(Default)]
struct Taken {
    bytes: usize,
    /// Of the peers that have something.
    by_peer: HashMap<IpAddr, usize, RandomState>,
}

/// The room of one body, free again once this is dropped.
pub(crate) struct Room<'a> {
    all: &'a LargeBodies,
    peer: IpAddr,
    bytes: usize,
}

impl LargeBodies {
    /// For bodies of at most `largest` bytes.
    pub(crate) fn new(ordinary: usize, largest: usize) -> Self {
        LargeBodies {
            taken: Mutex::default(),
            most: largest.saturating_mul(LARGE_BODIES),
            most_of_a_peer: largest.saturating_mul(LARGE_BODIES_OF_A_PEER),
            ordinary,
        }
    }

    /// Of a body that is about to come from there.
    pub(crate) fn room(&self, source: IpAddr) -> Room<'_> {
        Room { all: self, peer: peer(source), bytes: 0 }
    }
}

impl Room<'_> {
    /// Whether a body of so many bytes takes room.
    pub(crate) fn counts(&self, length: usize) -> bool {
        length > self.all.ordinary
    }

    /// Takes room for a body that has so many bytes now; says whether there is.
    pub(crate) fn grow(&mut self, length: usize) -> bool {
        if !self.counts(length) {
            return true;
        }
        let more = length.saturating_sub(self.bytes);
        let mut taken = self.all.taken.lock();
        let of_peer = taken.by_peer.get(&self.peer).copied().unwrap_or(0) + more;
        if taken.bytes + more > self.all.most || of_peer > self.all.most_of_a_peer {
            return false;
        }
        taken.bytes += more;
        taken.by_peer.insert(self.peer, of_peer);
        self.bytes = length;
        true
    }
}

impl Drop for Room<'_> {
    fn drop(&mut self) {
        if self.bytes == 0 {
            return;
        }
        let mut taken = self.all.taken.lock();
        taken.bytes -= self.bytes;
        if let Some(of_peer) = taken.by_peer.get_mut(&self.peer) {
            *of_peer -= self.bytes;
            if *of_peer == 0 {
                taken.by_peer.remove(&self.peer);
            }
        }
    }
}

/// Whoever has an address of IPv6 has as many as it wants of one network.
fn peer(source: IpAddr) -> IpAddr {
    match source.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            Ipv6Addr::from_bits(address.to_bits() >> CHOSEN_BITS << CHOSEN_BITS).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn bodies() -> LargeBodies {
        LargeBodies::new(10, 100)
    }

    #[test]
    fn a_body_takes_room_only_as_it_comes_and_gives_it_back() {
        let bodies = bodies();
        let mut small: Vec<_> = (0..10_000).map(|_| bodies.room(HERE)).collect();
        assert!(small.iter_mut().all(|room| room.grow(10)));
        assert_eq!(bodies.taken.lock().bytes, 0);
        let mut large = bodies.room(HERE);
        assert!(large.grow(11) && large.grow(60) && large.grow(60));
        assert_eq!(bodies.taken.lock().bytes, 60);
        drop(large);
        assert_eq!(bodies.taken.lock().bytes, 0);
        assert!(bodies.taken.lock().by_peer.is_empty());
    }

    #[test]
    fn one_peer_leaves_room_for_others_and_all_together_have_a_bound() {
        let bodies = bodies();
        let mut rooms = Vec::new();
        let mut fill = |peer: IpAddr| {
            let before = rooms.len();
            loop {
                let mut room = bodies.room(peer);
                if !room.grow(100) {
                    return rooms.len() - before;
                }
                rooms.push(room);
            }
        };
        assert_eq!(fill(HERE), LARGE_BODIES_OF_A_PEER);
        assert_eq!(fill("::ffff:127.0.0.1".parse().expect("valid")), 0);
        assert_eq!(fill("2001:db8::1".parse().expect("valid")), LARGE_BODIES_OF_A_PEER);
        assert_eq!(fill("2001:db8::1:2:3:4".parse().expect("valid")), 0);
        let others = (0..u32::MAX).map(|n| fill(IpAddr::V4((0x0a00_0000 + n).into())));
        let others: usize = others.take_while(|filled| *filled > 0).sum();
        assert_eq!(others + 2 * LARGE_BODIES_OF_A_PEER, LARGE_BODIES);
        rooms.pop();
        assert!(bodies.room(HERE).grow(100) || bodies.room([10, 9, 9, 9].into()).grow(100));
    }

    #[test]
    fn what_does_not_fit_takes_nothing() {
        let bodies = bodies();
        let mut room = bodies.room(HERE);
        assert!(room.grow(50));
        assert!(!room.grow(100 * LARGE_BODIES_OF_A_PEER + 1));
        assert_eq!(bodies.taken.lock().bytes, 50);
    }
}
