//! Whether a message whose device has come may still be sent: its sender may give it up while it
//! waits for the account's rate.

use parking_lot::Mutex;

/// How far it is. Held for a look only, never while the message is sent.
#[derive(Default)]
pub(super) struct Turn(Mutex<Phase>);

#[derive(Clone, Copy)]
enum Phase {
    /// It is just being sent, if there is rate for it.
    Tried { given_up: bool },
    /// It waits for the rate.
    Waits,
    /// It is not sent any more.
    Over,
}

impl Default for Phase {
    /// It is tried as soon as its device comes.
    fn default() -> Self {
        Phase::Tried { given_up: false }
    }
}

impl Turn {
    /// It waits, maybe once more; false if it was given up meanwhile.
    pub(super) fn wait(&self) -> bool {
        let mut phase = self.0.lock();
        let given_up = matches!(*phase, Phase::Tried { given_up: true });
        *phase = if given_up { Phase::Over } else { Phase::Waits };
        !given_up
    }

    /// It is about to be sent; false if it does not wait any more.
    pub(super) fn begin(&self) -> bool {
        let mut phase = self.0.lock();
        let waits = matches!(*phase, Phase::Waits);
        if waits {
            *phase = Phase::Tried { given_up: false };
        }
        waits
    }

    /// It came to its end.
    pub(super) fn end(&self) {
        *self.0.lock() = Phase::Over;
    }

    /// Its sender went away; says whether it is sure that it is never sent.
    pub(super) fn give_up(&self) -> bool {
        let mut phase = self.0.lock();
        match *phase {
            Phase::Tried { .. } => {
                *phase = Phase::Tried { given_up: true };
                false
            }
            Phase::Waits => {
                *phase = Phase::Over;
                true
            }
            Phase::Over => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_can_be_given_up_and_is_not_tried_then() {
        let turn = Turn::default();
        assert!(!turn.begin(), "it is tried already");
        assert!(turn.wait());
        assert!(turn.begin() && turn.wait() && turn.give_up());
        assert!(!turn.begin() && !turn.give_up());
    }

    #[test]
    fn what_is_just_tried_is_not_tried_again_once_it_was_given_up() {
        for tries in 0..3 {
            let turn = Turn::default();
            for _ in 0..tries {
                assert!(turn.wait() && turn.begin());
            }
            assert!(!turn.give_up(), "it may be sent");
            assert!(!turn.wait() && !turn.begin());
        }
    }
}
