//! Things and the certificates that belong to them.

use std::collections::{BTreeMap, BTreeSet};

use policy::Scope;
use registry::{
    Attachment, Certificate, CertificateStatus, Change, Mode, NewThing, Record, Refused, Registry,
    Source, Thing, ThingUpdate,
};

fn certificate(id: &str, source: Source) -> Change {
    Change::put(Record::Certificate(Certificate {
        id: id.to_owned(),
        source,
        pem: None,
        status: CertificateStatus::Active,
        mode: Mode::Default,
        authority: None,
        created_at: 1,
        modified_at: 1,
        version: 1,
        generation: "g".to_owned(),
        validity: None,
        attributes: Default::default(),
        policies: BTreeSet::new(),
        things: BTreeMap::new(),
    }))
}

/// Two things and two certificates, and a thing and a certificate of files.
fn registry() -> Registry {
    let mut registry = Registry::new(Scope::new("us-west-2", "123456789012"));
    for name in ["a", "b"] {
        let (change, _) =
            registry.create_thing(new(name, &[]), 1, format!("id-{name}")).expect("it is new");
        let _ = registry.apply(change, 0);
    }
    let file = || Source::File("x.toml".into());
    for (id, source) in [("1", Source::Api), ("2", Source::Api), ("3", file())] {
        let _ = registry.apply(certificate(id, source), 0);
    }
    let filed = Thing {
        name: "filed".to_owned(),
        source: file(),
        id: "i".to_owned(),
        type_name: None,
        attributes: BTreeMap::new(),
        version: 1,
        billing_group: None,
        created_at: 1,
    };
    let _ = registry.apply(Change::put(Record::Thing(filed)), 0);
    registry
}

fn new(name: &str, attributes: &[(&str, &str)]) -> NewThing {
    NewThing {
        name: name.to_owned(),
        type_name: None,
        attributes: texts(attributes),
        billing_group: None,
    }
}

fn texts(attributes: &[(&str, &str)]) -> BTreeMap<String, String> {
    attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn attach(registry: &mut Registry, thing: &str, id: &str, how: Attachment) -> Result<(), Refused> {
    let change = registry.attach_thing(thing, id, how, 2)?;
    let _ = registry.apply(change, 0);
    Ok(())
}

#[test]
fn the_same_thing_again_changes_nothing_and_keeps_its_id() {
    let registry = registry();
    let (change, id) = registry.create_thing(new("a", &[]), 9, "other".to_owned()).unwrap();
    assert!(change.is_nothing());
    assert_eq!(id, "id-a");
    let other = registry.create_thing(new("a", &[("x", "y")]), 9, "other".to_owned());
    assert!(matches!(other, Err(Refused::Exists { file: None, .. })));
    let filed = registry.create_thing(new("filed", &[]), 9, "other".to_owned());
    assert!(
        matches!(filed, Err(Refused::Exists { file: Some(_), .. })),
        "a file's is never the same"
    );
}

#[test]
fn attributes_are_merged_or_replaced_and_counted_by_the_type() {
    let mut registry = registry();
    let update = |attributes: &[(&str, &str)], merge| ThingUpdate {
        attributes: Some(texts(attributes)),
        merge,
        ..ThingUpdate::default()
    };
    let three = [("1", "a"), ("2", "b"), ("3", "c")];
    let change = registry.update_thing("a", update(&three, false)).unwrap();
    let _ = registry.apply(change, 0);
    assert!(matches!(
        registry.update_thing("a", update(&[("4", "d")], true)),
        Err(Refused::Invalid(_))
    ));
    let change = registry.update_thing("a", update(&[("4", "d"), ("1", "")], true)).unwrap();
    let _ = registry.apply(change, 0);
    let thing = registry.thing("a").unwrap();
    assert_eq!(thing.attributes, texts(&[("2", "b"), ("3", "c"), ("4", "d")]));
    assert_eq!(thing.version, 3);
    let one = update(&[("1", ""), ("2", "b")], false);
    let _ = registry.apply(registry.update_thing("a", one).unwrap(), 0);
    assert_eq!(registry.thing("a").unwrap().attributes, texts(&[("2", "b")]));
    let change = registry.update_thing("a", update(&[("3", "c"), ("4", "d")], true)).unwrap();
    let _ = registry.apply(change, 0);
    let typed = ThingUpdate { type_name: Some("t".to_owned()), ..update(&[("5", "e")], true) };
    let change = registry.update_thing("a", typed).unwrap();
    let _ = registry.apply(change, 0);
    let untyped = ThingUpdate { remove_type: true, ..ThingUpdate::default() };
    assert!(matches!(registry.update_thing("a", untyped), Err(Refused::Invalid(_))));
}

#[test]
fn a_version_that_is_not_the_one_expected_is_a_conflict() {
    let registry = registry();
    let stale = ThingUpdate { expected_version: Some(7), ..ThingUpdate::default() };
    let conflict = registry.update_thing("a", stale);
    assert!(matches!(conflict, Err(Refused::VersionConflict { expected: 7, found: 1, .. })));
    assert!(matches!(registry.delete_thing("a", Some(7)), Err(Refused::VersionConflict { .. })));
    assert!(registry.delete_thing("nothing", Some(7)).unwrap().is_nothing());
}

#[test]
fn an_exclusive_attachment_is_the_only_one_on_either_side() {
    let mut registry = registry();
    attach(&mut registry, "a", "1", Attachment::Exclusive).unwrap();
    for (thing, id, how) in [
        ("b", "1", Attachment::NonExclusive),
        ("b", "1", Attachment::Exclusive),
        ("a", "2", Attachment::NonExclusive),
        ("a", "1", Attachment::NonExclusive),
    ] {
        let refused = attach(&mut registry, thing, id, how);
        assert!(matches!(refused, Err(Refused::Invalid(_))), "{thing} {id} {how:?}");
    }
    let change = registry.detach_thing("a", "1", 3).unwrap();
    let _ = registry.apply(change, 0);
    attach(&mut registry, "a", "2", Attachment::NonExclusive).unwrap();
    attach(&mut registry, "a", "1", Attachment::NonExclusive).unwrap();
    assert!(attach(&mut registry, "b", "1", Attachment::Exclusive).is_err());
    assert_eq!(registry.members_of("a").collect::<Vec<_>>(), ["1", "2"]);
}

#[test]
fn what_files_say_stays_and_what_is_attached_cannot_be_deleted() {
    let mut registry = registry();
    assert!(matches!(
        attach(&mut registry, "a", "3", Attachment::NonExclusive),
        Err(Refused::OfFile { .. })
    ));
    assert!(matches!(registry.delete_thing("filed", None), Err(Refused::OfFile { .. })));
    attach(&mut registry, "filed", "1", Attachment::NonExclusive).unwrap();
    attach(&mut registry, "b", "1", Attachment::NonExclusive).unwrap();
    assert!(matches!(registry.delete_thing("b", None), Err(Refused::Invalid(_))));
    let change = registry.detach_thing("b", "1", 3).unwrap();
    let _ = registry.apply(change, 0);
    let change = registry.delete_thing("b", None).unwrap();
    let _ = registry.apply(change, 0);
    assert!(matches!(registry.thing("b"), Err(Refused::NotFound(_))));
}
