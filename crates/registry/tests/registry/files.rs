//! What the files of the registry say, beside what the API made.

use registry::{ClashOf, NewThing};

use super::*;

/// Takes up what files say; those who were in use and are not any more.
fn take_up(registry: &mut Registry, records: Vec<Record>) -> Vec<Arc<Principal>> {
    let change = registry.take_up(records).expect("no clash");
    registry.apply(change, 15).ended
}

fn certificate_of_file(number: u8) -> Certificate {
    Certificate { source: file("certificates/a.toml"), ..certificate(number) }
}

fn new_thing(name: &str) -> NewThing {
    NewThing {
        name: name.to_owned(),
        type_name: None,
        attributes: BTreeMap::new(),
        billing_group: None,
    }
}

fn thing_of_file(name: &str) -> Record {
    Record::Thing(Thing {
        name: name.to_owned(),
        source: file("things/t.toml"),
        id: "x".to_owned(),
        type_name: None,
        attributes: BTreeMap::new(),
        version: 1,
        billing_group: None,
        created_at: 1,
    })
}

#[test]
fn files_are_taken_up_beside_what_the_api_made() {
    let (mut registry, principal) = attached();
    let records = vec![policy_of_file("q", ALLOW)];
    assert!(take_up(&mut registry, records.clone()).is_empty());
    let again = registry.take_up(records).expect("no clash");
    assert!(again.is_nothing(), "what says the same changes nothing");
    let exists = create(&registry, "q", ALLOW);
    let of_file =
        Refused::Exists { key: Key::Policy("q".to_owned()), file: Some("policies/p.json".into()) };
    assert_eq!(exists.err(), Some(of_file));
    let deleted = registry.delete_policy("q");
    assert!(matches!(deleted, Err(Refused::OfFile { .. })));
    // A policy of a file on a certificate of the API.
    make(&mut registry, |r| r.attach_policy("q", &id(1), 5));
    take_up(&mut registry, vec![policy_of_file("q", DENY)]);
    assert!(!may_publish(&principal));
    let clashes = registry.take_up(vec![policy_of_file("p", ALLOW)]).expect_err("a clash");
    assert_eq!(clashes[0].what, ClashOf::Record(Key::Policy("p".to_owned())));
    // The file goes: what it said counts no more, and comes back with it.
    take_up(&mut registry, Vec::new());
    assert!(may_publish(&principal));
    assert!(registry.policy("q").is_err());
}

#[test]
fn a_certificate_of_a_file_that_goes_away_ends_and_is_the_same_when_it_comes_back() {
    let mut registry = Registry::new(scope());
    let of_file = || vec![Record::Certificate(certificate_of_file(1))];
    assert!(take_up(&mut registry, of_file()).is_empty());
    let key = PrincipalKey::Certificate(id(1));
    let principal = registry.principal(&key).expect("registered").clone();
    assert_eq!(take_up(&mut registry, Vec::new()).len(), 1);
    assert!(registry.principal(&key).is_none());
    assert_eq!(principal.grants.load().status, Status::Revoked);
    assert!(take_up(&mut registry, of_file()).is_empty());
    assert!(Arc::ptr_eq(&principal, registry.principal(&key).expect("registered")));
}

/// The connections of the one there was are reached by no later change.
#[test]
fn a_certificate_of_which_more_is_known_is_another_principal_and_the_one_before_ends() {
    let mut registry = Registry::new(scope());
    take_up(&mut registry, vec![Record::Certificate(certificate_of_file(1))]);
    let key = PrincipalKey::Certificate(id(1));
    let before = registry.principal(&key).expect("registered").clone();
    let serial_number = ("SerialNumber".to_owned(), vec!["1".to_owned()]);
    let attributes = policy::Attributes::from_iter([serial_number]);
    let known = Certificate { attributes, ..certificate_of_file(1) };
    let ended = take_up(&mut registry, vec![Record::Certificate(known)]);
    assert!(matches!(&ended[..], [one] if Arc::ptr_eq(one, &before)));
    assert_eq!(before.grants.load().status, Status::Revoked);
    let after = registry.principal(&key).expect("registered");
    assert_eq!(after.grants.load().status, Status::Active);
}

