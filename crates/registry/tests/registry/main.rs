//! What may become of records, and that the directory says what they say.

mod files;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use engine::directory::{Principal, Status};
use policy::{Action, Context, Request, Resource, Scope};
use proptest::prelude::*;
use registry::{
    Attachment, Authority, AuthorityStatus, AuthorityUpdate, Certificate, CertificateStatus,
    Change, Key, Mode, NewVersion, Order, Page, Policy, PolicyVersion, PrincipalKey, Record,
    Refused, Registry, Source, Thing, Validity,
};

const ALLOW: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Effect":"Allow","Action":"iot:Publish","Resource":"*"}]}"#;
const DENY: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Effect":"Deny","Action":"iot:Publish","Resource":"*"}]}"#;

fn scope() -> Scope {
    Scope::new("us-west-2", "123456789012")
}

fn id(number: u8) -> String {
    format!("{number:064x}")
}

fn certificate(number: u8) -> Certificate {
    Certificate {
        id: id(number),
        source: Source::Api,
        pem: None,
        status: CertificateStatus::Active,
        mode: Mode::Default,
        authority: None,
        created_at: i64::from(number),
        modified_at: i64::from(number),
        version: 1,
        generation: "g".to_owned(),
        validity: None,
        attributes: Default::default(),
        policies: BTreeSet::new(),
        things: BTreeMap::new(),
    }
}

fn file(name: &str) -> Source {
    Source::File(name.into())
}

fn policy_of_file(name: &str, text: &str) -> Record {
    Record::Policy(Policy {
        name: name.to_owned(),
        source: file("policies/p.json"),
        created_at: 1,
        modified_at: 1,
        generation: "g".to_owned(),
        versions: vec![PolicyVersion::parse(1, text.to_owned(), 1).expect("a policy")],
        default: 1,
        next: 2,
    })
}

fn authority(number: u8) -> Authority {
    Authority {
        id: id(number),
        source: Source::Api,
        pem: String::new(),
        der: vec![number],
        subject: b"the same".to_vec(),
        status: AuthorityStatus::Active,
        auto_registration: false,
        mode: Mode::Default,
        created_at: 1,
        modified_at: 1,
        version: 1,
        generation: "g".to_owned(),
        validity: Validity { not_before: 10, not_after: 20 },
    }
}

/// A registry in which the certificate 1 has the policy `p`.
fn attached() -> (Registry, Arc<Principal>) {
    let mut registry = Registry::new(scope());
    make(&mut registry, |r| r.register_certificate(certificate(1)));
    make(&mut registry, |r| create(r, "p", ALLOW));
    make(&mut registry, |r| r.attach_policy("p", &id(1), 5));
    let key = PrincipalKey::Certificate(id(1));
    let principal = registry.principal(&key).expect("registered").clone();
    (registry, principal)
}

/// Makes a change; those who were in use and are not any more.
fn make(
    registry: &mut Registry,
    decide: impl FnOnce(&Registry) -> Result<Change, Refused>,
) -> Vec<Arc<Principal>> {
    let change = decide(registry).expect("it is done");
    registry.apply(change, 15).ended
}

fn create(registry: &Registry, name: &str, text: &str) -> Result<Change, Refused> {
    registry.create_policy(name, NewVersion::parse(text)?, 1, "g".to_owned())
}

fn may_publish(principal: &Principal) -> bool {
    let request = Request {
        action: Action::Publish,
        resource: Resource::Topic("a"),
        scope: &scope(),
        context: &Context::default(),
    };
    let grants = principal.grants.load();
    grants.status == Status::Active && grants.policies.evaluate(&request).is_allowed()
}

#[test]
fn a_change_of_a_policy_reaches_the_principals_that_were_there() {
    let (mut registry, principal) = attached();
    assert!(may_publish(&principal));
    let version = NewVersion::parse(DENY).expect("a policy");
    make(&mut registry, |r| Ok(r.create_policy_version("p", version, true, 2)?.0));
    assert!(!may_publish(&principal));
    make(&mut registry, |r| r.set_default_policy_version("p", 1, 3));
    assert!(may_publish(&principal));
    make(&mut registry, |r| r.detach_policy("p", &id(1), 4));
    assert!(!may_publish(&principal));
    let now = registry.principal(&PrincipalKey::Certificate(id(1))).expect("registered");
    assert!(Arc::ptr_eq(&principal, now), "it is the same all the time");
}

