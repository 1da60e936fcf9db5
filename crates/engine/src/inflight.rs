//! The window of messages that wait for a device's acknowledgement.

use std::collections::VecDeque;

use mqtt::{PacketId, QoS};

use crate::Moment;
use crate::queue::Entry;

/// What waits under one packet ID.
#[derive(Debug)]
pub enum Slot<W> {
    /// A confirmed direct message.
    Direct {
        /// Who waits.
        waiter: W,
        /// Until when the PUBACK is waited for; none once that has passed, while the packet ID stays
        /// taken.
        deadline: Option<Moment>,
    },
    /// A message of publish-subscribe that is not sent a second time.
    Once(QoS),
    /// A message of publish-subscribe that is sent again unless it is acknowledged.
    Kept(Entry, Sent),
    /// A message at QoS 2 that the client has: it waits for PUBCOMP.
    Released(Released, Sent),
}

/// A message at QoS 2 of which the PUBREC came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Released {
    /// Its number in the session, if it is kept there.
    pub seq: Option<u64>,
}

/// When it was sent on the present connection; never yet while the session was only resumed.
pub type Sent = Option<Moment>;

/// A message of an ended connection that its session keeps, under its packet ID.
#[derive(Debug)]
pub enum Unacknowledged {
    /// It may not have arrived.
    Message(Entry),
    /// It has arrived; its PUBREL may not have.
    Released(Released),
}

impl Unacknowledged {
    /// Its number in the session.
    pub fn seq(&self) -> Option<u64> {
        match self {
            Unacknowledged::Message(entry) => Some(entry.seq),
            Unacknowledged::Released(released) => released.seq,
        }
    }
}

/// The in-flight window of one connection.
///
/// Invariant: an ID is handed out and recorded in one step, and stays taken until its last
/// acknowledgement or the end of the connection, so that a late PUBACK can never acknowledge another
/// message.
#[derive(Debug)]
pub struct Inflight<W> {
    last: u16,
    /// IDs have come round to one that was taken since the window was last empty: they are not in
    /// turn any more.
    came_round: bool,
    slots: VecDeque<(PacketId, Slot<W>)>,
    /// How many of them were not sent on this connection yet.
    unsent: usize,
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
        Inflight { last: 0, came_round: false, slots: VecDeque::new(), unsent: 0 }
    }
}

impl<W> Inflight<W> {
    /// The window of a connection that goes on with a session: what is unacknowledged is not sent
    /// yet. `last` is the packet ID that was handed out last.
    pub fn resumed(last: u16, kept: Vec<(PacketId, Unacknowledged)>) -> Self {
        let slots: VecDeque<_> = kept
            .into_iter()
            .map(|(id, kept)| match kept {
                Unacknowledged::Message(entry) => (id, Slot::Kept(entry, None)),
                Unacknowledged::Released(released) => (id, Slot::Released(released, None)),
            })
            .collect();
        // They may have any IDs in any order.
        Inflight { last, came_round: true, unsent: slots.len(), slots }
    }

    /// Takes out what a session keeps beyond its connection, and the packet ID that was handed out
    /// last.
    pub fn suspend(&mut self) -> (u16, Vec<(PacketId, Unacknowledged)>) {
        let mut kept = Vec::new();
        let slots = std::mem::take(&mut self.slots);
        for (id, slot) in slots {
            match slot {
                Slot::Kept(entry, _) => kept.push((id, Unacknowledged::Message(entry))),
                Slot::Released(released, _) => kept.push((id, Unacknowledged::Released(released))),
                direct @ (Slot::Direct { .. } | Slot::Once(_)) => {
                    self.slots.push_back((id, direct))
                }
            }
        }
        self.unsent = 0;
        (self.last, kept)
    }

