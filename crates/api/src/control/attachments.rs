//! Policies on certificates.

use policy::{Action, Resource};
use registry::{Key, PrincipalKey, target};
use serde_json::json;

use super::input::Body;
use super::policies::without_answer;
use super::request::Request;
use super::{Outcome, document, list};

/// `PUT /target-policies/{policyName}`
pub(super) fn attach(request: &mut Request<'_>, label: &str) -> Outcome {
    let name = request.label("policyName", label)?;
    let body = Body::parse(request.payload)?;
    let scope = request.registrar.look(|registry| registry.scope().clone());
    let id = target(body.require("target")?, &scope)?;
    request.authorize(Action::AttachPolicy, Resource::Certificate(id))?;
    request.change(|registry, at| without_answer(registry.attach_policy(&name, id, at)))
}

/// `POST /target-policies/{policyName}`
pub(super) fn detach(request: &mut Request<'_>, label: &str) -> Outcome {
    let name = request.label("policyName", label)?;
    let body = Body::parse(request.payload)?;
    let scope = request.registrar.look(|registry| registry.scope().clone());
    let id = target(body.require("target")?, &scope)?;
    request.authorize(Action::DetachPolicy, Resource::Certificate(id))?;
    request.change(|registry, at| without_answer(registry.detach_policy(&name, id, at)))
}

/// `POST /attached-policies/{target}`
pub(super) fn list_policies(request: &mut Request<'_>, label: &str) -> Outcome {
    let arn = request.label("target", label)?;
    let page = list::page(&request.query(), list::MARKER)?;
    let scope = request.registrar.look(|registry| registry.scope().clone());
    let id = target(&arn, &scope)?;
    request.authorize(Action::ListAttachedPolicies, Resource::Certificate(id))?;
    request.look(|registry| {
        let policies = &registry.certificate(id)?.policies;
        let (found, next) = list::by_name(policies.iter().map(String::as_str), &page);
        let entries = found.iter().map(|name| document::policy_entry(name, &scope));
        let mut told = json!({ "policies": entries.collect::<Vec<_>>() });
        list::put_next(&mut told, list::MARKER, next.as_ref());
        Ok(told)
    })
}

/// `POST /policy-targets/{policyName}`. Senders of files have policies too, but no ARN that could be
/// told.
pub(super) fn list_targets(request: &mut Request<'_>, label: &str) -> Outcome {
    let name = request.label("policyName", label)?;
    let page = list::page(&request.query(), list::MARKER)?;
    request.authorize(Action::ListTargetsForPolicy, Resource::Policy(&name))?;
    request.look(|registry| {
        registry.policy(&name)?;
        let certificates = registry.targets_of(&name).filter_map(|key| match key {
            PrincipalKey::Certificate(id) => Some(id.as_str()),
            PrincipalKey::AccessKey(_) => None,
        });
        let (found, next) = list::by_name(certificates, &page);
        let arns = found.into_iter().map(|id| Key::Certificate(id).arn(registry.scope()));
        let mut told = json!({ "targets": arns.collect::<Vec<_>>() });
        list::put_next(&mut told, list::MARKER, next.as_ref());
        Ok(told)
    })
}
