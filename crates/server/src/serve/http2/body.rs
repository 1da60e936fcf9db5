//! The body of an HTTP/2 request.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::{Bytes, BytesMut};
use h2::RecvStream;
use hyper::body::{Frame, SizeHint};

/// A body, some of which may have been read already.
pub(super) struct Body {
    read_already: Bytes,
    stream: RecvStream,
}

/// What could be had without waiting.
pub(super) enum Collected {
    Whole(Bytes),
    Part(Body),
}

impl Body {
    pub(super) fn new(stream: RecvStream) -> Self {
        Body { read_already: Bytes::new(), stream }
    }

    /// Reads what is there: all of most bodies, which come with the head. A body of more than
    /// `limit` bytes, or a broken one, counts as one that is on the way.
    pub(super) fn collect_now(mut self, limit: usize) -> Collected {
        let cx = &mut Context::from_waker(Waker::noop());
        let mut joined = BytesMut::new();
        while !self.stream.is_end_stream() {
            let Poll::Ready(Some(Ok(data))) = self.stream.poll_data(cx) else {
                break;
            };
            self.release(data.len());
            if self.read_already.is_empty() && joined.is_empty() {
                self.read_already = data;
                continue;
            }
            if joined.is_empty() {
                joined.extend_from_slice(&self.read_already);
            }
            joined.extend_from_slice(&data);
            if joined.len() > limit {
                break;
            }
        }
        if !joined.is_empty() {
            self.read_already = joined.freeze();
        }
        if self.stream.is_end_stream() && self.read_already.len() <= limit {
            return Collected::Whole(self.read_already);
        }
        Collected::Part(self)
    }

    /// Lets the sender send as much again. An error: the stream is over, which the next read tells.
    fn release(&mut self, length: usize) {
        let _ = self.stream.flow_control().release_capacity(length);
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = h2::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, h2::Error>>> {
        if !self.read_already.is_empty() {
            let data = std::mem::take(&mut self.read_already);
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
        let polled = self.stream.poll_data(cx);
        if let Poll::Ready(Some(Ok(data))) = &polled {
            let length = data.len();
            self.release(length);
        }
        polled.map(|data| data.map(|data| data.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.read_already.is_empty() && self.stream.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}
