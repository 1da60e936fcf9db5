//! What people are told about a decision.

use policy::{Action, Context, Decision, Failure, PolicySet, Request, Resource, Thing};

use crate::{document, policies, scope};

const SENDER: &str = r#"
    {"Effect":"Allow","Action":"iot:Connect","Resource":"*"},
    {"Sid":"Send","Effect":"Allow","Action":"iot:SendDirectMessage",
     "Resource":"arn:aws:iot:us-west-2:123456789012:client/lamp",
     "Condition":{"StringEquals":{"iot:Topic":["a","b"]}}}"#;

fn explain(policies: &PolicySet, resource: Resource<'_>, topic: Option<&str>) -> String {
    let context = Context { topic, ..Context::default() };
    let action = Action::SendDirectMessage;
    let request = Request { action, resource, scope: &scope(), context: &context };
    policies.explain(&request).to_string()
}

#[test]
fn a_denial_names_the_condition_that_failed_and_both_values() {
    let policies = policies(&[&document(SENDER)]);
    assert_eq!(
        explain(&policies, Resource::Client("lamp"), Some("c")),
        "iot:SendDirectMessage on arn:aws:iot:us-west-2:123456789012:client/lamp is denied: no \
         statement allows it; nearest is statement 1 (\"Send\") of policy \"p0\", line 3, but \
         its condition StringEquals iot:Topic [\"a\", \"b\"] fails: the request has \"c\""
    );
    assert!(
        explain(&policies, Resource::Client("lamp"), None)
            .ends_with("fails: the request has no such value")
    );
}

#[test]
fn a_denial_names_the_resource_that_is_not_covered() {
    let policies = policies(&[&document(SENDER)]);
    let text = explain(&policies, Resource::Client("fan"), Some("a"));
    let expected = "its Resource \"arn:aws:iot:us-west-2:123456789012:client/lamp\" does not \
                    cover arn:aws:iot:us-west-2:123456789012:client/fan";
    assert!(text.ends_with(expected), "{text}");
}

#[test]
fn the_nearest_statement_fails_the_fewest_parts() {
    let json = document(
        r#"{"Effect":"Allow","Action":"iot:Publish","Resource":"arn:aws:iot:*:*:topic/a"},
           {"Effect":"Allow","Action":["iot:Send*"],"Resource":"arn:aws:iot:*:*:client/x",
            "Condition":{"Bool":{"aws:SecureTransport":"true"}}},
           {"Effect":"Allow","NotAction":"iot:*","Resource":"*"}"#,
    );
    let policies = policies(&[&json]);
    let context = Context::default();
    let request = Request {
        action: Action::SendDirectMessage,
        resource: Resource::Client("y"),
        scope: &scope(),
        context: &context,
    };
    let explanation = policies.explain(&request);
    assert_eq!(explanation.decision, Decision::ImplicitDeny);
    let nearest = explanation.nearest.expect("there are statements");
    assert_eq!(nearest.statement.index, 2);
    assert_eq!(
        nearest.failures,
        [Failure::Action {
            expected: vec!["iot:*".to_owned()],
            negated: true,
            actual: Action::SendDirectMessage
        }]
    );
}

#[test]
fn a_key_nobody_has_is_called_unknown() {
    let json = document(
        r#"{"Effect":"Allow","Action":"*","Resource":"*",
            "Condition":{"StringEquals":{"iot:Topik":"a"}}}"#,
    );
    let text = explain(&policies(&[&json]), Resource::Client("c"), Some("a"));
    assert!(text.ends_with("fails: no request has a key of this name"), "{text}");
}

#[test]
fn allowing_and_denying_statements_are_named() {
    let json = document(
        r#"{"Effect":"Allow","Action":"*","Resource":"*"},
           {"Sid":"Not x","Effect":"Deny","Action":"*","Resource":"arn:aws:iot:*:*:client/x"}"#,
    );
    let policies = policies(&[&json]);
    let allowed = explain(&policies, Resource::Client("y"), None);
    assert!(allowed.ends_with("is allowed by statement 0 of policy \"p0\", line 1"), "{allowed}");
    let denied = explain(&policies, Resource::Client("x"), None);
    let expected = "is denied by statement 1 (\"Not x\") of policy \"p0\", line 2";
    assert!(denied.ends_with(expected), "{denied}");
}

