//! Somebody who reads along.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::Notify;

use super::Feed;
use super::event::{write_gap, write_start};
use super::position::Position;
use super::tape::Entered;

/// A reader. Dropped, it has gone, and its place is free.
pub(crate) struct Reader {
    feed: Arc<Feed>,
    seat: u64,
    run: u64,
    wake: Arc<Notify>,
    /// The first event, until it is taken.
    first: Option<String>,
}

impl Reader {
    pub(super) fn new(feed: Arc<Feed>, entered: Entered) -> Self {
        let Entered { seat, wake, at, gap } = entered;
        let mut first = String::new();
        match gap {
            false => write_start(&mut first, at),
            true => write_gap(&mut first, at, None),
        }
        Reader { feed, seat, run: at.run, wake, first: Some(first) }
    }

    /// The next events, as text of a stream; waits until there are some. Nothing is lost when the
    /// future is dropped.
    pub(crate) async fn next(&mut self) -> Bytes {
        if let Some(first) = self.first.take() {
            return first.into();
        }
        loop {
            let taken = self.feed.take(self.seat);
            let mut text = String::new();
            if taken.left_out > 0 {
                let at = Position { run: self.run, number: taken.from };
                write_gap(&mut text, at, Some(taken.left_out));
            }
            taken.events.iter().for_each(|event| event.write(self.run, &mut text));
            if !text.is_empty() {
                return text.into();
            }
            match taken.more {
                true => tokio::task::yield_now().await,
                false => self.wake.notified().await,
            }
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        Feed::leave(&self.feed, self.seat);
    }
}
