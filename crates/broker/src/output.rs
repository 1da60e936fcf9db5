//! Bytes on their way out of one connection.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use engine::Moment;
use tokio::io::AsyncWrite;

use crate::Transport;

/// Where a message stands in the stream of all bytes of its connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: u64,
    pub(crate) end: u64,
}

/// The bytes that wait, and how far the stream has got.
///
/// A message of which no byte was written yet can be taken out again. Its place in the stream stays:
/// positions of other messages never change.
#[derive(Default)]
pub(crate) struct Output {
    bytes: Vec<u8>,
    written: usize,
    /// The position in the stream of the first byte that waits.
    position: u64,
    /// What was taken out and is still ahead, in order.
    gaps: Vec<Span>,
    flushing: bool,
    /// Somebody is going to write what is there.
    claimed: bool,
    stalled_since: Option<Moment>,
}

thread_local! {
    /// A buffer that the next connection of this thread encodes into, so that an idle connection
    /// holds none and a busy one does not allocate.
    static SPARE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// The largest buffer that is kept for the next connection.
const SPARE_BYTES: usize = 64 * 1024;

impl Output {
    /// The buffer to append to.
    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        if self.bytes.capacity() == 0 {
            self.bytes = SPARE.take();
        }
        self.compact();
        &mut self.bytes
    }

    /// The bytes that still wait; there is nothing more to come.
    pub(crate) fn into_bytes(mut self) -> Vec<u8> {
        self.compact();
        self.bytes
    }

    /// How many bytes wait.
    pub(crate) fn remaining(&self) -> usize {
        self.bytes.len() - self.written
    }

    /// Since when the client has left bytes unread.
    pub(crate) fn stalled_since(&self) -> Option<Moment> {
        self.stalled_since
    }

    /// Whether there is something to write that nobody has promised to write; now the caller has.
    pub(crate) fn claim(&mut self) -> bool {
        let unclaimed = self.remaining() > 0 && !self.claimed;
        self.claimed |= unclaimed;
        unclaimed
    }

    /// The one who promised to write does so now.
    pub(crate) fn unclaim(&mut self) {
        self.claimed = false;
    }

    /// The position in the stream of the next byte that is appended.
    pub(crate) fn end(&self) -> u64 {
        let gaps: u64 = self.gaps.iter().map(|gap| gap.end - gap.start).sum();
        self.position + self.remaining() as u64 + gaps
    }

    /// Whether a byte of the message was written.
    pub(crate) fn has_begun(&self, span: Span) -> bool {
        self.position > span.start
    }

    /// Whether the message was written whole.
    pub(crate) fn is_through(&self, span: Span) -> bool {
        self.position >= span.end
    }

    /// Takes a message out again of which no byte was written.
    pub(crate) fn withdraw(&mut self, span: Span) {
        if self.has_begun(span) {
            return;
        }
        self.compact();
        let before = self.gaps.partition_point(|gap| gap.start < span.start);
        let gone: u64 = self.gaps[..before].iter().map(|gap| gap.end - gap.start).sum();
        // What waits fits into memory, and so do distances in it.
        let at = (span.start - self.position - gone) as usize;
        let length = (span.end - span.start) as usize;
        self.bytes.drain(at..at + length);
        self.gaps.insert(before, span);
        self.skip_gaps();
    }

    /// Writes until there is nothing left or the socket is full.
    pub(crate) fn poll_write(
        &mut self,
        mut io: Pin<&mut Box<dyn Transport>>,
        cx: &mut Context<'_>,
        now: Moment,
    ) -> Poll<io::Result<()>> {
        let before = self.remaining();
        let polled = self.poll_write_all(io.as_mut(), cx);
        match &polled {
            Poll::Ready(_) => self.stalled_since = None,
            // A client that reads slowly reads.
            Poll::Pending if self.remaining() < before => self.stalled_since = Some(now),
            Poll::Pending => {
                self.stalled_since.get_or_insert(now);
            }
        }
        polled
    }

    fn poll_write_all(
        &mut self,
        mut io: Pin<&mut Box<dyn Transport>>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        while self.written < self.bytes.len() {
            match io.as_mut().poll_write(cx, &self.bytes[self.written..]) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(written)) => {
                    self.advance(written);
                    self.flushing = true;
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
        }
        if self.flushing {
            match io.poll_flush(cx) {
                Poll::Ready(result) => result?,
                Poll::Pending => return Poll::Pending,
            }
            self.flushing = false;
        }
        self.release();
        Poll::Ready(Ok(()))
    }

    fn advance(&mut self, mut written: usize) {
        self.written += written;
        // A write may go past the place of something that was taken out.
        while let Some(gap) = self.gaps.first().copied() {
            let ahead = (gap.start - self.position) as usize;
            if written < ahead {
                break;
            }
            written -= ahead;
            self.position = gap.end;
            self.gaps.remove(0);
        }
        self.position += written as u64;
    }

    fn skip_gaps(&mut self) {
        self.advance(0);
    }

    /// Drops what is written, so that the buffer's length is what still waits.
    fn compact(&mut self) {
        if self.written > 0 {
            self.bytes.drain(..self.written);
            self.written = 0;
        }
    }

    fn release(&mut self) {
        self.written = 0;
        let mut bytes = std::mem::take(&mut self.bytes);
        if bytes.capacity() > 0 && bytes.capacity() <= SPARE_BYTES {
            bytes.clear();
            SPARE.set(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::task::Waker;

    use proptest::prelude::*;
    use tokio::io::ReadBuf;

    use super::*;

    /// Takes so many bytes at a time and remembers them.
    #[derive(Default)]
    struct Trickle {
        room: usize,
        taken: Vec<u8>,
    }

    impl tokio::io::AsyncRead for Trickle {
        fn poll_read(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            _: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            Poll::Pending
        }
    }

    impl AsyncWrite for Trickle {
        fn poll_write(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            let length = self.room.min(bytes.len());
            if length == 0 {
                return Poll::Pending;
            }
            self.room -= length;
            self.taken.extend_from_slice(&bytes[..length]);
            Poll::Ready(Ok(length))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[derive(Clone, Debug)]
    enum Step {
        /// Appends a message of so many bytes.
        Append(u8),
        /// The socket takes so many bytes.
        Write(u8),
        /// Takes out one of those not begun.
        Withdraw(prop::sample::Index),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            (1..9_u8).prop_map(Step::Append),
            (0..20_u8).prop_map(Step::Write),
            any::<prop::sample::Index>().prop_map(Step::Withdraw),
        ];
        prop::collection::vec(step, 1..60)
    }

    proptest! {
        /// What was withdrawn was never written, everything else is written whole and in order, and
        /// what is said of a message is what the socket saw.
        #[test]
        fn a_message_is_written_whole_or_withdrawn_whole(steps in steps()) {
            let mut output = Output::default();
            let mut seen: Vec<u8> = Vec::new();
            let mut messages: BTreeMap<u8, (Span, bool)> = BTreeMap::new();
            let mut next = 0_u8;
            for step in &steps {
                match step {
                    Step::Append(length) => {
                        let start = output.end();
                        let bytes = vec![next; usize::from(*length)];
                        output.buffer().extend_from_slice(&bytes);
                        messages.insert(next, (Span { start, end: output.end() }, true));
                        next = next.wrapping_add(1);
                    }
                    Step::Write(room) => {
                        let trickle = Trickle { room: usize::from(*room), taken: Vec::new() };
                        seen.extend(push(&mut output, trickle));
                    }
                    Step::Withdraw(which) => {
                        let waiting: Vec<u8> = messages
                            .iter()
                            .filter(|(_, (span, there))| *there && !output.has_begun(*span))
                            .map(|(name, _)| *name)
                            .collect();
                        if !waiting.is_empty() {
                            let name = *which.get(&waiting);
                            let (span, there) = messages.get_mut(&name).expect("known");
                            output.withdraw(*span);
                            *there = false;
                        }
                    }
                }
                for (name, (span, there)) in &messages {
                    let count = seen.iter().filter(|byte| *byte == name).count() as u64;
                    prop_assert!(*there || count == 0, "{name} was withdrawn and written");
                    if *there {
                        prop_assert_eq!(output.has_begun(*span), count > 0);
                        prop_assert_eq!(output.is_through(*span), count == span.end - span.start);
                    }
                }
            }
            seen.extend(push(&mut output, Trickle { room: 1 << 20, taken: Vec::new() }));
            let expected: Vec<u8> = messages
                .iter()
                .filter(|(_, (_, there))| *there)
                .flat_map(|(name, (span, _))| vec![*name; (span.end - span.start) as usize])
                .collect();
            prop_assert_eq!(seen, expected);
        }
    }

    /// Writes into the socket and gives what it took.
    fn push(output: &mut Output, trickle: Trickle) -> Vec<u8> {
        let mut trickle = trickle;
        let cx = &mut Context::from_waker(Waker::noop());
        while output.written < output.bytes.len() {
            let pinned = Pin::new(&mut trickle);
            match pinned.poll_write(cx, &output.bytes[output.written..]) {
                Poll::Ready(Ok(written)) => output.advance(written),
                Poll::Ready(Err(_)) | Poll::Pending => break,
            }
        }
        trickle.taken
    }
}
