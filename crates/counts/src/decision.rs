//! Decisions over 10 documents of 20 statements, the workload of `cargo bench -p policy`.

use std::hint::black_box;
use std::sync::Arc;

use policy::{
    Action, Attributes, Context, Decision, Document, PolicySet, Request, Resource, Scope,
};

/// A document about one fleet, whose number stands for `NUMBER`.
const FLEET: &str = include_str!("../../policy/benches/fleet.json");

/// The last document allows it by a plain statement.
pub(crate) fn allow(iterations: u32) {
    let decision = decide(Action::Receive, Resource::Topic("fleet-9-18/lamp/state"), iterations);
    assert_eq!(decision, Some(true));
}

/// The last document allows it by a statement with conditions, one of them on `iot:Topic` with a
/// variable.
pub(crate) fn condition(iterations: u32) {
    let decision = decide(Action::SendDirectMessage, Resource::Client("lamp-9-0042"), iterations);
    assert_eq!(decision, Some(true));
}

/// No document says anything about it.
pub(crate) fn deny(iterations: u32) {
    let decision = decide(Action::SendDirectMessage, Resource::Client("fan-9-0042"), iterations);
    assert_eq!(decision, Some(false));
}

/// What is decided in the end; `None` without iterations.
fn decide(action: Action, resource: Resource<'_>, iterations: u32) -> Option<bool> {
    let document = |number: usize| {
        let json = FLEET.replace("NUMBER", &number.to_string());
        let document = Document::parse(&json).expect("the template is well-formed");
        (format!("fleet-{number}"), Arc::new(document))
    };
    let policies = PolicySet::new((0..10).map(document).collect());
    let names = vec!["backend".to_owned()];
    let certificate: Attributes = [("Subject.CommonName".to_owned(), names)].into_iter().collect();
    let context = Context {
        source_ip: Some([203, 0, 113, 9].into()),
        secure_transport: Some(true),
        epoch_seconds: Some(1_777_593_600),
        client_id: Some("lamp-1"),
        certificate: Some(&certificate),
        topic: Some("devices/backend/reboot"),
        ..Context::default()
    };
    let scope = Scope::new("us-west-2", "123456789012");
    let request = Request { action, resource, scope: &scope, context: &context };
    let mut allowed = None;
    for _ in 0..iterations {
        let decision: Decision<'_> = black_box(&policies).evaluate(black_box(&request));
        allowed = Some(black_box(decision).is_allowed());
    }
    allowed
}
