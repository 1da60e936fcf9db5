//! Device Shadows: what is kept of each, and who asks for it (spec 10).
//!
//! A shadow has a lock of its own, under which requests to it are done and written to the journal;
//! those to others go on meanwhile. What is told of a request waits in the shadow's outbox until
//! everything it tells is durable, and leaves it in the order of the requests, to subscribers and to
//! the sender, in a task: whoever asks over MQTT may hold locks.

mod ask;
mod in_flight;
mod one;
mod outbox;
mod room;
mod tell;
mod unanswered;

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use engine::access::ShadowPermit;
use parking_lot::RwLock;
use shadow::{Kept, ShadowId};
use telemetry::Quota;

pub(crate) use self::ask::Publisher;
use self::in_flight::InFlights;
use self::one::Shadow;
use self::room::Room;
use self::unanswered::Unanswered;
use crate::node::Node;

/// All shadows.
pub(crate) struct Shadows {
    all: RwLock<BTreeMap<ShadowId, Arc<Shadow>>>,
    room: Room,
    in_flights: Arc<InFlights>,
    unanswered: Unanswered,
}

impl Shadows {
    /// Those that were kept; all of them may take that many bytes.
    pub(crate) fn new(kept: Vec<(ShadowId, Kept)>, most_bytes: usize) -> Self {
        let room = Room::new(most_bytes);
        let entry = |(id, kept): (ShadowId, Kept)| {
            room.restore(&id, &kept);
            (id.clone(), Shadow::new(id, kept))
        };
        let all = kept.into_iter().map(entry).collect();
        let in_flights = Arc::default();
        Shadows { all: RwLock::new(all), room, in_flights, unanswered: Unanswered::default() }
    }

    /// The shadow's place, made if there is none: to be looked up again if it turns out to be
    /// removed.
    fn place(&self, id: &ShadowId) -> Arc<Shadow> {
        if let Some(present) = self.all.read().get(id) {
            return Arc::clone(present);
        }
        let mut all = self.all.write();
        let place = all.entry(id.clone());
        Arc::clone(place.or_insert_with(|| Shadow::new(id.clone(), Kept::default())))
    }

    /// Takes a change of what is kept into account; false if there is no room for it.
    fn change_room(&self, id: &ShadowId, from: &Kept, to: &Kept) -> bool {
        self.room.change(id, from, to)
    }

    /// How many places there are: of shadows, and of those deleted a short time ago.
    pub(crate) fn len(&self) -> usize {
        self.all.read().len()
    }

    /// Bytes they take in memory.
    pub(crate) fn bytes(&self) -> usize {
        self.room.bytes()
    }

    /// Requests that are not answered yet.
    pub(crate) fn unanswered(&self) -> usize {
        self.unanswered.requests()
    }
}

impl Node {
    /// The names of at most `count` named shadows of a thing that come after this one, in the order of
    /// their bytes; the classic one comes before all of them.
    ///
    /// # Errors
    /// The quota that is exceeded.
    pub fn named_shadows_after(
        &self,
        _permit: ShadowPermit,
        start: &ShadowId,
        count: usize,
    ) -> Result<Vec<String>, Quota> {
        let rate = self.rules.quotas.shadow_requests;
        if self.budgets.shadows.take(rate, self.now()).is_err() {
            return Err(Quota::ShadowRequests);
        }
        let all = self.shadows.all.read();
        let named = all
            .range::<ShadowId, _>((Bound::Excluded(start), Bound::Unbounded))
            .take_while(|(id, _)| id.thing() == start.thing())
            .filter(|(_, shadow)| shadow.is_alive())
            .filter_map(|(id, _)| id.name());
        Ok(named.take(count).map(str::to_owned).collect())
    }
}