#[test]
fn whoever_is_not_in_use_any_more_is_told_of_once() {
    let (mut registry, principal) = attached();
    let status = |status| move |r: &Registry| r.update_certificate(&id(1), status, 6);
    let ended = make(&mut registry, status(CertificateStatus::Inactive));
    assert!(matches!(&ended[..], [one] if Arc::ptr_eq(one, &principal)));
    assert!(make(&mut registry, status(CertificateStatus::Inactive)).is_empty());
    assert!(make(&mut registry, status(CertificateStatus::Active)).is_empty());
    assert!(may_publish(&principal));
    assert_eq!(make(&mut registry, status(CertificateStatus::Revoked)).len(), 1);
    let again = registry.update_certificate(&id(1), CertificateStatus::Active, 7);
    assert!(matches!(again, Err(Refused::CertificateState(_))));
}

#[test]
fn a_certificate_expires_on_its_last_second_and_not_before() {
    let mut registry = Registry::new(scope());
    let validity = Some(Validity { not_before: 0, not_after: 20 });
    let brief = Certificate { validity, ..certificate(1) };
    make(&mut registry, |r| r.register_certificate(brief));
    assert!(registry.expire(20).ended.is_empty());
    assert_eq!(registry.expire(21).ended.len(), 1);
    assert!(registry.expire(22).ended.is_empty());
    let principal = registry.principal(&PrincipalKey::Certificate(id(1))).expect("registered");
    assert_eq!(principal.grants.load().status, Status::Expired);
}

#[test]
fn what_is_attached_or_in_use_is_not_deleted() {
    let (mut registry, _) = attached();
    assert!(matches!(registry.delete_policy("p"), Err(Refused::DeleteConflict(_))));
    let delete = |r: &Registry, force| r.delete_certificate(&id(1), force);
    assert!(matches!(delete(&registry, true), Err(Refused::CertificateState(_))));
    make(&mut registry, |r| r.update_certificate(&id(1), CertificateStatus::Inactive, 1));
    assert!(matches!(delete(&registry, false), Err(Refused::DeleteConflict(_))));
    make(&mut registry, |r| delete(r, true));
    make(&mut registry, |r| r.delete_policy("p"));
    assert_eq!(registry.targets_of("p").count(), 0);
    let things = [("t".to_owned(), Attachment::Exclusive)].into();
    let status = CertificateStatus::Inactive;
    let bound = Certificate { things, status, ..certificate(2) };
    make(&mut registry, |r| r.register_certificate(bound));
    assert_eq!(registry.members_of("t").collect::<Vec<_>>(), [id(2)]);
    let held = registry.delete_certificate(&id(2), true);
    assert!(matches!(held, Err(Refused::DeleteConflict(_))));
}

#[test]
fn an_authority_vouches_while_it_is_active_and_in_its_time() {
    let mut registry = Registry::new(scope());
    for number in 0..10 {
        make(&mut registry, |r| r.register_authority(authority(number)));
    }
    assert_eq!(registry.authorities_named(b"the same").count(), 10);
    let one_more = registry.register_authority(authority(10));
    assert!(matches!(one_more, Err(Refused::Limit(_))));
    let first = registry.authority(&id(0)).expect("registered");
    assert_eq!([9, 10, 20, 21].map(|now| first.may_vouch(now)), [false, true, true, false]);
    assert!(matches!(registry.delete_authority(&id(0)), Err(Refused::CertificateState(_))));
    let status = Some(AuthorityStatus::Inactive);
    let update = AuthorityUpdate { status, ..AuthorityUpdate::default() };
    make(&mut registry, |r| r.update_authority(&id(0), update, 3));
    assert!(!registry.authority(&id(0)).expect("registered").may_vouch(15));
    make(&mut registry, |r| r.delete_authority(&id(0)));
    assert_eq!(registry.authorities_named(b"the same").count(), 9);
}

