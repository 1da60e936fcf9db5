//! How much memory shadows take, and what is forgotten of them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use engine::{Moment, Ticket};
use parking_lot::Mutex;
use shadow::{Kept, ShadowId};

use super::Shadows;
use super::one::Shadow;
use crate::node::Node;

/// About what a place takes besides the names and texts.
const PLACE_BYTES: usize = 384;

/// The memory of all shadows.
pub(crate) struct Room {
    bytes: AtomicUsize,
    most: usize,
    /// Those that were deleted, by when they are forgotten, in milliseconds since 1970.
    deleted: Mutex<BTreeSet<(u64, ShadowId)>>,
}

impl Room {
    pub(super) fn new(most: usize) -> Self {
        Room { bytes: AtomicUsize::new(0), most, deleted: Mutex::default() }
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Takes what was kept by an earlier process into account, however much it is.
    pub(super) fn restore(&self, id: &ShadowId, kept: &Kept) {
        self.bytes.fetch_add(cost(id, kept), Ordering::Relaxed);
        if let Some(forgotten) = kept.forgotten_at() {
            self.deleted.lock().insert((forgotten, id.clone()));
        }
    }

    /// Takes a change into account; false, and nothing is, if there is no room for it.
    pub(super) fn change(&self, id: &ShadowId, from: &Kept, to: &Kept) -> bool {
        let (old, new) = (cost(id, from), cost(id, to));
        let changed = self.bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |bytes| {
            let bytes = bytes - old + new;
            (bytes <= self.most || new <= old).then_some(bytes)
        });
        if changed.is_err() {
            return false;
        }
        let mut deleted = self.deleted.lock();
        if let Some(forgotten) = from.forgotten_at() {
            deleted.remove(&(forgotten, id.clone()));
        }
        if let Some(forgotten) = to.forgotten_at().filter(|_| new > 0) {
            deleted.insert((forgotten, id.clone()));
        }
        true
    }

    /// The one that is to be forgotten first, if it is to be by `until`.
    fn first_deleted(&self, until: u64) -> Option<ShadowId> {
        let deleted = self.deleted.lock();
        deleted.first().filter(|(forgotten, _)| *forgotten <= until).map(|(_, id)| id.clone())
    }
}

/// About what is kept takes in memory; nothing for nothing.
fn cost(id: &ShadowId, kept: &Kept) -> usize {
    if *kept == Kept::default() {
        return 0;
    }
    // The names are in the map and in the shadow.
    let names = id.thing().len() + id.name().map_or(0, str::len);
    PLACE_BYTES + 2 * names + kept.bytes()
}

/// What became of a place that was to be removed.
#[derive(PartialEq, Eq)]
enum Removal {
    Removed,
    /// There is a document again, or it was removed before.
    NotNeeded,
    /// Somebody waits for an answer from it.
    Busy,
}

impl Shadows {
    /// Removes a place without a document. `forget` has its last trace in the store removed, under
    /// its lock.
    fn remove(&self, id: &ShadowId, forget: impl FnOnce() -> Ticket) -> Removal {
        let mut all = self.all.write();
        let Some(shadow) = all.get(id).map(Arc::clone) else { return Removal::NotNeeded };
        let mut state = shadow.lock();
        if state.kept().is_alive() {
            return Removal::NotNeeded;
        }
        if !shadow.outbox.is_empty() {
            return Removal::Busy;
        }
        if *state.kept() != Kept::default() {
            forget();
            self.room.change(id, state.kept(), &Kept::default());
        }
        state.removed = true;
        all.remove(id);
        Removal::Removed
    }

    /// Removes this place, of which nothing is kept: not another one that has its name by now, which
    /// may have the version of a shadow that was deleted.
    fn give_up(&self, place: &Shadow) {
        let mut all = self.all.write();
        let is_it = all.get(&place.id).is_some_and(|present| std::ptr::eq(&**present, place));
        let mut state = place.lock();
        if is_it && *state.kept() == Kept::default() && place.outbox.is_empty() {
            state.removed = true;
            all.remove(&place.id);
        }
    }
}

