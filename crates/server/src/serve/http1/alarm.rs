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
    /// Part of a request has come.
    partial: bool,
    /// Its head is whole.
    head: bool,
}

/// What a look sees.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    /// Requests so far.
    pub(super) requests: u64,
    /// One of them waits for its device.
    pub(super) busy: bool,
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
        Alarm { draining, ring: None, requests: 0, looks: 0, partial: false, head: false }
    }

    /// Whether it will ring.
    pub(super) fn is_armed(&self) -> bool {
        self.ring.is_some()
    }

    /// A request is not whole; `head` says whether its head is.
    pub(super) fn partial(&mut self, head: bool) {
        if !self.partial || self.head != head {
            // Its time begins now, however long nothing came before.
            self.looks = 0;
        }
        (self.partial, self.head) = (true, head);
    }

    /// A request is whole.
    pub(super) fn whole(&mut self) {
        (self.partial, self.head) = (false, false);
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
        let patience = match self.partial {
            true if self.head => bounds.http_body,
            true => bounds.http_head,
            false if seen.requests == 0 => bounds.http_head,
            false => bounds.http_idle,
        };
        if LOOK * self.looks <= patience {
            return Verdict::GoOn;
        }
        if self.partial && self.head { Verdict::BodyTimedOut } else { Verdict::Over }
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

    fn alarm(requests: u64) -> Alarm {
        let (_sender, draining) = watch::channel(false);
        Alarm { requests, ..Alarm::new(draining) }
    }

    /// The look that ends it, and how; none of a thousand does if it goes on.
    fn ends(alarm: &mut Alarm, seen: Seen) -> Option<(u32, Verdict)> {
        let bounds = Bounds::default();
        let mut looks = (1..1000).map(|look| (look, alarm.look(seen, &bounds)));
        looks.find(|(_, verdict)| *verdict != Verdict::GoOn)
    }

    #[test]
    fn each_kind_of_slowness_has_its_patience() {
        let first = Seen { requests: 0, busy: false };
        let later = Seen { requests: 3, busy: false };
        assert_eq!(ends(&mut alarm(0), first), Some((11, Verdict::Over)));
        assert_eq!(ends(&mut alarm(3), later), Some((76, Verdict::Over)));
        assert_eq!(ends(&mut alarm(3), Seen { busy: true, ..later }), None);
        for (head, end) in [(false, (11, Verdict::Over)), (true, (21, Verdict::BodyTimedOut))] {
            let mut alarm = alarm(3);
            alarm.partial(head);
            assert_eq!(ends(&mut alarm, later), Some(end));
        }
    }

    #[test]
    fn the_time_of_a_request_begins_with_its_first_byte() {
        let seen = Seen { requests: 3, busy: false };
        let mut alarm = alarm(3);
        alarm.partial(true);
        alarm.whole();
        for _ in 0..60 {
            assert_eq!(alarm.look(seen, &Bounds::default()), Verdict::GoOn);
        }
        alarm.partial(true);
        assert_eq!(ends(&mut alarm, seen), Some((21, Verdict::BodyTimedOut)));
    }
}
