//! What the policies of a device would say.

use std::collections::BTreeSet;
use std::sync::Arc;

use policy::{
    Action, Context, Decision, PolicySet, Request as Question, Resource, Scope, Target, Thing,
};
use registry::{
    Certificate, POLICIES_PER_CERTIFICATE, PrincipalKey, Registry, certificate_id,
    check_policy_name,
};
use serde_json::{Value, json};

use super::document::policy_entry;
use super::input::{Body, one_of, parameter};
use super::refused::Refused;
use super::request::Request;
use super::{Done, Outcome};

/// Most questions of one request, as the service model has it.
const QUESTIONS: usize = 10;

/// Most resources of one question. AWS does not say.
const RESOURCES: usize = 100;

/// What a device may want to do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Deed {
    Publish,
    Subscribe,
    Receive,
    Connect,
}

/// The words of the service model.
const DEEDS: [(&str, Deed); 4] = [
    ("PUBLISH", Deed::Publish),
    ("SUBSCRIBE", Deed::Subscribe),
    ("RECEIVE", Deed::Receive),
    ("CONNECT", Deed::Connect),
];

impl Deed {
    fn action(self) -> Action {
        match self {
            Deed::Publish => Action::Publish,
            Deed::Subscribe => Action::Subscribe,
            Deed::Receive => Action::Receive,
            Deed::Connect => Action::Connect,
        }
    }

    /// What it is done to (spec 6.2).
    fn resource(self) -> &'static str {
        match self {
            Deed::Publish | Deed::Receive => "topic",
            Deed::Subscribe => "topicfilter",
            Deed::Connect => "client",
        }
    }

    /// Refuses an ARN of what the action is never asked for on.
    fn check(self, word: &str, arn: &str) -> Result<(), Refused> {
        let kind = self.resource();
        let is_of_kind = |target: Target<'_>| match target.resource {
            Resource::Topic(_) => kind == "topic",
            Resource::TopicFilter(_) => kind == "topicfilter",
            Resource::Client(_) => kind == "client",
            Resource::Thing(_)
            | Resource::Certificate(_)
            | Resource::CaCertificate(_)
            | Resource::Policy(_)
            | Resource::LogGroup(_)
            | Resource::Any => false,
        };
        if Target::of_arn(arn).is_some_and(is_of_kind) {
            return Ok(());
        }
        Err(Refused::Input(format!(
            "A resource of {word} is an ARN of the form arn:aws:iot:REGION:ACCOUNT:{kind}/NAME, \
             not \"{arn}\"."
        )))
    }
}

/// A question: may it do that to all of these?
struct AuthInfo {
    deed: Deed,
    /// Its word.
    word: String,
    resources: Vec<String>,
}

/// Whose policies are asked.
struct Tested<'a> {
    certificate: Option<Arc<Certificate>>,
    client_id: Option<&'a str>,
    thing: Option<Arc<Thing>>,
    /// Seconds since 1970.
    at: i64,
}

/// A policy on its own.
struct Single {
    name: String,
    set: PolicySet,
}

/// `POST /test-authorization`: whether the policies of a certificate, or those that are named, allow
/// what a device may want to do. The certificate need not be active.
pub(super) fn test(request: &mut Request<'_>) -> Outcome {
    let body = Body::parse(request.payload)?;
    body.refuse(&["cognitoIdentityPoolId"])?;
    let infos = infos(&body)?;
    let added = names(&body, "policyNamesToAdd")?;
    let skipped = names(&body, "policyNamesToSkip")?;
    let client_id = parameter(&request.query(), "clientId")?;
    let scope = request.registrar.look(|registry| registry.scope().clone());
    let principal = body.text("principal")?;
    let id = principal.map(|arn| certificate_id("principal", arn, &scope)).transpose()?;
    let resource = id.map_or(Resource::Any, Resource::Certificate);
    request.authorize(Action::TestAuthorization, resource)?;
    let at = request.registrar.now();
    // Others wait for the look, but not for the questions.
    let found = request.registrar.look(|registry| {
        let tested = Tested::find(registry, id, client_id.as_deref(), at)?;
        let policies = tested.policies(registry, &added, &skipped)?;
        Ok::<_, registry::Refused>((tested, policies))
    });
    let (tested, policies) = found?;
    let results = infos.iter().map(|info| tested.result(info, &policies, &scope));
    Ok(Done::Told(json!({ "authResults": results.collect::<Vec<_>>() })))
}

