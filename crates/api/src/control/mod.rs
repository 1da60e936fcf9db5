//! The control plane (spec 11): what is registered, read and changed over HTTP.
//!
//! A request whose signature names the service `iot` finds its [`Operation`] and goes to the file of
//! its group, which reads the input, asks the policies and lets the [`Registrar`] change what is
//! registered. The answer goes out when the change is durable. [`fault`](self::fault) is the only
//! place that knows this service's status codes and error names, which are others than the data
//! plane's.

mod attachments;
mod document;
mod fault;
mod input;
mod ledger;
mod list;
mod operation;
mod pending;
mod policies;
mod refused;
mod registrar;
mod request;

use std::sync::Arc;

use broker::Node;

use self::ledger::Ledger;
use self::refused::Refused;
use self::request::Request;
use crate::exchange::{Begun, Later};
use crate::ops::Call;

pub(crate) use self::fault::Fault;
pub(crate) use self::operation::{Misrouted, Operation, route};
pub use self::pending::Pending;
pub use self::registrar::Registrar;

/// What an operation came to.
enum Done {
    /// It has its answer.
    Told(serde_json::Value),
    /// It has its answer once what it changed is durable.
    Changed(registrar::Made<serde_json::Value>),
}

/// How an operation ended, or why it did not.
type Outcome = Result<Done, Refused>;

/// Goes as far as can be gone without waiting.
pub(crate) fn begin<'a>(
    node: &Arc<Node>,
    registrar: &Arc<Registrar>,
    operation: Operation<'_>,
    call: Call<'a>,
) -> Begun<'a> {
    let Call { head, payload, sender, trace_id } = call;
    let ledger = Ledger::open(node, sender, trace_id, operation.name());
    let mut request = Request { head, payload, registrar, ledger };
    let outcome = answer(operation, &mut request);
    let ledger = request.ledger;
    match outcome {
        Ok(Done::Told(document)) => Begun::Answered(ledger.settle(Ok(document))),
        Err(refused) => Begun::Answered(ledger.settle(Err(refused))),
        Ok(Done::Changed(made)) => {
            let registrar = Arc::clone(registrar);
            Begun::Later(Later::Control(Box::new(Pending::new(registrar, ledger, made))))
        }
    }
}

fn answer(operation: Operation<'_>, request: &mut Request<'_>) -> Outcome {
    match operation {
        Operation::CreatePolicy { name } => policies::create(request, name),
        Operation::CreatePolicyVersion { name } => policies::create_version(request, name),
        Operation::GetPolicy { name } => policies::get(request, name),
        Operation::GetPolicyVersion { name, version } => {
            policies::get_version(request, name, version)
        }
        Operation::SetDefaultPolicyVersion { name, version } => {
            policies::set_default(request, name, version)
        }
        Operation::ListPolicies => policies::list(request),
        Operation::ListPolicyVersions { name } => policies::list_versions(request, name),
        Operation::DeletePolicy { name } => policies::delete(request, name),
        Operation::DeletePolicyVersion { name, version } => {
            policies::delete_version(request, name, version)
        }
        Operation::AttachPolicy { name } => attachments::attach(request, name),
        Operation::DetachPolicy { name } => attachments::detach(request, name),
        Operation::ListAttachedPolicies { target } => attachments::list_policies(request, target),
        Operation::ListTargetsForPolicy { name } => attachments::list_targets(request, name),
    }
}
