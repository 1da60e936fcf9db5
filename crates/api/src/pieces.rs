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
pub struct Pieces {
    made: mpsc::Receiver<Bytes>,
    endless: bool,
}

impl Pieces {
    /// The two ends of a body.
    pub(crate) fn channel() -> (mpsc::Sender<Bytes>, Pieces) {
        let (sender, receiver) = mpsc::channel(WAITING);
        (sender, Pieces { made: receiver, endless: false })
    }

    /// The same, but made until the server ends.
    pub(crate) fn endless(self) -> Self {
        Pieces { endless: true, ..self }
    }

    /// Whether they are made until the server ends. What is not written of them then is of no use.
    pub fn is_endless(&self) -> bool {
        self.endless
    }

    /// The next one; none at the end.
    pub async fn next(&mut self) -> Option<Bytes> {
        self.made.recv().await
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

impl AnswerBody {
    /// Whether it is made until the server ends.
    pub fn is_endless(&self) -> bool {
        match self {
            AnswerBody::Whole(_) => false,
            AnswerBody::Pieces(pieces) => pieces.is_endless(),
        }
    }
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
            AnswerBody::Pieces(pieces) => ready!(pieces.made.poll_recv(cx)),
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