fn infos(body: &Body) -> Result<Vec<AuthInfo>, Refused> {
    let missing = |name| Refused::Input(format!("The body lacks the member {name}."));
    let infos = body.objects("authInfos")?.ok_or_else(|| missing("authInfos"))?;
    few("authInfos", infos.len(), QUESTIONS)?;
    let read = |info: &Body| {
        let word = info.require("actionType")?.to_owned();
        let deed = one_of("actionType", &word, &DEEDS)?;
        let resources = info.strings("resources")?.ok_or_else(|| missing("resources"))?;
        few("resources", resources.len(), RESOURCES)?;
        resources.iter().try_for_each(|arn| deed.check(&word, arn))?;
        Ok(AuthInfo { deed, word, resources })
    };
    infos.iter().map(read).collect()
}

fn few(name: &str, found: usize, most: usize) -> Result<(), Refused> {
    if (1..=most).contains(&found) {
        return Ok(());
    }
    Err(Refused::Input(format!("{name} must have 1 to {most} entries, not {found}.")))
}

fn names(body: &Body, member: &str) -> Result<BTreeSet<String>, Refused> {
    let names = body.strings(member)?.unwrap_or_default();
    names.iter().try_for_each(|name| check_policy_name(name))?;
    Ok(names.into_iter().collect())
}

impl<'a> Tested<'a> {
    fn find(
        registry: &Registry,
        id: Option<&str>,
        client_id: Option<&'a str>,
        at: i64,
    ) -> Result<Self, registry::Refused> {
        let certificate = id.map(|id| registry.certificate(id)).transpose()?;
        let key = id.map(|id| PrincipalKey::Certificate(id.to_owned()));
        let principal = key.and_then(|key| registry.principal(&key));
        let thing = principal.zip(client_id).and_then(|(principal, client_id)| {
            registry.directory().thing_of(&principal.grants.load(), client_id)
        });
        Ok(Tested { certificate: certificate.cloned(), client_id, thing, at })
    }

    /// The policies of the certificate and those that are added, without those that are skipped. One
    /// that is attached and not there says nothing.
    fn policies(
        &self,
        registry: &Registry,
        added: &BTreeSet<String>,
        skipped: &BTreeSet<String>,
    ) -> Result<Vec<Single>, registry::Refused> {
        added.iter().try_for_each(|name| registry.policy(name).map(drop))?;
        let attached = self.certificate.as_ref().map(|found| &found.policies);
        let attached = attached.cloned().unwrap_or_default();
        let names = attached.union(added).filter(|name| !skipped.contains(*name));
        let count = names.clone().count();
        // A file may give a certificate more.
        if count > attached.len().max(POLICIES_PER_CERTIFICATE) {
            return Err(registry::Refused::Limit(format!(
                "That would be {count} policies; a certificate may have {POLICIES_PER_CERTIFICATE}."
            )));
        }
        let single = |name: &String| {
            let version = registry.policies().get(name)?.in_force()?;
            let document = Arc::clone(&version.document);
            let set = PolicySet::new(vec![(name.clone(), document)]);
            Some(Single { name: name.clone(), set })
        };
        Ok(names.filter_map(single).collect())
    }

