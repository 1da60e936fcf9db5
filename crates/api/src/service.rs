//! One request, from its head to its answer.

mod intake;

use std::num::NonZeroUsize;
use std::sync::Arc;

use broker::{Confirmation, Node, Settled};
use bytes::Bytes;
use engine::directory::{Directory, Principal};
use engine::outcome::DirectOutcome;
use http::Request;
use hyper::body::Body;
use identity::sigv4::{Payload, RequestParts, SigningKeys};
use store::{StoreError, Trail};
use telemetry::{TraceId, event};

use crate::authenticate::{Against, Rejected, authenticate};
use crate::body::BodyError;
use crate::caller::{Caller, Credentials};
use crate::control::{self, ControlPlane, Registrar, Workshop};
use crate::deliveries::{Deliveries, ReceiptListener};
use crate::exchange::{Begun, Later, counted};
use crate::fault::{Fault, Kind};
use crate::head::{Head, Listed, name_host};
use crate::large_bodies::LargeBodies;
use crate::logs::{self, Logs, LogsError};
use crate::ops::send_direct_message::Sent;
use crate::ops::{
    Call, delete_connection, delete_thing_shadow, get_connection, get_receipt,
    get_retained_message, get_thing_shadow, list_named_shadows_for_thing, list_retained_messages,
    list_subscriptions, publish, send_direct_message, send_direct_messages, update_thing_shadow,
    watch_receipts,
};
use crate::refused::Refused;
use crate::reply::{Answer, Reply};
use crate::router::{Operation, is_direct_message, route};
use crate::service_name::ServiceName;
use crate::trace::Traces;
use crate::truth::Truth;
use crate::unadmitted::Unadmitted;

/// How many signing keys are remembered.
const SIGNING_KEYS: NonZeroUsize = NonZeroUsize::new(1024).expect("not zero");

/// The HTTP side of a node.
pub struct Api {
    node: Arc<Node>,
    control: ControlPlane,
    region: String,
    keys: SigningKeys,
    deliveries: Arc<Deliveries>,
    large_bodies: LargeBodies,
    /// None if nothing is traced.
    traces: Option<Traces>,
    logs: Arc<Logs>,
}

impl Api {
    /// The API of `node`, whose directory is that of `registrar`, for signatures in `region`.
    pub fn new(node: Arc<Node>, registrar: Arc<Registrar>, region: String) -> Self {
        let deliveries = Deliveries::new(node.bounds(), node.wall()).share();
        let payload = node.rules().quotas.payload_bytes;
        let largest = send_direct_messages::body_bytes(payload);
        let large_bodies = LargeBodies::new(intake::ordinary(payload), largest);
        let keys = SigningKeys::new(SIGNING_KEYS);
        let control = ControlPlane { registrar, workshop: Workshop::new() };
        let logs = Logs::of(&node);
        Api { node, control, region, keys, deliveries, large_bodies, logs, traces: None }
    }

    /// The same, but what became of messages with an idempotency key outlives the process: `open`
    /// visits the entries of an earlier one and gives the trail for those of this one.
    ///
    /// # Errors
    /// What `open` gives.
    pub fn open(
        node: Arc<Node>,
        registrar: Arc<Registrar>,
        region: String,
        open: impl FnOnce(&mut dyn FnMut(&[u8])) -> Result<Arc<dyn Trail>, StoreError>,
    ) -> Result<Self, StoreError> {
        let mut deliveries = Deliveries::new(node.bounds(), node.wall());
        let trail = open(&mut |entry| deliveries.restore(entry))?;
        deliveries.keep_in(trail);
        Ok(Api { deliveries: deliveries.share(), ..Api::new(node, registrar, region) })
    }

    /// Traces direct messages from now on.
    pub fn trace(&mut self, traces: Traces) {
        self.traces = Some(traces);
    }

    /// Tells `listener` of every receipt from now on. There is one at most.
    pub fn tell_receipts(&self, listener: Arc<dyn ReceiptListener>) {
        self.deliveries.feed().tell_all(listener);
    }

