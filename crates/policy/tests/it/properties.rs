//! What holds of every document.

use std::sync::Arc;

use policy::{Action, Context, Decision, Document, Effect, PolicySet, Request, Resource};
use proptest::prelude::*;

use crate::scope;

/// Pieces that a JSON text with the vocabulary of policies is made of.
const VOCABULARY: &str = r#"([{}\[\]:,]|"(Version|Statement|Sid|Effect|Action|NotAction|Resource|NotResource|Condition|Principal|Allow|Deny|2012-10-17|iot:\*|\*|arn:aws:iot:\*:\*:topic/\$\{iot:ClientId\}|\$\{|StringLike|Bool|iot:Topic|)"|"(Effect|Action|Statement|Condition)":|true|1|\n){0,40}"#;

fn effect() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just("Allow"), Just("Deny")]
}

fn action() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just("iot:Publish"), Just("iot:*"), Just("iot:Rec*"), Just("s3:*"), Just("*")]
}

fn resource() -> impl Strategy<Value = String> {
    let name = "[ab*?]{0,3}";
    prop_oneof![
        Just("*".to_owned()),
        name.prop_map(|name| format!("arn:aws:iot:us-west-2:123456789012:topic/{name}")),
        name.prop_map(|name| format!("arn:aws:iot:*:*:{name}")),
        Just("arn:aws:iot:*:*:topic/${iot:ClientId}".to_owned()),
    ]
}

/// A statement, half of the time with a condition that holds or fails.
fn statement() -> impl Strategy<Value = String> {
    let negated = any::<(bool, bool)>();
    let condition = prop_oneof![Just(""), Just(r#","Condition":{"Bool":{"a:b":true}}"#)];
    (effect(), action(), resource(), negated, condition).prop_map(
        |(effect, action, resource, (not_action, not_resource), condition)| {
            let action_name = if not_action { "NotAction" } else { "Action" };
            let resource_name = if not_resource { "NotResource" } else { "Resource" };
            format!(
                r#"{{"Effect":"{effect}","{action_name}":"{action}",
                    "{resource_name}":"{resource}"{condition}}}"#
            )
        },
    )
}

fn parse(statements: &[String]) -> Arc<Document> {
    let statements = statements.join(",");
    let json = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
    Arc::new(Document::parse(&json).unwrap_or_else(|errors| panic!("{errors}\n{json}")))
}

/// What the statement alone decides, its effect turned into `Allow` if it denies.
fn applies(statement: &str, request: &Request<'_>) -> bool {
    let granting = statement.replace("\"Deny\"", "\"Allow\"");
    let alone = PolicySet::new(vec![("alone".to_owned(), parse(&[granting]))]);
    alone.evaluate(request).is_allowed()
}

proptest! {
    #[test]
    fn parsing_never_panics(text in any::<String>()) {
        let _ = Document::parse(&text);
    }

    #[test]
    fn parsing_bytes_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Document::parse(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn parsing_what_looks_like_a_policy_never_panics(text in VOCABULARY) {
        let _ = Document::parse(&text);
        let _ = Document::parse(&format!("{{\"Statement\":{{{text}}}}}"));
        let _ = Document::parse(&format!("{{\"Statement\":{{\"Condition\":{{{text}}}}}}}"));
    }

    #[test]
    fn decisions_follow_from_the_statements_one_by_one(
        documents in proptest::collection::vec(
            proptest::collection::vec(statement(), 1..4), 0..4),
        topic in "[ab/]{0,3}",
        client_id in proptest::option::of("[ab]{1,2}"),
    ) {
        let context = Context { client_id: client_id.as_deref(), ..Context::default() };
        let scope = scope();
        let request = Request {
            action: Action::Publish,
            resource: Resource::Topic(&topic),
            scope: &scope,
            context: &context,
        };
        let named = documents.iter().map(|statements| ("p".to_owned(), parse(statements)));
        let policies = PolicySet::new(named.collect());
        let applicable = |effect: &str| {
            let effect = format!("\"{effect}\"");
            documents.iter().flatten().any(|s| s.contains(&effect) && applies(s, &request))
        };
        let decision = policies.evaluate(&request);
        match decision {
            Decision::ExplicitDeny(_) => prop_assert!(applicable("Deny")),
            Decision::Allowed(_) => prop_assert!(applicable("Allow") && !applicable("Deny")),
            Decision::ImplicitDeny => prop_assert!(!applicable("Allow") && !applicable("Deny")),
        }
        let explanation = policies.explain(&request);
        prop_assert_eq!(explanation.decision, decision);
        if let Some(nearest) = explanation.nearest {
            prop_assert!(!nearest.failures.is_empty(), "a statement that fails nothing allows");
        }
    }

    #[test]
    fn a_denial_of_everything_is_final(statements in proptest::collection::vec(statement(), 1..6)) {
        let deny = r#"{"Effect":"Deny","Action":"*","Resource":"*"}"#.to_owned();
        let documents = vec![
            ("given".to_owned(), parse(&statements)),
            ("denial".to_owned(), parse(&[deny])),
        ];
        let policies = PolicySet::new(documents);
        let (scope, context) = (scope(), Context::default());
        for action in Action::ALL {
            for resource in [Resource::Topic("a"), Resource::Client("b"), Resource::Any] {
                let request = Request { action, resource, scope: &scope, context: &context };
                let denied = matches!(policies.evaluate(&request), Decision::ExplicitDeny(_));
                prop_assert!(denied, "{action} on {resource:?}");
            }
        }
    }

    #[test]
    fn statements_keep_their_order_and_effect(
        statements in proptest::collection::vec(statement(), 1..6),
    ) {
        let document = parse(&statements);
        prop_assert_eq!(document.statements().len(), statements.len());
        for (compiled, text) in document.statements().iter().zip(&statements) {
            let allows = compiled.effect() == Effect::Allow;
            prop_assert_eq!(allows, text.contains("\"Allow\""));
        }
    }
}
