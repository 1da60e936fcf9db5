//! What is set of the log.

use std::collections::BTreeMap;

use policy::Scope;
use registry::{Change, LOG_TARGETS, LogLevel, LogTarget, LoggingUpdate, Refused, Registry};

fn registry() -> Registry {
    Registry::new(Scope::new("us-west-2", "123456789012"))
}

fn apply(registry: &mut Registry, change: Change) {
    let _ = registry.apply(change, 0);
}

fn client(name: &str) -> LogTarget {
    LogTarget::parse("CLIENT_ID", name).expect("a target")
}

#[test]
fn nothing_is_set_until_something_is() {
    let mut registry = registry();
    assert_eq!(registry.logging(), Err(Refused::NotConfigured));
    let refused = registry.set_log_level(client("lamp"), LogLevel::Debug);
    assert!(matches!(refused, Err(Refused::NotConfigured)));
    assert!(registry.delete_log_level(&client("lamp")).is_nothing());
    let change = registry.set_logging(LoggingUpdate::default()).expect("allowed");
    apply(&mut registry, change);
    assert_eq!(registry.logging(), Ok(&Default::default()));
}

#[test]
fn what_is_not_given_stays() {
    let mut registry = registry();
    let events = BTreeMap::from([("Connect".to_owned(), LogLevel::Error)]);
    for update in [
        LoggingUpdate { role_arn: Some("arn:aws:iam::1:role/r".to_owned()), ..Default::default() },
        LoggingUpdate { default_level: Some(LogLevel::Warn), ..Default::default() },
        LoggingUpdate { disable_all: Some(true), ..Default::default() },
        LoggingUpdate { events: Some(events.clone()), ..Default::default() },
    ] {
        let change = registry.set_logging(update).expect("allowed");
        apply(&mut registry, change);
    }
    let logging = registry.logging().expect("it is set").clone();
    assert_eq!(logging.role_arn.as_deref(), Some("arn:aws:iam::1:role/r"));
    assert_eq!(logging.default_level, Some(LogLevel::Warn));
    assert!(logging.disable_all);
    assert_eq!(logging.events, events);
    let again = LoggingUpdate { disable_all: Some(true), ..Default::default() };
    assert!(registry.set_logging(again).expect("allowed").is_nothing());
    let none = LoggingUpdate { events: Some(BTreeMap::new()), ..Default::default() };
    let change = registry.set_logging(none).expect("allowed");
    apply(&mut registry, change);
    assert!(registry.logging().expect("it is set").events.is_empty());
}

#[test]
fn so_many_targets_have_a_level_and_no_more() {
    let mut registry = registry();
    let change = registry.set_logging(LoggingUpdate::default()).expect("allowed");
    apply(&mut registry, change);
    for number in 0..LOG_TARGETS {
        let change = registry.set_log_level(client(&number.to_string()), LogLevel::Debug);
        apply(&mut registry, change.expect("there is room"));
    }
    let more = registry.set_log_level(client("more"), LogLevel::Debug);
    assert!(matches!(more, Err(Refused::Limit(_))));
    let change = registry.set_log_level(client("0"), LogLevel::Error).expect("it is there");
    apply(&mut registry, change);
    let change = registry.delete_log_level(&client("0"));
    apply(&mut registry, change);
    assert!(registry.set_log_level(client("more"), LogLevel::Debug).is_ok());
}

#[test]
fn a_target_has_a_type_and_a_name_that_fits() {
    for (kind, name) in [("SOURCE_IP", "127.0.0.1"), ("PRINCIPAL_ID", "a"), ("CLIENT_ID", "ä b")] {
        let target = LogTarget::parse(kind, name).expect("a target");
        assert_eq!((target.kind(), target.name().as_str()), (kind, name));
    }
    let mapped = LogTarget::parse("SOURCE_IP", "::ffff:10.0.0.1").expect("a target");
    assert_eq!(mapped.name(), "10.0.0.1");
    let long = "x".repeat(129);
    for (kind, name) in [
        ("SOURCE_IP", "10.0.0.0/8"),
        ("SOURCE_IP", ""),
        ("CLIENT_ID", ""),
        ("PRINCIPAL_ID", &long),
        ("THING_GROUP", "g"),
        ("default", "x"),
    ] {
        assert!(matches!(LogTarget::parse(kind, name), Err(Refused::Invalid(_))), "{kind} {name}");
    }
}

#[test]
fn a_role_is_an_arn() {
    for role in ["", "role", &format!("arn:{}", "x".repeat(2_048))] {
        let update = LoggingUpdate { role_arn: Some(role.to_owned()), ..Default::default() };
        assert!(matches!(registry().set_logging(update), Err(Refused::Invalid(_))), "{role}");
    }
}
