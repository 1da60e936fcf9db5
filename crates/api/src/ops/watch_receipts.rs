//! `GET /receipts?client=…`: receipts as they happen, as server-sent events. Ours, not AWS's.

use std::sync::Arc;
use std::time::Duration;

use broker::Node;
use bytes::Bytes;
use engine::directory::{Principal, Status};
use identity::sigv4::Headers;
use tokio::sync::mpsc;

use super::Call;
use crate::deliveries::{Feed, Filter, Reader, Since};
use crate::exchange::counted;
use crate::fault::Fault;
use crate::pieces::Pieces;
use crate::query::Query;
use crate::refused::Refused;
use crate::reply::Reply;

const CLIENT: &str = "client";
const LAST_EVENT_ID: &str = "last-event-id";
const MEDIA_TYPE: &str = "text/event-stream";

/// How long a stream is silent at most: proxies keep it open, and a reader that has vanished is
/// noticed.
const PING_EVERY: Duration = Duration::from_secs(15);
/// A comment. It ends no event, so it has no empty line behind it.
const PING: Bytes = Bytes::from_static(b": ping\n");

/// Answers a call with a stream that goes on until its reader leaves, or loses its rights, or the
/// node drains.
pub(crate) fn answer(node: &Arc<Node>, feed: &Arc<Feed>, call: &Call<'_>) -> Reply {
    let reply = match open(feed, call) {
        Ok(reader) => {
            let (sender, pieces) = Pieces::channel();
            let (node, principal) = (Arc::clone(node), Arc::clone(&call.sender.principal));
            tokio::spawn(stream(node, principal, reader, sender));
            Reply::pieces(call.trace_id, MEDIA_TYPE, pieces.endless())
        }
        Err(refused) => Reply::failure(call.trace_id, Fault::of_refused(&refused)),
    };
    counted(node, reply)
}

fn open(feed: &Arc<Feed>, call: &Call<'_>) -> Result<Reader, Refused> {
    let clients = Query::split(call.head.query).all(CLIENT);
    let clients = clients.map_err(|error| Refused::Client(error.sentence(CLIENT)))?;
    let filter = Filter::parse(&call.sender.principal.id, &clients).map_err(Refused::Client)?;
    let since = Since::parse(call.head.headers.all(LAST_EVENT_ID).next());
    feed.read(filter, since).ok_or(Refused::ReceiptReaders)
}

async fn stream(
    node: Arc<Node>,
    principal: Arc<Principal>,
    mut reader: Reader,
    to: mpsc::Sender<Bytes>,
) {
    tokio::select! {
        () = node.drain_begun() => {}
        () = to.closed() => {}
        () = pass_on(&principal, &mut reader, &to) => {}
    }
}

/// Passes on what happens, as fast as it is taken.
async fn pass_on(principal: &Principal, reader: &mut Reader, to: &mpsc::Sender<Bytes>) {
    loop {
        let next = tokio::time::timeout(PING_EVERY, reader.next()).await;
        if principal.grants.load().status != Status::Active {
            return;
        }
        if to.send(next.unwrap_or(PING)).await.is_err() {
            return;
        }
    }
}
