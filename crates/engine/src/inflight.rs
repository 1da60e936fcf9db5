//! The window of QoS 1 messages that wait for a device's PUBACK.

use std::collections::VecDeque;

use mqtt::PacketId;

use crate::Moment;

/// What waits under one packet ID.
#[derive(Debug)]
pub enum Slot<W> {
    /// A confirmed direct message.
    Direct {
        /// Who waits; gone once the deadline has passed, while the packet ID stays taken.
        waiter: Option<W>,
        /// When it is given up.
        deadline: Moment,
    },
    /// A message of publish-subscribe.
    Publish,
}

/// The in-flight window of one connection.
///
/// Invariant: an ID is handed out and recorded in one step, and stays taken until its PUBACK or the
/// end of the connection, so that a late PUBACK can never acknowledge another message.
#[derive(Debug)]
pub struct Inflight<W> {
    last: u16,
    /// IDs have come round to one that was taken since the window was last empty: they are not in
    /// turn any more.
    came_round: bool,
    slots: VecDeque<(PacketId, Slot<W>)>,
}

/// A free packet ID that is taken once it is filled: nothing else can take it meanwhile.
#[derive(Debug)]
pub struct Vacancy<'a, W> {
    inflight: &'a mut Inflight<W>,
    id: PacketId,
}

impl<W> Vacancy<'_, W> {
    /// The ID.
    pub fn id(&self) -> PacketId {
        self.id
    }

    /// Takes the ID for `slot`.
    pub fn fill(self, slot: Slot<W>) -> PacketId {
        self.inflight.slots.push_back((self.id, slot));
        self.id
    }
}

impl<W> Default for Inflight<W> {
    fn default() -> Self {
        Inflight { last: 0, came_round: false, slots: VecDeque::new() }
    }
}

impl<W> Inflight<W> {
    /// How many messages wait.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Takes a free packet ID for `slot`; `None` when `window` messages wait already.
    pub fn insert(&mut self, slot: Slot<W>, window: u16) -> Option<PacketId> {
        self.vacancy(window).map(|vacancy| vacancy.fill(slot))
    }

    /// A free packet ID, not yet taken; `None` when `window` messages wait already.
    pub fn vacancy(&mut self, window: u16) -> Option<Vacancy<'_, W>> {
        if self.is_full(window) {
            return None;
        }
        let id = self.free_id();
        Some(Vacancy { inflight: self, id })
    }

    /// The waiter of the message that was sent last, if somebody waits for it.
    pub fn newest_waiter(&mut self) -> Option<&mut W> {
        match self.slots.back_mut() {
            Some((_, Slot::Direct { waiter, .. })) => waiter.as_mut(),
            Some((_, Slot::Publish)) | None => None,
        }
    }

    /// Whether `window` messages wait already.
    pub fn is_full(&self, window: u16) -> bool {
        self.slots.len() >= usize::from(window)
    }

    /// Releases the packet ID and gives back what waited under it.
    pub fn acknowledge(&mut self, id: PacketId) -> Option<Slot<W>> {
        let at = self.slots.iter().position(|(taken, _)| *taken == id)?;
        let slot = self.slots.remove(at).map(|(_, slot)| slot);
        self.came_round &= !self.slots.is_empty();
        slot
    }

    /// Gives memory back that nothing needs now. Not done with every PUBACK: a device that gets one
    /// message after the other would have it allocated for each.
    pub fn release(&mut self) {
        if self.slots.is_empty() {
            self.slots = VecDeque::new();
        }
    }

    /// The earliest deadline of a waiter.
    pub fn next_deadline(&self) -> Option<Moment> {
        let deadlines = self.slots.iter().filter_map(|(_, slot)| match slot {
            Slot::Direct { waiter: Some(_), deadline } => Some(*deadline),
            Slot::Direct { waiter: None, .. } | Slot::Publish => None,
        });
        deadlines.min()
    }

    /// Takes one waiter whose deadline has passed; its packet ID stays taken.
    pub fn poll_expired(&mut self, now: Moment) -> Option<W> {
        self.slots.iter_mut().find_map(|(_, slot)| match slot {
            Slot::Direct { waiter, deadline } if *deadline <= now => waiter.take(),
            Slot::Direct { .. } | Slot::Publish => None,
        })
    }

    fn free_id(&mut self) -> PacketId {
        loop {
            self.last = self.last.wrapping_add(1);
            if let Some(id) = PacketId::new(self.last)
                && !self.is_taken(id)
            {
                return id;
            }
        }
    }

    /// Whether the ID is taken. IDs are handed out in turn, so until they come round to that of the
    /// oldest message none is, and there is nothing to search.
    fn is_taken(&mut self, id: PacketId) -> bool {
        self.came_round |= self.slots.front().is_some_and(|(oldest, _)| *oldest == id);
        self.came_round && self.slots.iter().any(|(taken, _)| *taken == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_stays_taken_after_its_waiter_timed_out() {
        let mut inflight = Inflight::default();
        let deadline = Moment::from_micros(10);
        let slot = Slot::Direct { waiter: Some("a"), deadline };
        let id = inflight.insert(slot, 1).expect("free");
        assert_eq!(inflight.poll_expired(Moment::from_micros(9)), None);
        assert_eq!(inflight.poll_expired(deadline), Some("a"));
        assert_eq!(inflight.next_deadline(), None);
        assert!(inflight.insert(Slot::Publish, 1).is_none());
        assert!(matches!(inflight.acknowledge(id), Some(Slot::Direct { waiter: None, .. })));
        assert!(inflight.is_empty());
    }

    #[test]
    fn ids_wrap_around_without_zero_and_skip_taken_ones() {
        let mut inflight: Inflight<()> = Inflight::default();
        let first = inflight.insert(Slot::Publish, 2).expect("free");
        for _ in 0..70_000 {
            let id = inflight.insert(Slot::Publish, 2).expect("free");
            assert_ne!(id, first);
            assert!(inflight.acknowledge(id).is_some());
        }
    }

    #[test]
    fn ids_that_come_round_meet_every_taken_one() {
        let mut inflight: Inflight<()> = Inflight::default();
        let mut kept = Vec::new();
        for at in 0..200_000 {
            let id = inflight.insert(Slot::Publish, 100).expect("free");
            assert!(!kept.contains(&id), "{id:?} is taken");
            if [5, 9, 11].contains(&at) {
                kept.push(id);
            } else {
                assert!(inflight.acknowledge(id).is_some());
            }
        }
        assert_eq!(inflight.len(), kept.len());
    }
}