#[test]
fn a_principal_without_grants_is_told_so() {
    let nothing = explain(&PolicySet::default(), Resource::Client("c"), None);
    assert!(nothing.ends_with("is denied: no policy is attached"), "{nothing}");
    let deny = document(r#"{"Effect":"Deny","Action":"iot:Publish","Resource":"*"}"#);
    let only_denials = explain(&policies(&[&deny]), Resource::Client("c"), None);
    assert!(only_denials.ends_with("no statement allows anything"), "{only_denials}");
}

#[test]
fn an_explanation_tells_what_variables_and_conditions_saw() {
    let policies = policies(&[&document(SENDER)]);
    let thing = Thing {
        name: "lamp-thing".to_owned(),
        attributes: [("room".to_owned(), "hall".to_owned())].into(),
        ..Thing::default()
    };
    let context = Context {
        source_ip: Some([192, 0, 2, 1].into()),
        client_id: Some("lamp"),
        topic: Some("a"),
        thing: Some(&thing),
        ..Context::default()
    };
    let request = Request {
        action: Action::SendDirectMessage,
        resource: Resource::Client("lamp"),
        scope: &scope(),
        context: &context,
    };
    let told = policies.explain(&request).context;
    let told: Vec<_> = told.iter().map(|(key, values)| (key.as_str(), values.join(","))).collect();
    let expected = [
        ("aws:SourceIp", "192.0.2.1"),
        ("iot:ClientId", "lamp"),
        ("iot:Topic", "a"),
        ("iot:Connection.Thing.ThingName", "lamp-thing"),
        ("iot:Connection.Thing.IsAttached", "false"),
        ("iot:Connection.Thing.Attributes[room]", "hall"),
    ];
    assert_eq!(told, expected.map(|(key, value)| (key, value.to_owned())));
}

/// It is ours, and so the policies of AWS's world do not speak of it unless they say "everything".
#[test]
fn to_be_told_why_is_granted_by_its_name_or_by_everything() {
    let decide = |action: &str| {
        let statement = format!(r#"{{"Effect":"Allow","Action":"{action}","Resource":"*"}}"#);
        let policies = policies(&[&document(&statement)]);
        let request = Request {
            action: Action::Explain,
            resource: Resource::Client("lamp"),
            scope: &scope(),
            context: &Context::default(),
        };
        policies.evaluate(&request).is_allowed()
    };
    for action in ["tenfour:Explain", "tenfour:*", "TENFOUR:explain", "*"] {
        assert!(decide(action), "{action}");
    }
    for action in ["iot:*", "iot:Explain", "iot:SendDirectMessage", "s3:*", "*:*Publish"] {
        assert!(!decide(action), "{action}");
    }
}

#[test]
fn values_that_are_asked_for_and_not_given_are_named() {
    let json = document(
        r#"{"Effect":"Allow","Action":"iot:Publish",
            "Resource":"arn:aws:iot:*:*:topic/${iot:Connection.Thing.ThingName}/${iot:ClientId}"},
           {"Effect":"Deny","Action":"iot:Publish","Resource":"*",
            "Condition":{"StringEquals":{"aws:userid":"${iot:Certificate.Subject.CommonName}"},
                         "IpAddress":{"AWS:SourceIp":"10.0.0.0/8"},
                         "Bool":{"our:OwnKey":"true"}}},
           {"Effect":"Allow","Action":"iot:Publish",
            "Resource":"arn:aws:iot:*:*:topic/${iot:DomainName, 'nowhere'}/${*}"},
           {"Effect":"Allow","Action":"iot:Connect","Resource":"*",
            "Condition":{"Null":{"iot:LastWillTopic":"true"}}}"#,
    );
    let policies = policies(&[&json]);
    let scope = scope();
    let missing = |context: &Context<'_>| {
        policies.missing_values(Action::Publish, &scope, context).into_iter().collect::<Vec<_>>()
    };
    assert_eq!(
        missing(&Context::default()),
        [
            "AWS:SourceIp",
            "aws:userid",
            "iot:Certificate.Subject.CommonName",
            "iot:ClientId",
            "iot:Connection.Thing.ThingName",
        ]
    );
    let context = Context {
        client_id: Some("lamp"),
        principal_id: Some("AIDA"),
        source_ip: Some([10, 0, 0, 1].into()),
        ..Context::default()
    };
    assert_eq!(
        missing(&context),
        ["iot:Certificate.Subject.CommonName", "iot:Connection.Thing.ThingName"]
    );
}