    /// Writes what the next process is to know.
    pub fn close(&self) {
        self.deliveries.close();
    }

    /// The node behind it.
    pub fn node(&self) -> &Arc<Node> {
        &self.node
    }

    /// What is registered.
    pub fn registrar(&self) -> &Arc<Registrar> {
        &self.control.registrar
    }

    /// A device showed a certificate, in DER, that is not registered: registers it if its authority
    /// is registered for that. It is not in use all the same; its status's word says so.
    pub fn register_shown(&self, der: &[u8]) -> Option<&'static str> {
        control::register_shown(&self.node, &self.control.registrar, der)
    }

    /// Answers one request. Dropping the future gives the request up (the caller went away).
    pub async fn handle<B>(&self, request: Request<B>, caller: &Caller) -> Reply
    where
        B: Body<Data = Bytes> + Unpin,
    {
        let trace_id = TraceId::random();
        let (mut parts, body) = request.into_parts();
        name_host(&mut parts);
        let listed = Listed::of(&parts.headers);
        let head = listed.head(&parts);
        match self.read(&head, body, caller, trace_id).await {
            Err(unadmitted) => self.turn_away(trace_id, head.path, unadmitted),
            Ok((payload, _room)) => self.answer(&head, &payload, caller, trace_id).await,
        }
    }

    async fn answer(
        &self,
        head: &Head<'_>,
        payload: &[u8],
        caller: &Caller,
        trace_id: TraceId,
    ) -> Reply {
        let (mut exchange, dispatch) = match self.begin(head, payload, caller, trace_id) {
            Begun::Answered(reply) => return reply,
            Begun::Later(later) => return self.answer_later(later, trace_id).await,
            Begun::Direct(exchange, dispatch) => (exchange, dispatch),
        };
        let (settle, confirmation) = Confirmation::channel();
        match dispatch.send(&self.node, || settle) {
            Sent::Settled(progress, settled) => {
                exchange.note(progress);
                exchange.settle(settled)
            }
            Sent::Waiting(progress) => {
                exchange.note(progress);
                match confirmation.settled().await {
                    Some(settled) => exchange.settle(settled),
                    // A waiter that goes away says so; one that does not is a fault of ours.
                    None => exchange.settle(Settled::refused(DirectOutcome::Internal, None)),
                }
            }
        }
    }

    async fn answer_later(&self, later: Later, trace_id: TraceId) -> Reply {
        // An answer always comes; one that is lost is a fault of ours.
        let lost = || self.fail(trace_id, Fault::of_refused(&Refused::Internal));
        later.answered().await.unwrap_or_else(lost)
    }

    /// The largest body of a request that is looked at, in bytes, unless it goes to many. It is larger than the payload
    /// quota so that a payload that is too large is refused to a sender who proved who it is.
    pub fn body_bytes(&self) -> usize {
        intake::ordinary(self.node.rules().quotas.payload_bytes)
    }

    /// Goes as far as can be gone without waiting with a request whose body is there.
    pub fn begin<'a>(
        &self,
        head: &'a Head<'a>,
        payload: &'a [u8],
        caller: &Caller,
        trace_id: TraceId,
    ) -> Begun<'a> {
        let trace = self.traces.as_ref();
        let trace = trace.and_then(|traces| traces.open(head, caller, (trace_id, self.node.now())));
        let admitted = self.operation(head).and_then(|operation| {
            let principal = self.identify(operation.service(), head, payload, caller, trace_id)?;
            Ok((operation, caller.peer(principal)))
        });
        let (operation, call) = match admitted {
            Ok((operation, sender)) => (operation, Call { head, payload, sender, trace_id, trace }),
            Err(unadmitted) => {
                let reply = self.turn_away(trace_id, head.path, unadmitted);
                if let (Some(trace), Some(fault)) = (trace, reply.fault()) {
                    trace.refuse(&self.node, trace_id, fault);
                }
                return Begun::Answered(reply);
            }
        };
        let node = &self.node;
        match operation {
            Operation::SendDirectMessage { client_id } => {
                send_direct_message::begin(node, &self.deliveries, client_id, call)
            }
            Operation::SendDirectMessages => {
                send_direct_messages::begin(node, &self.deliveries, call)
            }
            Operation::GetConnection { client_id } => {
                Begun::Answered(get_connection::answer(node, client_id, &call))
            }
            Operation::DeleteConnection { client_id } => {
                delete_connection::begin(node, client_id, call)
            }
            Operation::ListSubscriptions { client_id } => {
                Begun::Answered(list_subscriptions::answer(node, client_id, &call))
            }
            Operation::Publish { topic } => publish::begin(node, topic, call),
            Operation::GetRetainedMessage { topic } => {
                Begun::Answered(get_retained_message::answer(node, topic, &call))
            }
            Operation::GetReceipt { trace_id } => {
                Begun::Answered(get_receipt::answer(node, &self.deliveries, trace_id, &call))
            }
            Operation::WatchReceipts => {
                Begun::Answered(watch_receipts::answer(node, self.deliveries.feed(), &call))
            }
            Operation::GetThingShadow { thing } => get_thing_shadow::begin(node, thing, call),
            Operation::UpdateThingShadow { thing } => update_thing_shadow::begin(node, thing, call),
            Operation::DeleteThingShadow { thing } => delete_thing_shadow::begin(node, thing, call),
            Operation::ListNamedShadowsForThing { thing } => {
                Begun::Answered(list_named_shadows_for_thing::answer(node, thing, &call))
            }
            Operation::ListRetainedMessages => {
                Begun::Answered(list_retained_messages::answer(node, &call))
            }
            Operation::Control(operation) => control::begin(node, &self.control, operation, call),
            Operation::Logs => self.logs.begin(node, call),
        }
    }

    /// The answer to a request whose body did not come in time.
    pub fn body_timed_out(&self, trace_id: TraceId) -> Reply {
        let limit = self.node.rules().quotas.payload_bytes;
        let fault = Fault::of_body(BodyError::TimedOut, limit);
        self.fail(trace_id, fault.telling(Truth::NeverSent))
    }

    /// What is asked for, unless the node takes nothing new.
    fn operation<'a>(&self, head: &Head<'a>) -> Result<Operation<'a>, Unadmitted> {
        let operation = match logs::are_meant(head) {
            true => Operation::Logs,
            false => route(head.method, head.path)
                .map_err(|misrouted| Unadmitted::of_route(misrouted, head))?,
        };
        // Asked again after the body, which may have taken its time: a device that a draining node
        // has closed is not gone.
        if self.node.is_draining() {
            return Err(match operation.service() {
                ServiceName::Data => Fault::draining().into(),
                ServiceName::Control => control::Fault::draining().into(),
                ServiceName::Logs => LogsError::draining().into(),
            });
        }
        Ok(operation)
    }

    /// The answer to a request that its operation does not get to see.
    fn turn_away(&self, trace_id: TraceId, path: &str, unadmitted: Unadmitted) -> Reply {
        match unadmitted {
            Unadmitted::Data(fault) => self.fail(trace_id, of_direct_message(path, *fault)),
            Unadmitted::Control(fault) => {
                counted(&self.node, Reply::control_failure(trace_id, *fault))
            }
            Unadmitted::Logs(error) => counted(&self.node, Reply::logs_error(trace_id, *error)),
        }
    }

    fn fail(&self, trace_id: TraceId, fault: Fault) -> Reply {
        counted(&self.node, Reply::failure(trace_id, fault))
    }

    fn identify(
        &self,
        service: ServiceName,
        head: &Head<'_>,
        payload: &[u8],
        caller: &Caller,
        trace_id: TraceId,
    ) -> Result<Arc<Principal>, Unadmitted> {
        match (&caller.credentials, service) {
            (Credentials::Certificate(_), ServiceName::Control) => {
                Err(control::Fault::of_certificate().into())
            }
            (Credentials::Certificate(principal), _) => {
                self.look_again(principal, caller, trace_id)?;
                Ok(Arc::clone(principal))
            }
            (Credentials::Open(principal), _) => Ok(Arc::clone(principal)),
            (Credentials::Signature, _) => self
                .prove(service, head, payload, caller, trace_id)
                .map_err(|rejected| Unadmitted::of_credentials(service, &rejected)),
        }
    }

    /// A certificate that held when the connection began need not hold any more.
    fn look_again(
        &self,
        principal: &Principal,
        caller: &Caller,
        trace_id: TraceId,
    ) -> Result<(), Fault> {
        let Some((reason, details)) = principal.grants.load().status.refuses_certificate() else {
            return Ok(());
        };
        self.node.telemetry().record(&event::AuthnError {
            trace_id,
            authentication_type: event::AuthenticationType::X509,
            reason,
            details,
            protocol: event::Protocol::Http,
            source: caller.source,
            target: caller.target,
            server_name: None,
            client_id: None,
            principal_id: Some(&principal.id),
        });
        Err(Fault::of_credentials(reason, details.to_owned()))
    }

    /// Proves the signature of a request and logs one that does not hold; also for the WebSocket
    /// upgrade, whose body is empty.
    ///
    /// # Errors
    /// [`Rejected`].
    pub fn prove(
        &self,
        service: ServiceName,
        head: &Head<'_>,
        payload: &[u8],
        caller: &Caller,
        trace_id: TraceId,
    ) -> Result<Arc<Principal>, Rejected> {
        let Head { method, path, query, ref headers } = *head;
        let signed = RequestParts { method, path, query, headers };
        let directory = self.node.directory();
        let against = self.against(service, &directory, caller);
        authenticate(&signed, Payload::Bytes(payload), against)
            .inspect_err(|rejected| self.log_rejected(rejected, caller, trace_id))
    }

    fn against<'a>(
        &'a self,
        service: ServiceName,
        directory: &'a Directory,
        caller: &Caller,
    ) -> Against<'a> {
        Against {
            directory,
            region: &self.region,
            service,
            now: self.node.access().epoch_seconds(self.node.now()),
            secure: caller.secure,
            keys: &self.keys,
        }
    }

    fn log_rejected(&self, rejected: &Rejected, caller: &Caller, trace_id: TraceId) {
        self.node.telemetry().record(&event::AuthnError {
            trace_id,
            authentication_type: event::AuthenticationType::SigV4,
            reason: rejected.reason(),
            details: &rejected.sentence(),
            protocol: event::Protocol::Http,
            source: caller.source,
            target: caller.target,
            server_name: None,
            client_id: None,
            principal_id: None,
        });
    }

    /// The answer to credentials that do not hold.
    pub fn reject(trace_id: TraceId, rejected: &Rejected) -> Answer {
        let fault = Fault::of_credentials(rejected.reason(), rejected.sentence());
        Reply::failure(trace_id, fault).into_answer()
    }
}

/// What a request failed with before its operation began, told as of a direct message if it was one.
fn of_direct_message(path: &str, fault: Fault) -> Fault {
    if !is_direct_message(path) {
        return fault;
    }
    let truth = match fault.kind {
        // It may go well another time.
        Kind::RequestTimeout | Kind::ServiceUnavailable | Kind::Throttling => Truth::NeverSent,
        Kind::InvalidRequest
        | Kind::Forbidden
        | Kind::ResourceNotFound
        | Kind::MethodNotAllowed
        | Kind::Conflict
        | Kind::RequestEntityTooLarge
        | Kind::UnsupportedDocumentEncoding => Truth::Refused,
        Kind::InternalFailure | Kind::GatewayTimeout => Truth::NeverSent,
    };
    fault.telling(truth)
}
