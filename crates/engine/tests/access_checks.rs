//! Who may do what: the questions that the broker asks of policies.

use std::net::SocketAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use engine::Moment;
use engine::access::{Access, Peer};
use engine::directory::{Directory, Grants, Principal, PrincipalKind, Status};
use engine::question::Question;
use mqtt::{ClientId, Properties, QoS, TopicFilter, TopicName, Will};
use policy::{Document, PolicySet, Scope, Thing};

const ARN: &str = "arn:aws:iot:us-west-2:123456789012";

fn access() -> Access {
    Access::new(Scope::new("us-west-2", "123456789012"), 1_700_000_000, Arc::default())
}

fn grants(statements: &str, status: Status) -> Grants {
    let json = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
    let document = Document::parse(&json).expect("a policy");
    Grants {
        status,
        policies: PolicySet::new(vec![("p".to_owned(), Arc::new(document))]),
        things: Vec::new(),
        exclusive_thing: None,
    }
}

fn allow(action: &str, resource: &str) -> String {
    format!(r#"{{"Effect":"Allow","Action":"{action}","Resource":"{ARN}:{resource}"}}"#)
}

fn peer(statements: &[String]) -> Peer {
    let grants = grants(&statements.join(","), Status::Active);
    let none = std::iter::empty::<(String, Vec<String>)>();
    Peer {
        principal: Principal::new("id", PrincipalKind::Certificate, none.collect(), grants),
        source: SocketAddr::from(([192, 0, 2, 1], 40_000)),
        secure: true,
        client_id: Some(id("lamp")),
        thing: None,
    }
}

fn id(text: &str) -> ClientId {
    ClientId::parse(text).expect("valid")
}

fn topic(text: &str) -> TopicName<'_> {
    TopicName::parse(text).expect("valid")
}

fn will(text: &str, retain: bool) -> Will<'_> {
    let (topic, properties) = (topic(text), Properties::EMPTY);
    Will { qos: QoS::AtMostOnce, retain, topic, payload: b"", properties }
}

#[test]
fn what_no_statement_allows_is_denied() {
    let (access, now, nobody) = (access(), Moment::START, peer(&[allow("iot:GetConnection", "*")]));
    assert!(access.connect(&nobody, None, false, now).is_err());
    assert!(access.send_direct(&nobody, &id("lamp"), topic("a"), now).is_err());
    assert!(access.publish(&nobody, topic("a"), false, now).is_err());
    assert!(access.receive(&nobody, topic("a"), now).is_err());
    let filter = TopicFilter::parse("a/#").expect("valid");
    assert!(access.subscribe(&nobody, filter, now).is_err());
}

#[test]
fn each_action_is_asked_on_its_own_kind_of_resource() {
    let (access, now) = (access(), Moment::START);
    let peer = peer(&[
        allow("iot:Connect", "client/lamp"),
        allow("iot:Receive", "topic/in/*"),
        allow("iot:Publish", "topic/out/*"),
        allow("iot:Subscribe", "topicfilter/in/#"),
        allow("iot:SendDirectMessage", "client/other"),
        allow("iot:GetRetainedMessage", "topic/kept/*"),
    ]);
    assert!(access.connect(&peer, None, false, now).is_ok());
    assert!(access.receive(&peer, topic("in/a"), now).is_ok());
    assert!(access.receive(&peer, topic("out/a"), now).is_err());
    assert!(access.publish(&peer, topic("out/a"), false, now).is_ok());
    assert!(access.publish(&peer, topic("in/a"), false, now).is_err());
    assert!(access.subscribe(&peer, TopicFilter::parse("in/#").expect("valid"), now).is_ok());
    assert!(access.subscribe(&peer, TopicFilter::parse("in/a").expect("valid"), now).is_err());
    assert!(access.send_direct(&peer, &id("other"), topic("a"), now).is_ok());
    assert!(access.send_direct(&peer, &id("lamp"), topic("a"), now).is_err());
    assert!(access.get_retained(&peer, topic("kept/a"), now).is_ok());
    assert!(access.get_retained(&peer, topic("in/a"), now).is_err());
}

/// The list has every topic, so a statement about some of them does not grant it.
#[test]
fn listing_retained_messages_takes_a_statement_about_everything() {
    let (access, now) = (access(), Moment::START);
    let some = peer(&[allow("iot:ListRetainedMessages", "topic/*")]);
    assert!(access.list_retained(&some, now).is_err());
    let statement = r#"{"Effect":"Allow","Action":"iot:ListRetainedMessages","Resource":"*"}"#;
    assert!(access.list_retained(&peer(&[statement.to_owned()]), now).is_ok());
}

