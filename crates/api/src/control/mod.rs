//! The control plane (spec 11): what is registered, read and changed over HTTP.
//!
//! A request whose signature names the service `iot` finds its [`Operation`] and goes to the file of
//! its group, which reads the input, asks the policies and lets the [`Registrar`] change what is
//! registered. The answer goes out when the change is durable. [`fault`](self::fault) is the only
//! place that knows this service's status codes and error names, which are others than the data
//! plane's.

mod attachments;
mod authorities;
mod authorization;
mod auto_registration;
mod certificates;
mod document;
mod endpoint;
mod fault;
mod input;
mod issuing;
mod ledger;
mod list;
mod logging;
mod operation;
mod pending;
mod policies;
mod refused;
mod registrar;
mod request;
mod thing_principals;
mod things;
mod workshop;

use std::sync::Arc;

use broker::Node;

use self::ledger::Ledger;
use self::pending::{Progress, Work};
use self::refused::Refused;
use self::request::Request;
use self::thing_principals::Form;
use crate::exchange::{Begun, Later};
use crate::ops::Call;

pub(crate) use self::auto_registration::register as register_shown;
pub(crate) use self::fault::Fault;
pub use self::logging::log_level;
pub(crate) use self::operation::{Misrouted, Operation, route};
pub use self::pending::Pending;
pub use self::registrar::{Registrar, TakenUp};
pub(crate) use self::workshop::Workshop;

/// The largest body that is read: two certificates of the service model's largest fit, escaped.
pub(crate) const BODY_BYTES: usize = 256 * 1024;

/// What an operation came to.
enum Done {
    /// It has its answer.
    Told(serde_json::Value),
    /// It has its answer once what it changed is durable.
    Changed(registrar::Made<serde_json::Value>),
    /// What it changes takes long to make.
    Ahead(Work),
}

/// How an operation ended, or why it did not.
type Outcome = Result<Done, Refused>;

/// What the control plane works with.
pub(crate) struct ControlPlane {
    pub(crate) registrar: Arc<Registrar>,
    pub(crate) workshop: Arc<Workshop>,
}

/// Goes as far as can be gone without waiting.
pub(crate) fn begin<'a>(
    node: &Arc<Node>,
    plane: &ControlPlane,
    operation: Operation<'_>,
    call: Call<'a>,
) -> Begun<'a> {
    let Call { head, payload, sender, trace_id, trace: _ } = call;
    let ledger = Ledger::open(node, sender, trace_id, operation.name());
    if !node.draw_control_request() {
        return Begun::Answered(ledger.settle(Err(Refused::Throttled)));
    }
    let mut request = Request { head, payload, registrar: &plane.registrar, ledger };
    let outcome = answer(operation, &mut request);
    let ledger = request.ledger;
    let progress = match outcome {
        Ok(Done::Told(document)) => return Begun::Answered(ledger.settle(Ok(document))),
        Err(refused) => return Begun::Answered(ledger.settle(Err(refused))),
        Ok(Done::Changed(made)) => Progress::Made(made),
        Ok(Done::Ahead(work)) => Progress::Ahead(work, Arc::clone(&plane.workshop)),
    };
    let pending = Pending::new(Arc::clone(&plane.registrar), ledger, progress);
    Begun::Later(Later::Control(Box::new(pending)))
}

fn answer(operation: Operation<'_>, request: &mut Request<'_>) -> Outcome {
    match operation {
        Operation::CreateKeysAndCertificate => certificates::create_keys(request),
        Operation::CreateCertificateFromCsr => certificates::create_from_csr(request),
        Operation::RegisterCertificate => certificates::register(request),
        Operation::RegisterCertificateWithoutCA => certificates::register_without_ca(request),
        Operation::UpdateCertificate { id } => certificates::update(request, id),
        Operation::DescribeCertificate { id } => certificates::describe(request, id),
        Operation::ListCertificates => certificates::list(request),
        Operation::ListCertificatesByCA { id } => certificates::list_by_ca(request, id),
        Operation::DeleteCertificate { id } => certificates::delete(request, id),
        Operation::RegisterCACertificate => authorities::register(request),
        Operation::DescribeCACertificate { id } => authorities::describe(request, id),
        Operation::ListCACertificates => authorities::list(request),
        Operation::UpdateCACertificate { id } => authorities::update(request, id),
        Operation::DeleteCACertificate { id } => authorities::delete(request, id),
        Operation::GetRegistrationCode => authorities::registration_code(request),
        Operation::DeleteRegistrationCode => authorities::delete_registration_code(request),
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
        Operation::CreateThing { name } => things::create(request, name),
        Operation::DescribeThing { name } => things::describe(request, name),
        Operation::UpdateThing { name } => things::update(request, name),
        Operation::DeleteThing { name } => things::delete(request, name),
        Operation::ListThings => things::list(request),
        Operation::AttachThingPrincipal { name } => thing_principals::attach(request, name),
        Operation::DetachThingPrincipal { name } => thing_principals::detach(request, name),
        Operation::ListThingPrincipals { name } => {
            thing_principals::list_principals(request, name, Form::Names)
        }
        Operation::ListThingPrincipalsV2 { name } => {
            thing_principals::list_principals(request, name, Form::WithTypes)
        }
        Operation::ListPrincipalThings => thing_principals::list_things(request, Form::Names),
        Operation::ListPrincipalThingsV2 => thing_principals::list_things(request, Form::WithTypes),
        Operation::DescribeEndpoint => endpoint::describe(request),
        Operation::TestAuthorization => authorization::test(request),
        Operation::SetV2LoggingOptions => logging::set_options(request),
        Operation::GetV2LoggingOptions => logging::get_options(request),
        Operation::SetV2LoggingLevel => logging::set_level(request),
        Operation::ListV2LoggingLevels => logging::list_levels(request),
        Operation::DeleteV2LoggingLevel => logging::delete_level(request),
    }
}
