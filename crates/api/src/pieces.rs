//! A body that comes piece by piece.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::mpsc;

/// How many pieces may wait to be written before whoever makes them has to wait.
const WAITING: usize = 64;

/// The pieces of one body, in the order in which they are made. Dropping it says that nobody reads
/// any more.
#[derive(Debug)]
pub struct Pieces(mpsc::Receiver<Bytes>);

impl Pieces {
    /// The two ends of a body.
    pub(crate) fn channel() -> (mpsc::Sender<Bytes>, Pieces) {
        let (sender, receiver) = mpsc::channel(WAITING);
        (sender, Pieces(receiver))
    }

    /// The next one; none at the end.
    pub async fn next(&mut self) -> Option<Bytes> {
        self.0.recv().await
    }
}

/// The body of an answer.
#[derive(Debug)]
pub enum AnswerBody {
    /// All of it; none once it was taken.
    Whole(Option<Bytes>),
    /// What is made while it is read.
    Pieces(Pieces),
}

impl<T: Into<Bytes>> From<T> for AnswerBody {
    fn from(whole: T) -> Self {
        AnswerBody::Whole(Some(whole.into()))
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = match &mut *self {
            AnswerBody::Whole(bytes) => bytes.take().filter(|bytes| !bytes.is_empty()),
            AnswerBody::Pieces(pieces) => ready!(pieces.0.poll_recv(cx)),
        };
        Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        match self {
            AnswerBody::Whole(bytes) => bytes.as_ref().is_none_or(Bytes::is_empty),
            AnswerBody::Pieces(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            AnswerBody::Whole(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            AnswerBody::Pieces(_) => SizeHint::default(),
        }
    }
}