impl Node {
    /// Forgets the versions of shadows that were deleted long ago.
    pub(crate) fn forget_deleted_shadows(&self, now: Moment) {
        let millis = self.clock.wall().millis(now);
        while let Some(id) = self.shadows.room.first_deleted(millis) {
            if self.forget_shadow(&id) == Removal::Busy {
                return;
            }
        }
    }

    /// Makes room for a shadow by forgetting the version of the one that was deleted first; says
    /// whether there was one.
    pub(super) fn make_room_for_shadow(&self) -> bool {
        let first = self.shadows.room.first_deleted(u64::MAX);
        first.is_some_and(|id| self.forget_shadow(&id) != Removal::Busy)
    }

    /// Gives up the place of a shadow that was asked for and does not exist.
    pub(super) fn give_up_place(&self, shadow: &Shadow) {
        let is_nothing = *shadow.lock().kept() == Kept::default();
        if is_nothing {
            self.shadows.give_up(shadow);
        }
    }

    fn forget_shadow(&self, id: &ShadowId) -> Removal {
        self.shadows.remove(id, || self.keeper.forget_shadow(id))
    }
}

#[cfg(test)]
mod tests {
    use shadow::Content;

    use super::*;

    fn id(name: &str) -> ShadowId {
        ShadowId::new(name, None).expect("valid")
    }

    fn document(state: &str) -> Kept {
        let content = Content::Document { state: state.into(), times: "{}".into() };
        Kept { version: 1, content }
    }

    fn deleted(at_millis: u64) -> Kept {
        Kept { version: 1, content: Content::Deleted { at_millis } }
    }

    #[test]
    fn what_grows_needs_room_and_what_shrinks_makes_it() {
        let (lamp, door, nothing) = (id("lamp"), id("door"), Kept::default());
        let (large, small) = (document(&"x".repeat(1_000)), document("{}"));
        let room = Room::new(cost(&lamp, &large) + cost(&door, &deleted(0)));
        assert!(room.change(&lamp, &nothing, &large));
        assert!(!room.change(&door, &nothing, &small));
        assert!(room.change(&door, &nothing, &deleted(0)));
        assert!(room.change(&lamp, &large, &small));
        assert!(room.change(&door, &deleted(0), &small));
        assert!(room.change(&lamp, &small, &nothing));
        assert!(room.change(&door, &small, &nothing));
        assert_eq!(room.bytes(), 0);
    }

    #[test]
    fn what_was_deleted_first_is_forgotten_first() {
        let (lamp, door, nothing) = (id("lamp"), id("door"), Kept::default());
        let room = Room::new(1 << 20);
        room.restore(&door, &deleted(7));
        assert!(room.change(&lamp, &nothing, &deleted(5)));
        let forgotten = deleted(5).forgotten_at().expect("it was deleted");
        assert_eq!(room.first_deleted(forgotten - 1), None);
        assert_eq!(room.first_deleted(forgotten), Some(lamp.clone()));
        assert!(room.change(&lamp, &deleted(5), &document("{}")));
        assert_eq!(room.first_deleted(u64::MAX), Some(door.clone()));
        assert!(room.change(&door, &deleted(7), &nothing));
        assert_eq!(room.first_deleted(u64::MAX), None);
    }
    /// Whoever held the place while it was empty must not take away the version of the shadow that was
    /// made and deleted at another place of the name meanwhile.
    #[test]
    fn a_place_that_is_given_up_is_not_another_of_its_name() {
        let shadows = Shadows::new(Vec::new(), 1 << 20);
        let first = shadows.place(&id("lamp"));
        shadows.give_up(&first);
        assert!(first.lock().removed);
        let second = shadows.place(&id("lamp"));
        assert!(!Arc::ptr_eq(&first, &second));
        second.keep(&mut second.lock(), deleted(5), Ticket::NONE);
        shadows.give_up(&first);
        shadows.give_up(&second);
        assert!(Arc::ptr_eq(&second, &shadows.place(&id("lamp"))));
        assert!(!second.lock().removed);
    }
}
