//! Time on a sender's connection: idle for too long, or too slow with a request.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use engine::limits::Bounds;
use tokio::sync::watch;

/// How often a connection is looked at.
const LOOK: Duration = Duration::from_secs(1);

type Ring = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Looks at a connection every second rather than keep the time of each request.
pub(super) struct Alarm {
    draining: watch::Receiver<bool>,
    /// The next look, or the beginning of a drain.
    ring: Option<Ring>,
    /// Requests at the last look.
    requests: u64,
    /// Looks since anything changed.
    looks: u32,
    /// Of a request that is not whole: whether its head is.
    head: bool,
}

/// What a look sees.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    /// Requests so far.
    pub(super) requests: u64,
    /// One of them waits for its device.
    pub(super) busy: bool,
    /// Part of another has come.
    pub(super) partial: bool,
}

/// What follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    GoOn,
    /// To be closed.
    Over,
    /// To be told that its body did not come, then closed.
    BodyTimedOut,
}

impl Alarm {
    pub(super) fn new(draining: watch::Receiver<bool>) -> Self {
        Alarm { draining, ring: None, requests: 0, looks: 0, head: false }
    }

    /// Whether it will ring.
    pub(super) fn is_armed(&self) -> bool {
        self.ring.is_some()
    }

    /// A request is not whole; `head` says whether its head is.
    pub(super) fn partial(&mut self, head: bool) {
        if self.head != head {
            self.head = head;
            self.looks = 0;
        }
    }

    /// Looks if a second has passed, and arms the alarm for the next one.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, seen: Seen, bounds: &Bounds) -> Verdict {
        let mut verdict = Verdict::GoOn;
        loop {
            let ring = self.ring.get_or_insert_with(|| ring(self.draining.clone()));
            match ring.as_mut().poll(cx) {
                Poll::Pending => return verdict,
                Poll::Ready(()) => self.ring = None,
            }
            if verdict == Verdict::GoOn {
                verdict = self.look(seen, bounds);
            }
        }
    }

    fn look(&mut self, seen: Seen, bounds: &Bounds) -> Verdict {
        if seen.busy || seen.requests != self.requests {
            self.requests = seen.requests;
            self.looks = 0;
            return Verdict::GoOn;
        }
        self.looks += 1;
        let patience = match seen {
            Seen { partial: true, .. } if self.head => bounds.http_body,
            Seen { partial: true, .. } | Seen { requests: 0, .. } => bounds.http_head,
            Seen { .. } => bounds.http_idle,
        };
        if LOOK * self.looks <= patience {
            return Verdict::GoOn;
        }
        if seen.partial && self.head { Verdict::BodyTimedOut } else { Verdict::Over }
    }
}

fn ring(mut draining: watch::Receiver<bool>) -> Ring {
    // Of a drain that has begun already nothing more is to be heard.
    let draining_already = *draining.borrow();
    Box::pin(async move {
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            _ = draining.wait_for(|draining| *draining), if !draining_already => {}
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seen: Seen, head: bool) -> (u32, Verdict) {
        let (_sender, draining) = watch::channel(false);
        let mut alarm = Alarm::new(draining);
        alarm.requests = seen.requests;
        alarm.partial(head);
        let bounds = Bounds::default();
        for second in 1..1000 {
            let verdict = alarm.look(seen, &bounds);
            if verdict != Verdict::GoOn {
                return (second, verdict);
            }
        }
        (0, Verdict::GoOn)
    }

    #[test]
    fn each_kind_of_slowness_has_its_patience() {
        let seen = Seen { requests: 0, busy: false, partial: false };
        assert_eq!(seconds(seen, false), (11, Verdict::Over));
        assert_eq!(seconds(Seen { requests: 3, ..seen }, false), (76, Verdict::Over));
        let partial = Seen { requests: 3, partial: true, ..seen };
        assert_eq!(seconds(partial, false), (11, Verdict::Over));
        assert_eq!(seconds(partial, true), (21, Verdict::BodyTimedOut));
        assert_eq!(seconds(Seen { busy: true, ..seen }, false), (0, Verdict::GoOn));
    }
}
