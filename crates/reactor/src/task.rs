//! A connection as the reactor knows it.

use std::os::fd::BorrowedFd;
use std::task::Context;

/// A connection: plain data that goes on when it is given a turn.
pub trait Task: Send {
    /// Goes on as far as it can without waiting. Turns may come without a reason; a task that has
    /// nothing to do then says [`Next::Wait`].
    fn run(&mut self, turn: &mut Turn<'_, '_>) -> Next;
}

/// What a task wants after its turn.
pub enum Next {
    /// Another turn when the socket or the waker says so.
    Wait,
    /// Another task in its place, which is given the same turn at once.
    Become(Box<dyn Task>),
    /// To be dropped.
    End,
}

/// What a turn brings.
pub struct Turn<'a, 'w> {
    /// The waker that brings the next turn, from any thread.
    pub context: &'a mut Context<'w>,
    /// What the socket is ready for.
    pub ready: Ready,
    pub(crate) epoll: BorrowedFd<'a>,
}

/// What a socket became ready for since the last turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ready {
    /// There may be something to read.
    pub readable: bool,
    /// The peer has closed its half, sent urgent data or is gone: a read tells what there is, and
    /// only one that finds nothing tells that there is nothing more.
    pub closed: bool,
}

impl Ready {
    /// Nothing new.
    pub const NOTHING: Ready = Ready { readable: false, closed: false };
    /// Something to read; how much is not known.
    pub const READABLE: Ready = Ready { readable: true, closed: false };
}
