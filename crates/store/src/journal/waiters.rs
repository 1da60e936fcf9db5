//! Who waits for a write to be durable.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};

use parking_lot::Mutex;

use super::failure::StoreFailed;
use engine::Ticket;

/// What is done once a ticket is durable, or can never be.
type Then = Box<dyn FnOnce(Result<(), StoreFailed>) + Send>;

/// The waiters in the order of their tickets, and of their coming for the same ticket.
#[derive(Default)]
pub(super) struct Waiters {
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<(Ticket, Then)>,
    /// Some waiters have been taken out and are being told.
    telling: bool,
}

/// How things stand for a ticket.
pub(super) enum Standing {
    Pending,
    Durable,
    Failed(StoreFailed),
}

impl Waiters {
    /// Calls at once if the ticket's standing is settled and everybody before it was told; otherwise
    /// the waiter waits. `standing` is asked under the lock, so a ticket that settles meanwhile is
    /// not missed.
    pub(super) fn wait(
        &self,
        ticket: Ticket,
        standing: impl FnOnce() -> Standing,
        then: impl FnOnce(Result<(), StoreFailed>) + Send + 'static,
    ) {
        let mut queue = self.queue.lock();
        let result = match standing() {
            Standing::Pending => {
                queue.insert(ticket, Box::new(then));
                return;
            }
            Standing::Durable if queue.is_behind(ticket) => {
                queue.insert(ticket, Box::new(then));
                return;
            }
            Standing::Durable => Ok(()),
            Standing::Failed(failure) => Err(failure),
        };
        drop(queue);
        then(result);
    }

    /// Tells everybody up to this ticket, in order, with no lock held. Only the journal's thread
    /// calls it.
    pub(super) fn tell(&self, durable: Ticket) {
        loop {
            let Some(ready) = self.queue.lock().take(durable) else { return };
            for (_, then) in ready {
                call(then, Ok(()));
            }
        }
    }

    /// Tells everybody that waits that it was in vain.
    pub(super) fn fail(&self, failure: &StoreFailed) {
        let waiting = std::mem::take(&mut self.queue.lock().waiting);
        for (_, then) in waiting {
            call(then, Err(failure.clone()));
        }
    }
}

impl Queue {
    fn insert(&mut self, ticket: Ticket, then: Then) {
        // Nearly always at the end.
        let later = self.waiting.iter().rev().take_while(|(other, _)| *other > ticket).count();
        self.waiting.insert(self.waiting.len() - later, (ticket, then));
    }

    /// Whether somebody with a ticket up to this one has not been told yet.
    fn is_behind(&self, ticket: Ticket) -> bool {
        self.telling || self.waiting.front().is_some_and(|(first, _)| *first <= ticket)
    }

    fn take(&mut self, durable: Ticket) -> Option<VecDeque<(Ticket, Then)>> {
        let ready = self.waiting.partition_point(|(ticket, _)| *ticket <= durable);
        self.telling = ready > 0;
        if ready == 0 {
            return None;
        }
        let later = self.waiting.split_off(ready);
        Some(std::mem::replace(&mut self.waiting, later))
    }
}

/// A waiter that panics harms nobody else's durability.
fn call(then: Then, result: Result<(), StoreFailed>) {
    drop(catch_unwind(AssertUnwindSafe(|| then(result))));
}
