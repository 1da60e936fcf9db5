//! Policies and their versions.

use policy::{Action, Resource};
use registry::{Change, Kept, NewVersion, check_policy_name};
use serde_json::{Value, json};

use super::input::{Body, flag};
use super::refused::Refused;
use super::request::Request;
use super::{Outcome, document, list};

/// `POST /policies/{policyName}`
pub(super) fn create(request: &mut Request<'_>, label: &str) -> Outcome {
    let name = request.label("policyName", label)?;
    check_policy_name(&name)?;
    let body = Body::parse(request.payload)?;
    body.refuse(&["tags"])?;
    let text = body.require("policyDocument")?;
    request.authorize(Action::CreatePolicy, Resource::Policy(&name))?;
    let version = NewVersion::parse(text)?;
    let generation = uuid::Uuid::new_v4().to_string();
    request.change(|registry, at| {
        let change = registry.create_policy(&name, version, at, generation)?;
        let told = json!({
            "policyName": name,
            "policyArn": document::policy_arn(&name, registry.scope()),
            "policyDocument": text,
            "policyVersionId": "1",
        });
        Ok((change, told))
    })
}

/// `POST /policies/{policyName}/version`
pub(super) fn create_version(request: &mut Request<'_>, label: &str) -> Outcome {
    let name = request.label("policyName", label)?;
    let default = flag(&request.query(), "setAsDefault")?;
    let body = Body::parse(request.payload)?;
    let text = body.require("policyDocument")?;
    request.authorize(Action::CreatePolicyVersion, Resource::Policy(&name))?;
    let version = NewVersion::parse(text)?;
    request.change(|registry, at| {
        let (change, number) = registry.create_policy_version(&name, version, default, at)?;
        let told = json!({
            "policyArn": document::policy_arn(&name, registry.scope()),
            "policyDocument": text,
            "policyVersionId": number.to_string(),
            "isDefaultVersion": default,
        });
        Ok((change, told))
    })
}

/// `GET /policies/{policyName}`
pub(super) fn get(request: &mut Request<'_>, label: &str) -> Outcome {
    let name = request.label("policyName", label)?;
    request.authorize(Action::GetPolicy, Resource::Policy(&name))?;
    request.look(|registry| {
        let policy = registry.policy(&name)?;
        let version = registry.policy_version(&name, policy.default)?;
        let mut told = document::policy(policy, version, registry.scope());
        told["defaultVersionId"] = policy.default.to_string().into();
        Ok(told)
    })
}

/// `GET /policies/{policyName}/version/{policyVersionId}`
pub(super) fn get_version(request: &mut Request<'_>, label: &str, version: &str) -> Outcome {
    let name = request.label("policyName", label)?;
    let number = version_number(request, version)?;
    request.authorize(Action::GetPolicyVersion, Resource::Policy(&name))?;
    request.look(|registry| {
        let (policy, version) = (registry.policy(&name)?, registry.policy_version(&name, number)?);
        let mut told = document::policy(policy, version, registry.scope());
        told["policyVersionId"] = number.to_string().into();
        told["isDefaultVersion"] = (policy.default == number).into();
        told["creationDate"] = document::date(version.created_at);
        Ok(told)
    })
}

/// `PATCH /policies/{policyName}/version/{policyVersionId}`
pub(super) fn set_default(request: &mut Request<'_>, label: &str, version: &str) -> Outcome {
    let name = request.label("policyName", label)?;
    let number = version_number(request, version)?;
    request.authorize(Action::SetDefaultPolicyVersion, Resource::Policy(&name))?;
    request.change(|registry, at| {
        without_answer(registry.set_default_policy_version(&name, number, at))
    })
}

/// `GET /policies`
pub(super) fn list(request: &mut Request<'_>) -> Outcome {
    let page = list::page(&request.query(), list::MARKER)?;
    request.authorize(Action::ListPolicies, Resource::Any)?;
    request.look(|registry| {
        let (found, next) = registry.policies().page(&page, |_| true);
        let entries = found.iter();
        let entries = entries.map(|policy| document::policy_entry(policy.name(), registry.scope()));
        let mut told = json!({ "policies": entries.collect::<Vec<_>>() });
        list::put_next(&mut told, list::MARKER, next.as_ref());
        Ok(told)
    })
}

/// `GET /policies/{policyName}/version`
pub(super) fn list_versions(request: &mut Request<'_>, label: &str) -> Outcome {
    let name = request.label("policyName", label)?;
    request.authorize(Action::ListPolicyVersions, Resource::Policy(&name))?;
    request.look(|registry| {
        let policy = registry.policy(&name)?;
        let entry = |version: &registry::PolicyVersion| {
            json!({
                "versionId": version.number.to_string(),
                "isDefaultVersion": version.number == policy.default,
                "createDate": document::date(version.created_at),
            })
        };
        // The newest first, as the default is mostly among them.
        let entries: Vec<Value> = policy.versions.iter().rev().map(entry).collect();
        Ok(json!({ "policyVersions": entries }))
    })
}

/// `DELETE /policies/{policyName}`
pub(super) fn delete(request: &mut Request<'_>, label: &str) -> Outcome {
    let name = request.label("policyName", label)?;
    request.authorize(Action::DeletePolicy, Resource::Policy(&name))?;
    request.change(|registry, _| without_answer(registry.delete_policy(&name)))
}

/// `DELETE /policies/{policyName}/version/{policyVersionId}`
pub(super) fn delete_version(request: &mut Request<'_>, label: &str, version: &str) -> Outcome {
    let name = request.label("policyName", label)?;
    let number = version_number(request, version)?;
    request.authorize(Action::DeletePolicyVersion, Resource::Policy(&name))?;
    request.change(|registry, at| without_answer(registry.delete_policy_version(&name, number, at)))
}

fn version_number(request: &Request<'_>, label: &str) -> Result<u32, Refused> {
    let text = request.label("policyVersionId", label)?;
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match (digits, text.parse()) {
        (true, Ok(number)) => Ok(number),
        // A number that no policy has.
        (true, Err(_)) => Ok(u32::MAX),
        (false, _) => {
            Err(Refused::Input(format!("A policyVersionId consists of digits, not \"{text}\".")))
        }
    }
}

/// What the answer to an operation without output is made of.
pub(super) fn without_answer(
    change: Result<Change, registry::Refused>,
) -> Result<(Change, Value), registry::Refused> {
    change.map(|change| (change, json!({})))
}
