//! How records are told in answers.

use std::sync::Arc;

use policy::Scope;
use registry::{Authority, Certificate, Kept, Place, Policy, PolicyVersion, Validity};
use serde_json::{Value, json};

use super::list;

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

/// ARN and ID of a certificate.
pub(super) fn certificate_name(id: &str, scope: &Scope) -> Value {
    let arn = scope.arn(policy::Resource::Certificate(id));
    json!({ "certificateArn": arn, "certificateId": id })
}

/// A certificate, as DescribeCertificate tells it. `source` is ours.
pub(super) fn certificate(certificate: &Certificate, scope: &Scope) -> Value {
    let mut told = certificate_name(&certificate.id, scope);
    told["status"] = certificate.status.word().into();
    told["ownedBy"] = scope.account().into();
    told["creationDate"] = date(certificate.created_at);
    told["lastModifiedDate"] = date(certificate.modified_at);
    told["customerVersion"] = certificate.version.into();
    told["transferData"] = json!({});
    told["generationId"] = certificate.generation.as_str().into();
    told["certificateMode"] = certificate.mode.word().into();
    told["source"] = certificate.source.to_string().into();
    if let Some(authority) = &certificate.authority {
        told["caCertificateId"] = authority.as_str().into();
    }
    if let Some(pem) = &certificate.pem {
        told["certificatePem"] = pem.as_str().into();
    }
    if let Some(validity) = &certificate.validity {
        told["validity"] = dates(validity);
    }
    told
}

/// A page of a list of certificates.
pub(super) fn certificates(
    found: &[Arc<Certificate>],
    next: Option<&Place>,
    scope: &Scope,
) -> Value {
    let entry = |certificate: &Arc<Certificate>| {
        let mut told = certificate_name(&certificate.id, scope);
        told["status"] = certificate.status.word().into();
        told["certificateMode"] = certificate.mode.word().into();
        told["creationDate"] = date(certificate.created_at);
        told
    };
    let mut told = json!({ "certificates": found.iter().map(entry).collect::<Vec<_>>() });
    list::put_next(&mut told, list::MARKER, next);
    told
}

/// An authority, as DescribeCACertificate tells it. `source` is ours.
pub(super) fn authority(authority: &Authority, scope: &Scope) -> Value {
    let mut told = authority_entry(authority, scope);
    told["certificatePem"] = authority.pem.as_str().into();
    told["ownedBy"] = scope.account().into();
    told["lastModifiedDate"] = date(authority.modified_at);
    told["customerVersion"] = authority.version.into();
    told["generationId"] = authority.generation.as_str().into();
    told["certificateMode"] = authority.mode.word().into();
    told["validity"] = dates(&authority.validity);
    told["source"] = authority.source.to_string().into();
    told["autoRegistrationStatus"] = match authority.auto_registration {
        true => "ENABLE".into(),
        false => "DISABLE".into(),
    };
    told
}

/// An entry of a list of authorities.
pub(super) fn authority_entry(authority: &Authority, scope: &Scope) -> Value {
    json!({
        "certificateArn": authority.key().arn(scope),
        "certificateId": authority.id,
        "status": authority.status.word(),
        "creationDate": date(authority.created_at),
    })
}

fn dates(validity: &Validity) -> Value {
    let Validity { not_before, not_after } = validity;
    json!({ "notBefore": not_before, "notAfter": not_after })
}
