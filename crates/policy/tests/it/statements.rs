//! Effects, negated elements, and the shapes a document may take.

use policy::{Action, Context, Decision, Document, Effect, PolicySet, Resource, Thing};

use crate::{decide, document, policies};

const ARN: &str = "arn:aws:iot:us-west-2:123456789012";

fn publish<'p>(policies: &'p PolicySet, topic: &str) -> Decision<'p> {
    decide(policies, Action::Publish, Resource::Topic(topic), &Context::default())
}

#[test]
fn nothing_is_allowed_by_default() {
    assert_eq!(publish(&PolicySet::default(), "a"), Decision::ImplicitDeny);
    let elsewhere = document(r#"{"Effect":"Allow","Action":"s3:*","Resource":"*"}"#);
    assert_eq!(publish(&policies(&[&elsewhere]), "a"), Decision::ImplicitDeny);
    let deny = document(r#"{"Effect":"Deny","Action":"iot:Connect","Resource":"*"}"#);
    assert_eq!(publish(&policies(&[&deny]), "a"), Decision::ImplicitDeny);
}

#[test]
fn the_open_set_allows_everything() {
    let open = PolicySet::allow_all();
    for action in Action::ALL {
        for resource in [Resource::Any, Resource::Client("c"), Resource::Topic("$aws/things/x")] {
            let decision = decide(&open, action, resource, &Context::default());
            let Decision::Allowed(by) = decision else { panic!("{action} on {resource:?}") };
            assert_eq!(by.policy, "open");
        }
    }
}

#[test]
fn a_denial_in_any_document_wins_and_is_named() {
    let allow = document(r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#);
    let deny = "{ \"Version\": \"2012-10-17\", \"Statement\": [\n\
        {\"Effect\":\"Allow\",\"Action\":\"iot:Publish\",\"Resource\":\"*\"},\n\
        {\"Sid\":\"no\",\"Effect\":\"Deny\",\"Action\":\"iot:pub*\",\
         \"Resource\":\"arn:aws:iot:*:*:topic/secret*\"}]}";
    let policies = policies(&[&allow, deny]);
    let Decision::ExplicitDeny(by) = publish(&policies, "secret/x") else { panic!("not denied") };
    assert_eq!((by.policy, by.index, by.sid, by.line), ("p1", 1, Some("no"), 3));
    let Decision::Allowed(by) = publish(&policies, "public") else { panic!("not allowed") };
    assert_eq!((by.policy, by.index, by.sid, by.line), ("p0", 0, None, 1));
}

#[test]
fn negated_elements_cover_what_is_not_listed() {
    let json = document(&format!(
        r#"{{"Effect":"Allow","NotAction":["iot:Subscribe","iot:Connect"],
            "NotResource":["{ARN}:topic/private/*","{ARN}:client/*"]}}"#
    ));
    let policies = policies(&[&json]);
    let may = |action, resource| decide(&policies, action, resource, &Context::default());
    assert!(may(Action::Publish, Resource::Topic("a")).is_allowed());
    assert!(may(Action::ListRetainedMessages, Resource::Any).is_allowed());
    assert!(!may(Action::Publish, Resource::Topic("private/a")).is_allowed());
    assert!(!may(Action::GetConnection, Resource::Client("a")).is_allowed());
    assert!(!may(Action::Subscribe, Resource::TopicFilter("a")).is_allowed());
}

#[test]
fn an_exception_that_needs_a_missing_thing_grants_nothing() {
    let json = document(&format!(
        r#"{{"Effect":"Allow","Action":"iot:*",
            "NotResource":"{ARN}:topic/${{iot:Connection.Thing.ThingName}}/private"}}"#
    ));
    let policies = policies(&[&json]);
    assert_eq!(publish(&policies, "anything"), Decision::ImplicitDeny);
    let thing = Thing { name: "lamp".to_owned(), ..Thing::default() };
    let context = Context { thing: Some(&thing), ..Context::default() };
    let may = |topic| decide(&policies, Action::Publish, Resource::Topic(topic), &context);
    assert!(may("anything").is_allowed());
    assert!(!may("lamp/private").is_allowed());
}

#[test]
fn one_value_may_stand_without_its_array_and_other_services_are_skipped() {
    let json = format!(
        r#"{{"Id":"x","Statement":{{"Sid":"","Effect":"Allow",
            "Action":["iot:CreateJob","sqs:SendMessage","iot:Publish"],
            "Resource":["arn:aws:sqs:us-west-2:1:queue","{ARN}:topic/a"],"Condition":{{}}}}}}"#
    );
    let document = Document::parse(&json).unwrap();
    let [statement] = document.statements() else { panic!("one statement") };
    assert_eq!(statement.effect(), Effect::Allow);
    assert_eq!(statement.actions().collect::<Vec<_>>(), [Action::Publish]);
    assert!(publish(&policies(&[&json]), "a").is_allowed());
}

#[test]
fn a_documented_filter_grants_that_filter_and_nothing_it_matches() {
    let json = document(&format!(
        r#"{{"Effect":"Allow","Action":"iot:Subscribe",
            "Resource":"{ARN}:topicfilter/department/+/employees"}}"#
    ));
    let policies = policies(&[&json]);
    let may = |filter| {
        let filter = Resource::TopicFilter(filter);
        decide(&policies, Action::Subscribe, filter, &Context::default()).is_allowed()
    };
    assert!(may("department/+/employees"));
    assert!(!may("department/x/employees"));
}

#[test]
fn documents_are_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Document>();
    shared::<PolicySet>();
}

#[test]
fn it_is_known_of_policies_whether_they_ask_for_the_thing() {
    let asks = |rest: &str| {
        let action = r#""Effect": "Allow", "Action": "iot:Publish""#;
        policies(&[&document(&format!("{{ {action}, {rest} }}"))]).asks_of_thing()
    };
    let topic = "arn:aws:iot:us-west-2:123456789012:topic";
    assert!(asks(&format!(r#""Resource": "{topic}/${{iot:Connection.Thing.ThingName}}""#)));
    assert!(asks(&format!(
        r#""NotResource": ["*", "{topic}/${{IOT:connection.thing.Attributes[a]}}"]"#
    )));
    assert!(asks(
        r#""Resource": "*", "Condition": {"Bool": {"iot:Connection.Thing.isattached": true}}"#
    ));
    assert!(asks(
        r#""Resource": "*",
        "Condition": {"StringEquals": {"iot:ClientId": "${iot:Connection.Thing.ThingTypeName}"}}"#
    ));
    assert!(!asks(&format!(r#""Resource": "{topic}/${{iot:ClientId}}/thing""#)));
    assert!(!PolicySet::allow_all().asks_of_thing());
}