#[test]
fn a_clash_keeps_out_what_is_new_but_not_what_takes_access_away() {
    let (mut registry, _) = attached();
    take_up(&mut registry, vec![Record::Certificate(certificate_of_file(2))]);
    let records = vec![policy_of_file("p", ALLOW), policy_of_file("q", ALLOW)];
    assert!(registry.take_up(records.clone()).is_err());
    let change = registry.take_away(&records);
    assert_eq!(registry.apply(change, 15).ended.len(), 1);
    assert!(registry.certificate(&id(2)).is_err());
    assert!(registry.policy("q").is_err());
    assert!(registry.certificate(&id(1)).is_ok(), "what the API made stays");
}

#[test]
fn what_the_api_makes_does_not_inherit_from_a_file_that_went_away() {
    let (mut registry, principal) = attached();
    take_up(&mut registry, vec![policy_of_file("q", ALLOW), thing_of_file("t")]);
    make(&mut registry, |r| r.detach_policy("p", &id(1), 4));
    make(&mut registry, |r| r.attach_policy("q", &id(1), 5));
    make(&mut registry, |r| r.attach_thing("t", &id(1), Attachment::NonExclusive, 5));
    assert!(may_publish(&principal));
    take_up(&mut registry, Vec::new());
    assert!(!may_publish(&principal));
    make(&mut registry, |r| create(r, "q", ALLOW));
    assert!(!may_publish(&principal));
    assert_eq!(registry.targets_of("q").count(), 0);
    make(&mut registry, |r| Ok(r.create_thing(new_thing("t"), 6, "y".to_owned())?.0));
    assert_eq!(registry.members_of("t").count(), 0);
    assert!(principal.grants.load().things.is_empty());
}

#[test]
fn a_certificate_is_detached_from_a_thing_whose_file_went_away() {
    let (mut registry, _) = attached();
    take_up(&mut registry, vec![thing_of_file("t")]);
    make(&mut registry, |r| r.attach_thing("t", &id(1), Attachment::NonExclusive, 5));
    take_up(&mut registry, Vec::new());
    make(&mut registry, |r| r.update_certificate(&id(1), CertificateStatus::Inactive, 6));
    let held = registry.delete_certificate(&id(1), true);
    assert!(matches!(held, Err(Refused::DeleteConflict(_))));
    make(&mut registry, |r| r.detach_thing("t", &id(1), 7));
    make(&mut registry, |r| r.delete_certificate(&id(1), true));
    let unknown = registry.detach_thing("t", &id(1), 8);
    assert_eq!(unknown.err(), Some(Refused::NotFound(Key::Thing("t".to_owned()))));
}

#[test]
fn a_thing_that_belongs_to_one_certificate_is_not_shared_by_a_file() {
    let with = |certificate: Certificate, attachment| Certificate {
        things: [("t".to_owned(), attachment)].into(),
        ..certificate
    };
    let (exclusive, shared) = (Attachment::Exclusive, Attachment::NonExclusive);
    for (of_api, of_file, clashes) in [
        (exclusive, shared, 1),
        (shared, exclusive, 1),
        (exclusive, exclusive, 1),
        (shared, shared, 0),
    ] {
        let mut registry = Registry::new(scope());
        make(&mut registry, |r| r.register_certificate(with(certificate(1), of_api)));
        let records = vec![Record::Certificate(with(certificate_of_file(2), of_file))];
        let found = registry.take_up(records).err().unwrap_or_default();
        assert_eq!(found.len(), clashes, "{of_api:?}, {of_file:?}");
        let what = ClashOf::Exclusive { thing: "t".to_owned(), other: id(1) };
        assert!(found.iter().all(|clash| clash.what == what));
    }
    // Of two files each is told of the other.
    let records = [(1, shared), (2, exclusive)].map(|(number, attachment)| {
        Record::Certificate(with(certificate_of_file(number), attachment))
    });
    let found = Registry::new(scope()).take_up(records.into()).expect_err("a clash");
    let others = found.iter().map(|clash| match &clash.what {
        ClashOf::Exclusive { other, .. } => other.clone(),
        ClashOf::Record(_) => String::new(),
    });
    assert_eq!(others.collect::<Vec<_>>(), [id(2), id(1)]);
}
