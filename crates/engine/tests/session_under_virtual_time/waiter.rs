//! Somebody who waits for a confirmation, and what became of the wait.

use std::cell::Cell;
use std::rc::Rc;

use engine::Moment;
use mqtt::ReasonCode;

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It goes on.
    Waiting,
    /// The PUBACK came.
    Acknowledged,
    /// The PUBACK came with an error.
    Rejected(ReasonCode),
    /// The deadline passed.
    TimedOut,
    /// The session was dropped.
    Disconnected,
}

/// What the session keeps; dropped while it waits, it notes the disconnection.
#[derive(Debug)]
pub struct Waiter(Rc<Cell<Fate>>);

impl Waiter {
    /// Ends the wait; a wait that timed out may end once more.
    pub fn settle(self, fate: Fate) {
        assert!(matches!(self.0.get(), Fate::Waiting | Fate::TimedOut), "settled twice");
        self.0.set(fate);
    }

    /// Its deadline passed.
    pub fn time_out(&mut self) {
        assert_eq!(self.0.get(), Fate::Waiting, "told twice");
        self.0.set(Fate::TimedOut);
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        if self.0.get() == Fate::Waiting {
            self.0.set(Fate::Disconnected);
        }
    }
}

/// The model's side of a wait.
#[derive(Debug)]
pub struct Wait {
    fate: Rc<Cell<Fate>>,
    /// When it is due to be given up.
    pub deadline: Moment,
}

impl Wait {
    /// A wait and what the session is given for it.
    pub fn begin(deadline: Moment) -> (Self, Waiter) {
        let fate = Rc::new(Cell::new(Fate::Waiting));
        (Wait { fate: Rc::clone(&fate), deadline }, Waiter(fate))
    }

    /// How it ended, if it did.
    pub fn fate(&self) -> Fate {
        self.fate.get()
    }
}
