//! Nanoseconds of one decision over 10 documents of 20 statements: `cargo bench -p policy --bench
//! decision` prints one JSON object. Each figure is the median over batches, which a noisy machine
//! disturbs less than a mean.
#![allow(clippy::disallowed_methods, reason = "a benchmark needs the clock")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use policy::{
    Action, Attributes, Context, Decision, Document, PolicySet, Request, Resource, Scope,
};

/// A document of 20 statements, of which each of ten copies is about a fleet of its own.
const FLEET: &str = include_str!("fleet.json");
const DOCUMENTS: usize = 10;
const BATCHES: usize = 1_001;
const BATCH: u32 = 500;

/// A question and what has to be decided.
struct Case {
    name: &'static str,
    action: Action,
    resource: Resource<'static>,
    holds: fn(Decision<'_>) -> bool,
}

const CASES: [Case; 4] = [
    Case {
        name: "allow_last",
        action: Action::Receive,
        resource: Resource::Topic("fleet-9-18/lamp/state"),
        holds: |decision| decision.is_allowed(),
    },
    Case {
        name: "allow_last_by_condition",
        action: Action::SendDirectMessage,
        resource: Resource::Client("lamp-9-0042"),
        holds: |decision| decision.is_allowed(),
    },
    Case {
        name: "deny_last",
        action: Action::Receive,
        resource: Resource::Topic("fleet-9-13/lamp/state"),
        holds: |decision| matches!(decision, Decision::ExplicitDeny(_)),
    },
    Case {
        name: "deny_by_default",
        action: Action::SendDirectMessage,
        resource: Resource::Client("fan-9-0042"),
        holds: |decision| decision == Decision::ImplicitDeny,
    },
];

fn policies() -> PolicySet {
    let document = |number: usize| {
        let json = FLEET.replace("NUMBER", &number.to_string());
        let document = Document::parse(&json).expect("the template is well-formed");
        (format!("fleet-{number}"), Arc::new(document))
    };
    PolicySet::new((0..DOCUMENTS).map(document).collect())
}

/// The median, in nanoseconds, of what `decide` takes.
fn measure(mut decide: impl FnMut()) -> f64 {
    let mut batches: Vec<f64> = (0..BATCHES)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..BATCH {
                decide();
            }
            start.elapsed().as_secs_f64() * 1e9 / f64::from(BATCH)
        })
        .collect();
    batches.sort_unstable_by(f64::total_cmp);
    batches[BATCHES / 2]
}

fn main() {
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
    let (policies, scope) = (policies(), Scope::new("us-west-2", "123456789012"));
    let figures = CASES.map(|Case { name, action, resource, holds }| {
        let request = Request { action, resource, scope: &scope, context: &context };
        assert!(holds(policies.evaluate(&request)), "{}", policies.explain(&request));
        let nanoseconds = measure(|| {
            black_box(black_box(&policies).evaluate(black_box(&request)));
        });
        format!("\"{name}_ns\": {nanoseconds:.1}")
    });
    println!("{{\"documents\": {DOCUMENTS}, \"statements\": 200, {}}}", figures.join(", "));
}