#[test]
fn a_sender_may_be_bound_to_topics() {
    let (access, now) = (access(), Moment::START);
    let sender = peer(&[format!(
        r#"{{"Effect":"Allow","Action":"iot:SendDirectMessage","Resource":"{ARN}:client/lamp",
            "Condition":{{"StringEquals":{{"iot:Topic":["commands/reboot","commands/update"]}}}}}}"#
    )]);
    assert!(access.send_direct(&sender, &id("lamp"), topic("commands/reboot"), now).is_ok());
    assert!(access.send_direct(&sender, &id("lamp"), topic("commands/other"), now).is_err());
}

#[test]
fn the_addresses_of_a_socket_take_a_permission_of_their_own() {
    let (access, now) = (access(), Moment::START);
    let onlooker = peer(&[format!(
        r#"{{"Effect":"Allow","Action":"iot:GetConnection","Resource":"{ARN}:client/lamp",
            "Condition":{{"Bool":{{"iot:IncludeSocketInformation":"false"}}}}}}"#
    )]);
    let permit = access.get_connection(&onlooker, &id("lamp"), false, now).expect("allowed");
    assert!(!permit.includes_socket_information());
    assert!(access.get_connection(&onlooker, &id("lamp"), true, now).is_err());
    assert!(access.get_connection(&onlooker, &id("door"), false, now).is_err());
    let anybody = peer(&[allow("iot:GetConnection", "client/*")]);
    let permit = access.get_connection(&anybody, &id("door"), true, now).expect("allowed");
    assert!(permit.includes_socket_information());
}

#[test]
fn each_operation_on_a_client_is_granted_alone() {
    let (access, now, lamp) = (access(), Moment::START, id("lamp"));
    let granted = |action: &str| {
        let peer = peer(&[allow(action, "client/lamp")]);
        [
            access.get_connection(&peer, &lamp, false, now).is_ok(),
            access.delete_connection(&peer, &lamp, now).is_ok(),
            access.list_subscriptions(&peer, &lamp, now).is_ok(),
        ]
    };
    assert_eq!(granted("iot:GetConnection"), [true, false, false]);
    assert_eq!(granted("iot:DeleteConnection"), [false, true, false]);
    assert_eq!(granted("iot:ListSubscriptions"), [false, false, true]);
}

#[test]
fn a_will_needs_the_permission_to_publish_it() {
    let (access, now) = (access(), Moment::START);
    let connect = allow("iot:Connect", "client/*");
    let silent = peer(std::slice::from_ref(&connect));
    assert!(access.connect(&silent, None, false, now).is_ok());
    assert!(access.connect(&silent, Some(&will("gone", false)), false, now).is_err());
    let speaking = peer(&[connect.clone(), allow("iot:Publish", "topic/gone")]);
    assert!(access.connect(&speaking, Some(&will("gone", false)), false, now).is_ok());
    assert!(access.connect(&speaking, Some(&will("else", false)), false, now).is_err());
    assert!(access.connect(&speaking, Some(&will("gone", true)), false, now).is_err());
    let publish = allow("iot:Publish", "topic/gone");
    let retaining = peer(&[connect, publish, allow("iot:RetainPublish", "topic/gone")]);
    assert!(access.connect(&retaining, Some(&will("gone", true)), false, now).is_ok());
}

#[test]
fn persistence_and_wills_can_be_conditions_of_connecting() {
    let (access, now) = (access(), Moment::START);
    let deny = |attribute: &str| {
        format!(
            r#"{{"Effect":"Deny","Action":"iot:Connect","Resource":"*","Condition":
                {{"ForAnyValue:StringEquals":{{"iot:ConnectAttributes":["{attribute}"]}}}}}}"#
        )
    };
    let all = [allow("iot:Connect", "client/*"), allow("iot:Publish", "topic/*")];
    let fleeting = peer(&[&all[..], &[deny("PersistentConnect")]].concat());
    assert!(access.connect(&fleeting, None, false, now).is_ok());
    assert!(access.connect(&fleeting, None, true, now).is_err());
    let quiet = peer(&[&all[..], &[deny("LastWill")]].concat());
    assert!(access.connect(&quiet, None, true, now).is_ok());
    assert!(access.connect(&quiet, Some(&will("gone", false)), true, now).is_err());
}

#[test]
fn a_principal_that_is_not_active_may_do_nothing_and_a_change_counts_at_once() {
    let (access, now) = (access(), Moment::START);
    let receive = allow("iot:Receive", "topic/*");
    let device = peer(std::slice::from_ref(&receive));
    assert!(access.receive(&device, topic("a"), now).is_ok());
    for status in [Status::Inactive, Status::Revoked] {
        device.principal.grants.store(Arc::new(grants(&receive, status)));
        assert!(access.receive(&device, topic("a"), now).is_err());
    }
    device.principal.grants.store(Arc::new(grants(&receive, Status::Active)));
    assert!(access.receive(&device, topic("a"), now).is_ok());
}

