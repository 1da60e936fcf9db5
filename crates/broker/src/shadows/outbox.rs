//! What is told of the requests to one shadow, in their order.

use std::collections::VecDeque;

use parking_lot::Mutex;

use super::tell::Told;

/// Answers that wait until what they tell is durable.
#[derive(Default)]
pub(crate) struct Outbox(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    answers: VecDeque<Answer>,
    /// The number of the first of them.
    first: u64,
    /// Whether somebody takes them out: nobody else does meanwhile.
    emptying: bool,
}

struct Answer {
    told: Told,
    /// Whether what it tells is kept; none while that is not known.
    kept: Option<bool>,
}

impl Outbox {
    /// Adds an answer after all others; its number is for [`Outbox::settle`].
    pub(crate) fn add(&self, told: Told) -> u64 {
        let mut waiting = self.0.lock();
        waiting.answers.push_back(Answer { told, kept: None });
        waiting.first + waiting.answers.len() as u64 - 1
    }

    /// It is known whether what that answer tells is kept.
    pub(crate) fn settle(&self, number: u64, kept: bool) {
        let mut waiting = self.0.lock();
        let at = number.checked_sub(waiting.first).and_then(|at| usize::try_from(at).ok());
        if let Some(answer) = at.and_then(|at| waiting.answers.get_mut(at)) {
            answer.kept = Some(kept);
        }
    }

    /// Calls `tell` with each answer whose time has come, and whether what it tells is kept, unless
    /// somebody else does: then that one does it. No lock is held meanwhile.
    pub(crate) fn empty(&self, mut tell: impl FnMut(Told, bool)) {
        let mut mine = false;
        loop {
            let mut waiting = self.0.lock();
            if waiting.emptying && !mine {
                return;
            }
            let kept = waiting.answers.front().and_then(|answer| answer.kept);
            let next = kept.and_then(|kept| Some((waiting.answers.pop_front()?.told, kept)));
            mine = next.is_some();
            waiting.emptying = mine;
            let Some((told, kept)) = next else { return };
            waiting.first += 1;
            drop(waiting);
            tell(told, kept);
        }
    }

    /// Whether nothing waits and nobody is about to tell.
    pub(crate) fn is_empty(&self) -> bool {
        let waiting = self.0.lock();
        waiting.answers.is_empty() && !waiting.emptying
    }
}