#[test]
fn pages_follow_each_other_whatever_comes_and_goes_between_them() {
    let mut registry = Registry::new(scope());
    for number in 0..5 {
        make(&mut registry, |r| r.register_certificate(certificate(number)));
    }
    let page = Page { after: None, size: 2, order: Order::OldestFirst };
    let (first, next) = registry.certificates().page(&page, |_| true);
    assert_eq!(first.iter().map(|c| c.id.clone()).collect::<Vec<_>>(), [id(0), id(1)]);
    make(&mut registry, |r| r.update_certificate(&id(1), CertificateStatus::Inactive, 1));
    make(&mut registry, |r| r.delete_certificate(&id(1), false));
    let page = Page { after: next, ..page };
    let (second, next) = registry.certificates().page(&page, |c| c.id != id(3));
    assert_eq!(second.iter().map(|c| c.id.clone()).collect::<Vec<_>>(), [id(2), id(4)]);
    assert_eq!(next, None);
}

/// A step of the model below.
#[derive(Clone, Debug)]
enum Step {
    Register(u8),
    Status(u8, CertificateStatus),
    Delete(u8),
    CreatePolicy(u8, bool),
    DeletePolicy(u8),
    Attach(u8, u8),
    Detach(u8, u8),
    Thing(u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let status = prop::sample::select(CertificateStatus::ALL.to_vec());
    let step = prop_oneof![
        (0..4_u8).prop_map(Step::Register),
        (0..4_u8, status).prop_map(|(n, status)| Step::Status(n, status)),
        (0..4_u8).prop_map(Step::Delete),
        (0..3_u8, any::<bool>()).prop_map(|(n, allow)| Step::CreatePolicy(n, allow)),
        (0..3_u8).prop_map(Step::DeletePolicy),
        (0..4_u8, 0..3_u8).prop_map(|(n, p)| Step::Attach(n, p)),
        (0..4_u8, 0..3_u8).prop_map(|(n, p)| Step::Detach(n, p)),
        (0..3_u8).prop_map(Step::Thing),
    ];
    prop::collection::vec(step, 0..60)
}

fn change(registry: &Registry, step: Step) -> Result<Change, Refused> {
    let policy = |number: u8| format!("p{number}");
    match step {
        Step::Register(n) => registry.register_certificate(certificate(n)),
        Step::Status(n, status) => registry.update_certificate(&id(n), status, 1),
        Step::Delete(n) => registry.delete_certificate(&id(n), true),
        Step::CreatePolicy(n, true) => create(registry, &policy(n), ALLOW),
        Step::CreatePolicy(n, false) => create(registry, &policy(n), DENY),
        Step::DeletePolicy(n) => registry.delete_policy(&policy(n)),
        Step::Attach(n, p) => registry.attach_policy(&policy(p), &id(n), 1),
        Step::Detach(n, p) => registry.detach_policy(&policy(p), &id(n), 1),
        Step::Thing(n) => Ok(Change::put(Record::Thing(Thing {
            name: format!("t{n}"),
            source: Source::Api,
            id: "i".to_owned(),
            type_name: None,
            attributes: BTreeMap::new(),
            version: 1,
            billing_group: None,
            created_at: 1,
        }))),
    }
}

proptest! {
    /// Whatever is done, the directory has who is registered, and each may what their policies say;
    /// a directory that was taken out before does not change.
    #[test]
    fn the_directory_says_what_the_records_say(steps in steps()) {
        let mut registry = Registry::new(scope());
        for step in steps {
            let before = registry.directory();
            let (size, things) = (before.certificates.size(), before.things.size());
            if let Ok(change) = change(&registry, step) {
                let ended = registry.apply(change, 15).ended;
                prop_assert!(ended.len() <= 1);
                for principal in ended {
                    prop_assert_ne!(principal.grants.load().status, Status::Active);
                }
            }
            prop_assert_eq!((before.certificates.size(), before.things.size()), (size, things));
            let directory = registry.directory();
            prop_assert_eq!(directory.certificates.size(), registry.certificates().len());
            prop_assert_eq!(directory.things.size(), registry.things().len());
            for certificate in registry.certificates().iter() {
                let principal = &directory.certificates[&certificate.id];
                let allows = |text: &str| certificate.policies.iter().any(|name| {
                    let policy = registry.policy(name).expect("an attached policy is there");
                    policy.in_force().is_some_and(|version| version.text == text)
                });
                let expected = certificate.status == CertificateStatus::Active
                    && allows(ALLOW)
                    && !allows(DENY);
                prop_assert_eq!(may_publish(principal), expected);
                for name in &certificate.policies {
                    let key = PrincipalKey::Certificate(certificate.id.clone());
                    prop_assert!(registry.targets_of(name).any(|target| *target == key));
                }
            }
        }
    }
}
