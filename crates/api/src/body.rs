//! Reading a request's body, within bounds.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Body;

/// A body that could not be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyError {
    /// It is larger than anything that is looked at.
    TooLarge,
    /// It did not come in time.
    TimedOut,
    /// The connection broke, or the body is malformed.
    Broken,
}

/// How much of a body that is too large is read and thrown away before it is answered: a client that
/// writes its whole request first would not see the answer otherwise.
const DISCARDED_BYTES: usize = 16 * 1024 * 1024;

/// How long that may take.
const DISCARD_TIME: Duration = Duration::from_secs(2);

/// Reads a body of at most `limit` bytes within `patience`.
///
/// # Errors
/// [`BodyError`].
pub(crate) async fn read<B>(body: B, limit: usize, patience: Duration) -> Result<Bytes, BodyError>
where
    B: Body<Data = Bytes> + Unpin,
{
    read_growing(body, (limit, patience), |_| Ok(())).await
}

/// Why reading ended before the body did.
enum Ended<E> {
    /// No more of it is wanted.
    Refused(E),
    /// No more of it comes.
    Over(BodyError),
}

/// Reads a body of at most so many bytes, in such a time; `grow` is asked before it is longer than
/// before.
///
/// # Errors
/// Those of `grow`, and [`BodyError`].
pub(crate) async fn read_growing<B, E>(
    body: B,
    (limit, patience): (usize, Duration),
    grow: impl FnMut(usize) -> Result<(), E>,
) -> Result<Bytes, E>
where
    B: Body<Data = Bytes> + Unpin,
    E: From<BodyError>,
{
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    let mut body = body;
    let announced = body.size_hint().lower();
    let collected = if announced > limit as u64 {
        Err(Ended::Refused(BodyError::TooLarge.into()))
    } else {
        let collecting = collect(&mut body, limit, grow);
        let collected = tokio::time::timeout(patience, collecting).await;
        collected.unwrap_or(Err(Ended::Over(BodyError::TimedOut)))
    };
    match collected {
        Ok(whole) => Ok(whole),
        Err(Ended::Over(error)) => Err(error.into()),
        Err(Ended::Refused(error)) => {
            if announced <= DISCARDED_BYTES as u64 {
                // A client that does not finish within that time learns its lot all the same.
                let _ = tokio::time::timeout(DISCARD_TIME, discard(body)).await;
            }
            Err(error)
        }
    }
}

async fn discard<B: Body<Data = Bytes> + Unpin>(mut body: B) {
    let mut discarded = 0;
    while let Some(Ok(frame)) = body.frame().await {
        discarded += frame.into_data().map_or(0, |data| data.len());
        if discarded > DISCARDED_BYTES {
            return;
        }
    }
}

async fn collect<B, E>(
    body: &mut B,
    limit: usize,
    mut grow: impl FnMut(usize) -> Result<(), E>,
) -> Result<Bytes, Ended<E>>
where
    B: Body<Data = Bytes> + Unpin,
    E: From<BodyError>,
{
    let mut whole = Bytes::new();
    let mut parts: Option<BytesMut> = None;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Ended::Over(BodyError::Broken))?;
        let Ok(data) = frame.into_data() else { continue };
        let before = parts.as_ref().map_or(whole.len(), BytesMut::len);
        if before + data.len() > limit {
            return Err(Ended::Refused(BodyError::TooLarge.into()));
        }
        grow(before + data.len()).map_err(Ended::Refused)?;
        match &mut parts {
            Some(parts) => parts.extend_from_slice(&data),
            // The usual body comes in one piece and is not copied.
            None if whole.is_empty() => whole = data,
            None => {
                let mut joined = BytesMut::from(&whole[..]);
                joined.extend_from_slice(&data);
                parts = Some(joined);
            }
        }
    }
    Ok(parts.map_or(whole, BytesMut::freeze))
}
