//! How records are told in answers.

use policy::Scope;
use registry::{Kept, Policy, PolicyVersion};
use serde_json::{Value, json};

/// A time as the protocol has it: seconds since 1970.
pub(super) fn date(millis: i64) -> Value {
    #[expect(clippy::cast_precision_loss, reason = "exact for every date there will be")]
    let seconds = millis as f64 / 1_000.0;
    seconds.into()
}

/// An entry of a list of policies.
pub(super) fn policy_entry(name: &str, scope: &Scope) -> Value {
    json!({ "policyName": name, "policyArn": policy_arn(name, scope) })
}

/// A policy with one of its versions. `source` is ours.
pub(super) fn policy(policy: &Policy, version: &PolicyVersion, scope: &Scope) -> Value {
    json!({
        "policyName": policy.name,
        "policyArn": policy.key().arn(scope),
        "policyDocument": version.text,
        "creationDate": date(policy.created_at),
        "lastModifiedDate": date(policy.modified_at),
        "generationId": policy.generation,
        "source": policy.source.to_string(),
    })
}

/// The ARN of the policy of that name.
pub(super) fn policy_arn(name: &str, scope: &Scope) -> String {
    scope.arn(policy::Resource::Policy(name))
}
