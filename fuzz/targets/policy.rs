//! Policy documents: parsing never panics, and deciding agrees with explaining.

#![no_main]

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use policy::{
    Action, Attributes, Context, Decision, Document, Effect, PolicySet, Request, Resource, Scope,
    Thing,
};

// The first line is the name that the request is about; the rest is the document.
fuzz_target!(|text: &str| {
    let (name, json) = text.split_once('\n').unwrap_or(("lamp", text));
    let document = match Document::parse(json) {
        Ok(document) => document,
        Err(errors) => {
            assert!(!errors.as_slice().is_empty());
            assert!(!errors.to_string().is_empty());
            return;
        }
    };
    let denies = document.statements().iter().any(|statement| statement.effect() == Effect::Deny);
    let policies = PolicySet::new(vec![("fuzzed".to_owned(), Arc::new(document))]);
    let scope = Scope::new("us-west-2", "123456789012");
    let values = vec![name.to_owned(), "other".to_owned()];
    let certificate = Attributes::from_iter([("Subject.CommonName".to_owned(), values)]);
    let thing = Thing { name: name.to_owned(), attached: true, ..Thing::default() };
    let full = Context {
        source_ip: Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1))),
        secure_transport: Some(true),
        epoch_seconds: Some(1_700_000_000),
        principal_id: Some(name),
        client_id: Some(name),
        domain_name: Some("localhost"),
        thing: Some(&thing),
        certificate: Some(&certificate),
        topic: Some(name),
        connect_attributes: Some(&["LastWill"]),
        last_will_topic: Some(name),
        include_socket_information: Some(false),
    };
    let resources = [
        Resource::Client(name),
        Resource::Topic(name),
        Resource::TopicFilter(name),
        Resource::Thing(name),
        Resource::Any,
    ];
    for context in [&full, &Context::default()] {
        for action in Action::ALL {
            for resource in resources {
                let request = Request { action, resource, scope: &scope, context };
                let decision = policies.evaluate(&request);
                let explanation = policies.explain(&request);
                assert_eq!(decision, explanation.decision);
                assert!(denies || !matches!(decision, Decision::ExplicitDeny(_)));
                assert!(!explanation.to_string().is_empty());
            }
        }
    }
});