    /// How many messages wait that were sent on this connection.
    pub fn len(&self) -> usize {
        self.slots.len() - self.unsent
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
            Some((_, Slot::Direct { waiter, .. })) => Some(waiter),
            Some((_, Slot::Once(_) | Slot::Kept(..) | Slot::Released(..))) | None => None,
        }
    }

    /// Whether `window` messages wait already; and at no time are all packet IDs taken.
    pub fn is_full(&self, window: u16) -> bool {
        self.len() >= usize::from(window) || self.slots.len() >= usize::from(u16::MAX)
    }

    /// Whether messages of the session wait to be sent again on this connection.
    pub fn has_unsent(&self) -> bool {
        self.unsent > 0
    }

    /// The first message of the session that is to be sent again and was not yet; it counts as sent
    /// from now on.
    pub fn poll_unsent(&mut self, now: Moment) -> Option<(PacketId, &Slot<W>)> {
        if self.unsent == 0 {
            return None;
        }
        self.unsent -= 1;
        let (id, slot) = self.slots.iter_mut().find(|(_, slot)| slot.is_unsent())?;
        slot.mark_sent(now);
        Some((*id, slot))
    }

    /// The first message that was sent before `before` and is still unacknowledged; it counts as
    /// sent anew from now on.
    pub fn poll_sent_before(
        &mut self,
        before: Moment,
        now: Moment,
    ) -> Option<(PacketId, &Slot<W>)> {
        let is_due = |slot: &Slot<W>| slot.sent_at().is_some_and(|sent| sent <= before);
        let (id, slot) = self.slots.iter_mut().find(|(_, slot)| is_due(slot))?;
        slot.mark_sent(now);
        Some((*id, slot))
    }

    /// When a message was sent that would be sent again: the oldest, which as a rule was sent first.
    pub fn oldest_sent(&self) -> Option<Moment> {
        self.slots.iter().find_map(|(_, slot)| slot.sent_at())
    }

    /// What waits under the ID.
    pub fn slot(&self, id: PacketId) -> Option<&Slot<W>> {
        self.slots.iter().find(|(taken, _)| *taken == id).map(|(_, slot)| slot)
    }

    /// Releases the packet ID and gives back what waited under it.
    pub fn acknowledge(&mut self, id: PacketId) -> Option<Slot<W>> {
        let at = self.slots.iter().position(|(taken, _)| *taken == id)?;
        let slot = self.slots.remove(at).map(|(_, slot)| slot);
        self.unsent -= usize::from(slot.as_ref().is_some_and(Slot::is_unsent));
        self.came_round &= !self.slots.is_empty();
        slot
    }

    /// The message has arrived: only its PUBCOMP is waited for. Its place in the order stays.
    pub fn release_message(&mut self, id: PacketId, released: Released, now: Moment) {
        let slot = self.slots.iter_mut().find(|(taken, _)| *taken == id);
        if let Some((_, slot)) = slot {
            self.unsent -= usize::from(slot.is_unsent());
            *slot = Slot::Released(released, Some(now));
        }
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
            Slot::Direct { deadline, .. } => *deadline,
            Slot::Once(_) | Slot::Kept(..) | Slot::Released(..) => None,
        });
        deadlines.min()
    }

    /// One whose deadline has passed, with its packet ID, which stays taken. Each is told once.
    pub fn poll_expired(&mut self, now: Moment) -> Option<(PacketId, &mut W)> {
        self.slots.iter_mut().find_map(|(id, slot)| match slot {
            Slot::Direct { waiter, deadline } => {
                deadline.take_if(|deadline| *deadline <= now).map(|_| (*id, waiter))
            }
            Slot::Once(_) | Slot::Kept(..) | Slot::Released(..) => None,
        })
    }

    /// Who waits under that packet ID waits until then.
    pub fn set_deadline(&mut self, id: PacketId, until: Moment) {
        let slot = self.slots.iter_mut().find(|(taken, _)| *taken == id);
        if let Some((_, Slot::Direct { deadline, .. })) = slot {
            *deadline = Some(until);
        }
    }

    /// Everybody who waits, in the order of the messages.
    pub fn waiters_mut(&mut self) -> impl Iterator<Item = &mut W> {
        self.slots.iter_mut().filter_map(|(_, slot)| match slot {
            Slot::Direct { waiter, .. } => Some(waiter),
            Slot::Once(_) | Slot::Kept(..) | Slot::Released(..) => None,
        })
    }

    /// Who waits under that packet ID.
    pub fn waiter_mut(&mut self, id: PacketId) -> Option<&mut W> {
        match self.slots.iter_mut().find(|(taken, _)| *taken == id) {
            Some((_, Slot::Direct { waiter, .. })) => Some(waiter),
            Some((_, Slot::Once(_) | Slot::Kept(..) | Slot::Released(..))) | None => None,
        }
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

impl<W> Slot<W> {
    fn is_unsent(&self) -> bool {
        matches!(self, Slot::Kept(_, None) | Slot::Released(_, None))
    }

    /// When it was sent, if it would be sent again.
    fn sent_at(&self) -> Option<Moment> {
        match self {
            Slot::Kept(_, sent) | Slot::Released(_, sent) => *sent,
            Slot::Direct { .. } | Slot::Once(_) => None,
        }
    }

    fn mark_sent(&mut self, now: Moment) {
        match self {
            Slot::Kept(_, sent) | Slot::Released(_, sent) => *sent = Some(now),
            Slot::Direct { .. } | Slot::Once(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn once<W>() -> Slot<W> {
        Slot::Once(QoS::AtLeastOnce)
    }

    #[test]
    fn an_id_stays_taken_after_its_waiter_timed_out() {
        let mut inflight = Inflight::default();
        let deadline = Moment::from_micros(10);
        let slot = Slot::Direct { waiter: "a", deadline: Some(deadline) };
        let id = inflight.insert(slot, 1).expect("free");
        assert_eq!(inflight.poll_expired(Moment::from_micros(9)), None);
        assert_eq!(inflight.poll_expired(deadline), Some((id, &mut "a")));
        assert_eq!(inflight.poll_expired(deadline), None);
        assert_eq!(inflight.next_deadline(), None);
        assert!(inflight.insert(once(), 1).is_none());
        assert!(matches!(
            inflight.acknowledge(id),
            Some(Slot::Direct { waiter: "a", deadline: None })
        ));
        assert!(inflight.is_empty());
    }

    #[test]
    fn ids_wrap_around_without_zero_and_skip_taken_ones() {
        let mut inflight: Inflight<()> = Inflight::default();
        let first = inflight.insert(once(), 2).expect("free");
        for _ in 0..70_000 {
            let id = inflight.insert(once(), 2).expect("free");
            assert_ne!(id, first);
            assert!(inflight.acknowledge(id).is_some());
        }
    }

    #[test]
    fn ids_that_come_round_meet_every_taken_one() {
        let mut inflight: Inflight<()> = Inflight::default();
        let mut kept = Vec::new();
        for at in 0..200_000 {
            let id = inflight.insert(once(), 100).expect("free");
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
