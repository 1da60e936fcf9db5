//! The policy language from outside: documents in, decisions out.

mod announcement;
mod conditions;
mod explaining;
mod malformed;
mod properties;
mod statements;

use std::sync::Arc;

use policy::{Action, Context, Decision, Document, PolicySet, Request, Resource, Scope};

/// The policies of `documents`, called `p0`, `p1` and so on.
fn policies(documents: &[&str]) -> PolicySet {
    let parse = |(position, json): (usize, &&str)| {
        let document = Document::parse(json).unwrap_or_else(|errors| panic!("{errors}\n{json}"));
        (format!("p{position}"), Arc::new(document))
    };
    PolicySet::new(documents.iter().enumerate().map(parse).collect())
}

/// A document of `statements`, given without the brackets around them.
fn document(statements: &str) -> String {
    format!(r#"{{ "Version": "2012-10-17", "Statement": [{statements}] }}"#)
}

/// The scope of every example.
fn scope() -> Scope {
    Scope::new("us-west-2", "123456789012")
}

/// What `policies` decide for a request in `context`.
fn decide<'p>(
    policies: &'p PolicySet,
    action: Action,
    resource: Resource<'_>,
    context: &Context<'_>,
) -> Decision<'p> {
    policies.evaluate(&Request { action, resource, scope: &scope(), context })
}
