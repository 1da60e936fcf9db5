//! The body of a request, before anybody has proved who sent it.

use bytes::Bytes;
use hyper::body::Body;
use identity::sigv4::RequestParts;
use telemetry::TraceId;

use super::Api;
use crate::authenticate::{Rejected, check_name};
use crate::body::{self, BodyError};
use crate::caller::{Caller, Credentials};
use crate::control;
use crate::fault::Fault;
use crate::head::Head;
use crate::large_bodies::Room;
use crate::logs::LogsError;
use crate::ops::send_direct_messages;
use crate::router::Operation;
use crate::service_name::ServiceName;
use crate::unadmitted::Unadmitted;

/// A request's body is read to twice the payload quota, so that a payload that is too large is
/// refused to a sender who proved who it is; what is larger still is refused unread.
const BODY_TO_PAYLOAD: usize = 2;

/// A body, and the room that it takes if it is a large one.
pub(super) type Taken<'a> = (Bytes, Option<Room<'a>>);

/// The largest body of a request that is looked at, in bytes, unless it goes to many.
pub(super) fn ordinary(payload_bytes: usize) -> usize {
    payload_bytes * BODY_TO_PAYLOAD
}

/// Why a large body is not had.
enum NotHad {
    Body(BodyError),
    /// Those that are on their way take all the room there is for them.
    NoRoom,
    /// Its sender cannot prove who it is, whatever the body.
    Rejected(Rejected),
}

impl From<BodyError> for NotHad {
    fn from(error: BodyError) -> Self {
        NotHad::Body(error)
    }
}

impl Api {
    /// The body of a request, unless there is no need to have it.
    pub(super) async fn read<B>(
        &self,
        head: &Head<'_>,
        body: B,
        caller: &Caller,
        trace_id: TraceId,
    ) -> Result<Taken<'_>, Unadmitted>
    where
        B: Body<Data = Bytes> + Unpin,
    {
        let limit = self.node.rules().quotas.payload_bytes;
        let patience = self.node.bounds().http_body;
        let operation = match self.operation(head) {
            Ok(operation) => operation,
            Err(unadmitted) => {
                // An answer that overtakes the body is lost when the connection ends over what is unread.
                let _ = body::read(body, self.body_bytes(), patience).await;
                return Err(unadmitted);
            }
        };
        if operation == Operation::SendDirectMessages {
            return self.read_large(head, body, caller, trace_id).await;
        }
        let most = match operation.service() {
            ServiceName::Data | ServiceName::Logs => self.body_bytes(),
            ServiceName::Control => control::BODY_BYTES,
        };
        let read =
            body::read(body, most, patience).await.map_err(|error| match operation.service() {
                ServiceName::Data => Unadmitted::from(Fault::of_body(error, limit)),
                ServiceName::Control => control::Fault::of_body(error, most).into(),
                ServiceName::Logs => LogsError::of_body(error, most).into(),
            });
        Ok((read?, None))
    }

    /// A body that may be large. What of it is more than others have takes room, which whoever
    /// cannot even name an access key does not get.
    async fn read_large<B>(
        &self,
        head: &Head<'_>,
        body: B,
        caller: &Caller,
        trace_id: TraceId,
    ) -> Result<Taken<'_>, Unadmitted>
    where
        B: Body<Data = Bytes> + Unpin,
    {
        let largest = send_direct_messages::body_bytes(self.node.rules().quotas.payload_bytes);
        let mut room = self.large_bodies.room(caller.source.ip());
        let mut is_known = false;
        let grow = |length| {
            if room.counts(length) && !is_known {
                self.name(head, caller, trace_id).map_err(NotHad::Rejected)?;
                is_known = true;
            }
            room.grow(length).then_some(()).ok_or(NotHad::NoRoom)
        };
        let patience = self.node.bounds().http_body;
        let read = body::read_growing(body, (largest, patience), grow).await;
        match read {
            Ok(read) => Ok((read, Some(room))),
            Err(NotHad::Body(error)) => Err(Fault::of_body_for_many(error, largest).into()),
            Err(NotHad::NoRoom) => Err(Fault::of_large_bodies().into()),
            Err(NotHad::Rejected(rejected)) => {
                Err(Unadmitted::of_credentials(ServiceName::Data, &rejected))
            }
        }
    }

    /// Whether a sender says who it is, and could be that: its body is needed to prove it.
    fn name(&self, head: &Head<'_>, caller: &Caller, trace_id: TraceId) -> Result<(), Rejected> {
        match caller.credentials {
            Credentials::Certificate(_) | Credentials::Open(_) => Ok(()),
            Credentials::Signature => {
                let directory = self.node.directory();
                let against = self.against(ServiceName::Data, &directory, caller);
                let Head { method, path, query, ref headers } = *head;
                check_name(&RequestParts { method, path, query, headers }, against)
                    .inspect_err(|rejected| self.log_rejected(rejected, caller, trace_id))
            }
        }
    }
}
