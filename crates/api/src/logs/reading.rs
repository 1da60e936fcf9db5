//! Calls on their way to their answers.

use std::sync::Arc;
use std::time::Duration;

use broker::Node;
use identity::sigv4::{Headers, RequestParts};
use telemetry::TraceId;
use tokio::sync::Semaphore;

use super::{LogsCall, LogsError, LogsOperation, Owner};
use crate::exchange::{Begun, Later, counted};
use crate::head::Head;
use crate::ops::Call;
use crate::reply::Reply;
use crate::service_name::ServiceName;

/// The header that names the operation.
const TARGET: &str = "x-amz-target";

/// What stands before the operation's name there.
const TARGET_PREFIX: &str = "Logs_20140328.";

/// Whether a request is one for this service, by the operation or the signature that it names.
pub(crate) fn are_meant(head: &Head<'_>) -> bool {
    let Head { method, path, query, ref headers } = *head;
    if path != "/" {
        return false;
    }
    let named = headers.all(TARGET).next().is_some_and(|target| target.starts_with(b"Logs_"));
    let parts = RequestParts { method, path, query, headers };
    named || ServiceName::signed_for(&parts) == Some(ServiceName::Logs)
}

/// How many calls read at once: each holds a segment of the log and an answer in memory.
const READERS: usize = 4;

/// How long a call waits for its turn.
const PATIENCE: Duration = Duration::from_secs(5);

/// The service that reads the log.
pub(crate) struct Logs {
    owner: Owner,
    readers: Semaphore,
}

/// A call that is allowed, and is answered once the log is read.
pub struct Reading {
    node: Arc<Node>,
    logs: Arc<Logs>,
    call: LogsCall,
    trace_id: TraceId,
}

impl Logs {
    /// For the log of a node.
    pub(crate) fn of(node: &Node) -> Arc<Self> {
        let scope = node.access().scope();
        let (region, account) = (scope.region().to_owned(), scope.account().to_owned());
        let owner = Owner { region, account };
        Arc::new(Logs { owner, readers: Semaphore::new(READERS) })
    }

    /// Checks a call and asks its caller's policies; the answer comes later.
    pub(crate) fn begin<'a>(self: &Arc<Self>, node: &Arc<Node>, call: Call<'a>) -> Begun<'a> {
        let Call { head, payload, sender, trace_id, trace: _ } = call;
        let checked = self.parse(head, payload);
        match checked.and_then(|call| call.authorize(node, &sender).map(|()| call)) {
            Ok(call) => {
                let (node, logs) = (Arc::clone(node), Arc::clone(self));
                Begun::Later(Later::Logs(Box::new(Reading { node, logs, call, trace_id })))
            }
            Err(error) => Begun::Answered(counted(node, Reply::logs_error(trace_id, error))),
        }
    }

    fn parse(&self, head: &Head<'_>, body: &[u8]) -> Result<LogsCall, LogsError> {
        let target = head.headers.all(TARGET).next().unwrap_or_default();
        let target = String::from_utf8_lossy(target);
        let operation = target.strip_prefix(TARGET_PREFIX).and_then(LogsOperation::named);
        let Some(operation) = operation.filter(|_| head.method == "POST") else {
            let known = LogsOperation::ALL.map(LogsOperation::name).join(", ");
            return Err(LogsError::UnknownOperation(format!(
                "The operation {target} is not offered; of CloudWatch Logs there are {known}, by \
                 POST and the header X-Amz-Target: {TARGET_PREFIX}<operation>."
            )));
        };
        LogsCall::parse(operation, body, &self.owner)
    }
}

impl Reading {
    /// Calls `then` with the answer, on a thread that may wait for the disk.
    pub fn when_answered(self, then: impl FnOnce(Reply) + Send + 'static) {
        tokio::spawn(async move {
            let Reading { node, logs, call, trace_id } = self;
            let turn = tokio::time::timeout(PATIENCE, logs.readers.acquire()).await;
            // It is never closed.
            let Ok(_turn) = turn else {
                return then(counted(&node, Reply::logs_error(trace_id, LogsError::Throttled)));
            };
            let owner = logs.owner.clone();
            let reading = tokio::task::spawn_blocking(move || {
                let ring = node.telemetry().ring().map(AsRef::as_ref);
                let now_millis = node.wall().millis(node.now());
                let reply = match call.answer(ring, &owner, now_millis) {
                    Ok(document) => Reply::log(trace_id, document.to_string()),
                    Err(error) => Reply::logs_error(trace_id, error),
                };
                then(counted(&node, reply));
            });
            // A panic there was reported by its own message.
            let _ = reading.await;
        });
    }
}