#[test]
fn variables_and_the_clock_come_from_the_connection() {
    let access = access();
    let own = allow("iot:Publish", "topic/devices/${iot:ClientId}");
    let until = r#"{"Effect":"Deny","Action":"iot:*","Resource":"*","Condition":
        {"DateGreaterThan":{"aws:EpochTime":"1700000060"}}}"#;
    let device = peer(&[own, until.to_owned()]);
    let early = Moment::from_micros(60_000_000);
    let late = Moment::from_micros(61_000_000);
    assert_eq!(access.epoch_seconds(late), 1_700_000_061);
    assert!(access.publish(&device, topic("devices/lamp"), false, early).is_ok());
    assert!(access.publish(&device, topic("devices/other"), false, early).is_err());
    assert!(access.publish(&device, topic("devices/lamp"), false, late).is_err());
}

#[test]
fn policies_know_the_thing_of_a_connection_as_it_is_now() {
    let directory = Arc::new(ArcSwap::from_pointee(Directory::default()));
    let scope = Scope::new("us-west-2", "123456789012");
    let (access, now) = (Access::new(scope, 0, Arc::clone(&directory)), Moment::START);
    let statements = [
        allow("iot:Publish", "topic/${iot:Connection.Thing.Attributes[room]}"),
        r#"{"Effect":"Deny","Action":"iot:Publish","Resource":"*","Condition":
            {"Bool":{"iot:connection.thing.isAttached":"false"}}}"#
            .to_owned(),
    ];
    let device = peer(&statements);
    let may_publish = |text| access.publish(&device, topic(text), false, now).is_ok();
    let move_to = |room: &str| {
        let attributes = [("room".to_owned(), room.to_owned())].into();
        let name = "lamp".to_owned();
        let lamp = Thing { name: name.clone(), type_name: None, attributes, attached: true };
        let mut there = Directory::default();
        there.things.insert_mut(name, Arc::new(lamp));
        directory.store(Arc::new(there));
    };
    let attach_to = |things: Vec<String>| {
        let now = grants(&statements.join(","), Status::Active);
        device.principal.grants.store(Arc::new(Grants { things, ..now }));
    };
    assert!(!may_publish("hall"), "there is no thing");
    move_to("hall");
    assert!(!may_publish("hall"), "it is not attached");
    attach_to(vec!["lamp".to_owned()]);
    assert!(may_publish("hall") && !may_publish("desk"));
    move_to("desk");
    assert!(may_publish("desk") && !may_publish("hall"));
    attach_to(Vec::new());
    assert!(!may_publish("desk"));
}

#[test]
fn a_shared_subscription_is_granted_by_its_whole_text_or_its_filter_and_denied_by_either() {
    let (access, now) = (access(), Moment::START);
    let may = |statements: &[String]| {
        let filter = TopicFilter::parse("$share/g/a/+").expect("a filter");
        access.subscribe(&peer(statements), filter, now).is_ok()
    };
    let (whole, inner) = ("topicfilter/$share/g/a/+", "topicfilter/a/+");
    let deny = |resource| allow("iot:Subscribe", resource).replace("Allow", "Deny");
    assert!(may(&[allow("iot:Subscribe", whole)]));
    assert!(may(&[allow("iot:Subscribe", inner)]));
    assert!(!may(&[allow("iot:Subscribe", "topicfilter/b/+")]));
    assert!(!may(&[allow("iot:Subscribe", whole), deny(inner)]));
    assert!(!may(&[allow("iot:Subscribe", inner), deny(whole)]));
}

#[test]
fn why_is_told_to_whom_the_resource_of_the_question_grants_it() {
    let (access, now) = (access(), Moment::START);
    let sender = peer(&[
        allow("iot:*", "*"),
        allow("tenfour:Explain", "client/lamp"),
        allow("tenfour:Explain", "topic/in"),
    ]);
    let may = |question| access.may_explain(&question, now);
    let (lamp, fan, a) = (id("lamp"), id("fan"), topic("a"));
    assert!(may(Question::send_direct(&sender, &lamp, a)));
    assert!(!may(Question::send_direct(&sender, &fan, a)));
    assert!(may(Question::publish(&sender, topic("in"))));
    assert!(!may(Question::publish(&sender, topic("out"))));
}

#[test]
fn an_explanation_and_the_decision_agree() {
    let (access, now) = (access(), Moment::START);
    let device = peer(&[
        allow("iot:Receive", "topic/*"),
        format!(
            r#"{{"Sid":"Quiet","Effect":"Deny","Action":"iot:Receive","Resource":"{ARN}:topic/out"}}"#
        ),
    ]);
    let told = |text| {
        access.explain(&Question::receive(&device, topic(text)), now, |told| {
            assert_eq!(told.is_allowed(), access.receive(&device, topic(text), now).is_ok());
            told.explanation.to_string()
        })
    };
    assert!(told("in").contains("is allowed by statement 0 of policy \"p\""));
    assert!(told("out").contains("is denied by statement 1 (\"Quiet\") of policy \"p\""));
    device.principal.grants.store(Arc::new(grants(&allow("*", "*"), Status::Revoked)));
    told("in");
}