    fn result(&self, info: &AuthInfo, policies: &[Single], scope: &Scope) -> Value {
        let targets: Vec<_> = info.resources.iter().filter_map(|arn| Target::of_arn(arn)).collect();
        let (action, context) = (info.deed.action(), self.context(info.deed));
        let mut missing = BTreeSet::new();
        // Of each policy, what it says of each resource.
        let mut judged = Vec::with_capacity(policies.len());
        for policy in policies {
            let judge = |target| policy.judge(action, target, &context);
            missing.extend(policy.set.missing_values(action, scope, &context));
            judged.push((policy, targets.iter().map(judge).collect::<Vec<_>>()));
        }
        let of_resource = |at: usize| Answer::of(judged.iter().map(|(_, answers)| answers[at]));
        let answers = (0..targets.len()).map(of_resource);
        let said = |wanted: Answer| {
            let policies = judged.iter().filter(|(_, answers)| answers.contains(&wanted));
            let entries = policies.map(|(policy, _)| policy_entry(&policy.name, scope));
            json!({ "policies": entries.collect::<Vec<_>>() })
        };
        json!({
            "authInfo": { "actionType": info.word, "resources": info.resources },
            "allowed": said(Answer::Allowed),
            "denied": {
                "implicitDeny": said(Answer::ImplicitDeny),
                "explicitDeny": said(Answer::ExplicitDeny),
            },
            // It may do that to all of them, or it may not.
            "authDecision": answers.min().unwrap_or(Answer::ImplicitDeny).word(),
            "missingContextValues": missing,
        })
    }

    /// What variables and conditions see. AWS's devices come over TLS, and without a Will.
    fn context(&self, deed: Deed) -> Context<'_> {
        Context {
            secure_transport: Some(true),
            epoch_seconds: Some(self.at),
            principal_id: self.certificate.as_ref().map(|found| found.id.as_str()),
            client_id: self.client_id,
            thing: self.thing.as_deref(),
            certificate: self.certificate.as_ref().map(|found| &found.attributes),
            connect_attributes: (deed == Deed::Connect).then_some(&[]),
            ..Context::default()
        }
    }
}

impl Single {
    /// What it says of one resource.
    fn judge(&self, action: Action, target: &Target<'_>, context: &Context<'_>) -> Answer {
        Answer::of(readings(target.resource).map(|resource| {
            let question = Question { action, resource, scope: &target.scope, context };
            Answer::from(self.set.evaluate(&question))
        }))
    }
}

/// As what a resource is judged: for a shared subscription, the filter in it as well (spec 12.11).
fn readings(resource: Resource<'_>) -> impl Iterator<Item = Resource<'_>> {
    let inner = if let Resource::TopicFilter(filter) = resource {
        let shared = filter.strip_prefix("$share/").and_then(|rest| rest.split_once('/'));
        shared.map(|(_, inner)| Resource::TopicFilter(inner))
    } else {
        None
    };
    std::iter::once(resource).chain(inner)
}

/// What is decided, the worst first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Answer {
    ExplicitDeny,
    ImplicitDeny,
    Allowed,
}

impl Answer {
    /// What several come to: any denial wins over every grant.
    fn of(answers: impl Iterator<Item = Answer>) -> Answer {
        answers.fold(Answer::ImplicitDeny, |before, answer| match (before, answer) {
            (Answer::ExplicitDeny, _) | (_, Answer::ExplicitDeny) => Answer::ExplicitDeny,
            (Answer::Allowed, _) | (_, Answer::Allowed) => Answer::Allowed,
            (Answer::ImplicitDeny, Answer::ImplicitDeny) => Answer::ImplicitDeny,
        })
    }

    /// Its word in the service model.
    fn word(self) -> &'static str {
        match self {
            Answer::ExplicitDeny => "EXPLICIT_DENY",
            Answer::ImplicitDeny => "IMPLICIT_DENY",
            Answer::Allowed => "ALLOWED",
        }
    }
}

impl From<Decision<'_>> for Answer {
    fn from(decision: Decision<'_>) -> Self {
        match decision {
            Decision::Allowed(_) => Answer::Allowed,
            Decision::ExplicitDeny(_) => Answer::ExplicitDeny,
            Decision::ImplicitDeny => Answer::ImplicitDeny,
        }
    }
}
