//! The exact entry of each event.

use std::net::SocketAddr;
use std::time::Duration;

use engine::close::CloseReason;
use engine::outcome::{DirectOutcome, Invalid};
use mqtt::{QoS, ReasonCode, Version};
use serde_json::json;
use telemetry::event::{
    AuthenticationType, AuthnError, ClientOperation, Connect, ControlRequest, DeleteConnection,
    DirectMessage, DirectMessageDryRun, Disconnect, Filters, GetConnection, GetRetainedMessage,
    GetThingShadow, HttpPublish, ListRetainedMessage, ListSubscriptions, Protocol, PublishIn,
    PublishOut, Refusal, RegistryReload, Sender, Server, ShadowRequest, Subscribe, Unsubscribe,
    UpdateThingShadow,
};
use telemetry::{FailureClass, Quota, Verdict};

use crate::capture::{ACCOUNT, TRACE, captured, direct, entry, source, trace_id};

const DENIED: Verdict<'static> = Verdict::Failure {
    class: FailureClass::AuthError,
    code: Some(ReasonCode::NotAuthorized),
    details: "No statement allows it.",
};

fn connect(outcome: Verdict<'_>) -> Connect<'_> {
    Connect {
        trace_id: trace_id(),
        client_id: "myDevice",
        principal_id: "abc",
        source: source(),
        version: Version::V5,
        outcome,
        thing_name: Some("myThing"),
        keep_alive: 60,
        session_expiry: 3_600,
        clean_session: true,
        epoch: Some(4),
    }
}

fn disconnect(reason: CloseReason) -> Disconnect<'static> {
    Disconnect {
        trace_id: trace_id(),
        client_id: "myDevice",
        principal_id: "abc",
        source: source(),
        reason,
        details: None,
        epoch: 4,
    }
}

fn publish_in(outcome: Verdict<'_>) -> PublishIn<'_> {
    PublishIn {
        trace_id: trace_id(),
        client_id: "myDevice",
        principal_id: "abc",
        source: source(),
        topic: "telemetry/t",
        retain: false,
        bytes: 9,
        outcome,
    }
}

#[test]
fn a_confirmed_direct_message_tells_its_times() {
    let outcome = DirectOutcome::Acknowledged;
    let event = DirectMessage {
        confirmation: true,
        timeout_seconds: Some(5),
        repeats: None,
        truth: None,
        delivery: Some(Duration::from_micros(412)),
        ack: Some(Duration::from_micros(12_500)),
        connection_epoch: Some(3),
        ..direct(&outcome)
    };
    let expected = json!({
        "logLevel": "INFO", "traceId": TRACE, "accountId": ACCOUNT, "status": "Success",
        "eventType": "SendDirectMessage", "protocol": "HTTP", "clientId": "myDevice",
        "principalId": "AIDAEXAMPLE", "sourceIp": "192.0.2.7", "sourcePort": 40123,
        "topicName": "commands/reboot", "confirmation": true, "timeout": 5,
        "deliveryMs": 0.412, "ackMs": 12.5, "connectionEpoch": 3,
    });
    assert_eq!(entry(&event), expected);
}

#[test]
fn a_refused_direct_message_tells_the_reason() {
    let outcome = DirectOutcome::ReceiverRejected(ReasonCode::QuotaExceeded);
    let expected = json!({
        "logLevel": "ERROR", "traceId": TRACE, "accountId": ACCOUNT, "status": "Failure",
        "eventType": "SendDirectMessage", "protocol": "HTTP", "clientId": "myDevice",
        "principalId": "AIDAEXAMPLE", "sourceIp": "192.0.2.7", "sourcePort": 40123,
        "topicName": "commands/reboot", "confirmation": false,
        "reason": "RECEIVER_REJECTED", "details": outcome.details(), "mqttReasonCode": 0x97,
    });
    assert_eq!(entry(&direct(&outcome)), expected);
}

#[test]
fn a_dry_run_is_marked_and_has_a_type_of_its_own() {
    let outcome = DirectOutcome::TargetNotConnected;
    let DirectMessage { trace_id, client_id, principal_id, source, topic, .. } = direct(&outcome);
    let event = DirectMessageDryRun {
        trace_id,
        client_id,
        principal_id,
        source,
        topic,
        confirmation: true,
        timeout_seconds: Some(5),
        outcome: &outcome,
        connection_epoch: None,
    };
    let expected = json!({
        "logLevel": "ERROR", "traceId": TRACE, "accountId": ACCOUNT, "status": "Failure",
        "eventType": "SendDirectMessageDryRun", "protocol": "HTTP", "clientId": "myDevice",
        "principalId": "AIDAEXAMPLE", "sourceIp": "192.0.2.7", "sourcePort": 40123,
        "dryRun": true, "topicName": "commands/reboot", "confirmation": true, "timeout": 5,
        "reason": "TARGET_CLIENT_NOT_CONNECTED", "details": outcome.details(),
    });
    assert_eq!(entry(&event), expected);
}

#[test]
fn a_direct_message_without_a_topic_has_no_topic_name() {
    let outcome = DirectOutcome::Invalid(Invalid::Topic("The topic is missing.".into()));
    let entry = entry(&DirectMessage { topic: "", ..direct(&outcome) });
    assert_eq!(entry.get("topicName"), None);
    assert_eq!(entry["reason"], "INVALID_TOPIC");
    assert_eq!(entry["details"], "The topic is missing.");
    assert_eq!(entry.get("mqttReasonCode"), None);
}

#[test]
fn an_accepted_connect_tells_what_is_in_force() {
    let expected = json!({
        "logLevel": "INFO", "traceId": TRACE, "accountId": ACCOUNT, "status": "Success",
        "eventType": "Connect", "protocol": "MQTT", "clientId": "myDevice", "principalId": "abc",
        "sourceIp": "192.0.2.7", "sourcePort": 40123, "mqttVersion": "5.0",
        "thingName": "myThing", "keepAliveDuration": 60, "sessionExpiry": 3600,
        "cleanSession": true, "connectionEpoch": 4,
    });
    assert_eq!(entry(&connect(Verdict::Success)), expected);
}

#[test]
fn a_refused_connect_is_an_error() {
    let event =
        Connect { thing_name: None, epoch: None, version: Version::V311, ..connect(DENIED) };
    let expected = json!({
        "logLevel": "ERROR", "traceId": TRACE, "accountId": ACCOUNT, "status": "Failure",
        "eventType": "Connect", "protocol": "MQTT", "clientId": "myDevice", "principalId": "abc",
        "sourceIp": "192.0.2.7", "sourcePort": 40123, "mqttVersion": "3.1.1",
        "reason": "AUTHORIZATION_FAILURE", "details": "No statement allows it.",
        "mqttReasonCode": 0x87, "keepAliveDuration": 60, "sessionExpiry": 3600,
        "cleanSession": true,
    });
    assert_eq!(entry(&event), expected);
}

#[test]
fn the_classes_of_failure_have_their_reasons() {
    let reason = |class| {
        let verdict = Verdict::Failure { class, code: None, details: "x" };
        entry(&connect(verdict))["reason"].as_str().map(str::to_owned)
    };
    assert_eq!(reason(FailureClass::ClientError).as_deref(), Some("CLIENT_ERROR"));
    assert_eq!(reason(FailureClass::ServerError).as_deref(), Some("INTERNAL_SERVER_ERROR"));
    let throttled = FailureClass::Throttle(Quota::Connects);
    assert_eq!(reason(throttled).as_deref(), Some("THROTTLED"));
    let throttled = FailureClass::Throttle(Quota::ConnectsPerClient);
    assert_eq!(reason(throttled).as_deref(), Some("CLIENT_ID_THROTTLED"));
}

#[test]
fn a_taken_over_connection_ends_in_good_order() {
    let event = Disconnect {
        details: Some("The client ID connected anew."),
        ..disconnect(CloseReason::TakenOver)
    };
    let expected = json!({
        "logLevel": "INFO", "traceId": TRACE, "accountId": ACCOUNT, "status": "Success",
        "eventType": "Disconnect", "protocol": "MQTT", "clientId": "myDevice",
        "principalId": "abc", "sourceIp": "192.0.2.7", "sourcePort": 40123,
        "disconnectReason": "DUPLICATE_CLIENTID", "details": "The client ID connected anew.",
        "connectionEpoch": 4,
    });
    assert_eq!(entry(&event), expected);
}

#[test]
fn a_connection_ended_by_a_broken_rule_is_an_error() {
    let entry = entry(&disconnect(CloseReason::ClientError(ReasonCode::ProtocolError)));
    assert_eq!(entry["logLevel"], "ERROR");
    assert_eq!(entry["status"], "Failure");
    assert_eq!(entry["reason"], "CLIENT_ERROR");
    assert_eq!(entry["disconnectReason"], "CLIENT_ERROR");
    assert_eq!(entry["mqttReasonCode"], 0x82);
}

#[test]
fn a_failed_authentication_tells_both_ends() {
    let target: SocketAddr = "[::ffff:127.0.0.1]:8883".parse().unwrap();
    let event = AuthnError {
        trace_id: trace_id(),
        authentication_type: AuthenticationType::X509,
        protocol: Protocol::Mqtt,
        client_id: None,
        principal_id: Some("abc"),
        source: source(),
        target,
        server_name: Some("iot.example"),
        reason: "DEVICE_CERTIFICATE_REVOKED",
        details: "The certificate is revoked.",
    };
    let expected = json!({
        "logLevel": "ERROR", "traceId": TRACE, "accountId": ACCOUNT, "status": "Failure",
        "eventType": "Connection.AuthNError", "protocol": "MQTT",
        "authenticationType": "AWS_X509", "principalId": "abc", "sourceIp": "192.0.2.7",
        "sourcePort": 40123, "targetIp": "127.0.0.1", "targetPort": 8883,
        "serverNameIndication": "iot.example", "reason": "DEVICE_CERTIFICATE_REVOKED",
        "details": "The certificate is revoked.",
    });
    assert_eq!(entry(&event), expected);
    let event = AuthnError {
        authentication_type: AuthenticationType::SigV4,
        protocol: Protocol::Http,
        ..event
    };
    assert_eq!(entry(&event)["authenticationType"], "AWS_SIGV4");
    assert_eq!(entry(&event)["protocol"], "HTTP");
}

#[test]
fn a_publish_tells_retain_only_when_set() {
    let expected = json!({
        "logLevel": "INFO", "traceId": TRACE, "accountId": ACCOUNT, "status": "Success",
        "eventType": "Publish-In", "protocol": "MQTT", "clientId": "myDevice",
        "principalId": "abc", "sourceIp": "192.0.2.7", "sourcePort": 40123,
        "topicName": "telemetry/t",
    });
    let plain = publish_in(Verdict::Success);
    assert_eq!(entry(&plain), expected);
    assert_eq!(entry(&PublishIn { retain: true, ..plain })["retain"], "True");
    assert_eq!(entry(&publish_in(DENIED))["reason"], "AUTHORIZATION_FAILURE");
}

fn sender() -> Sender<'static> {
    Sender { trace_id: trace_id(), principal_id: "AIDAEXAMPLE", source: source() }
}

fn refused(class: FailureClass, reason: &'static str) -> Option<Refusal<'static>> {
    Some(Refusal { class, reason, details: "What is wrong." })
}

#[test]
fn a_publish_over_http_has_no_client_id() {
    let event = HttpPublish {
        sender: sender(),
        topic: "telemetry/t",
        retain: false,
        bytes: 9,
        refused: None,
    };
    let expected = json!({
        "logLevel": "INFO", "traceId": TRACE, "accountId": ACCOUNT, "status": "Success",
        "eventType": "Publish-In", "protocol": "HTTP", "principalId": "AIDAEXAMPLE",
        "sourceIp": "192.0.2.7", "sourcePort": 40123, "topicName": "telemetry/t",
    });
    assert_eq!(entry(&event), expected);
    assert_eq!(entry(&HttpPublish { retain: true, ..event })["retain"], "True");
}

#[test]
fn a_refused_publish_over_http_tells_the_words_of_its_answer() {
    let refused = refused(FailureClass::ClientError, "INVALID_TOPIC");
    let event = HttpPublish { sender: sender(), topic: "", retain: false, bytes: 9, refused };
    let expected = json!({
        "logLevel": "ERROR", "traceId": TRACE, "accountId": ACCOUNT, "status": "Failure",
        "eventType": "Publish-In", "protocol": "HTTP", "principalId": "AIDAEXAMPLE",
        "sourceIp": "192.0.2.7", "sourcePort": 40123,
        "reason": "INVALID_TOPIC", "details": "What is wrong.",
    });
    assert_eq!(entry(&event), expected);
}

#[test]
fn a_retained_message_that_was_read_tells_its_qos_and_date() {
    let found = Some((QoS::AtLeastOnce, 1_502_379_443_476));
    let event = GetRetainedMessage { sender: sender(), topic: "telemetry/t", found, refused: None };
    let expected = json!({
        "logLevel": "INFO", "traceId": TRACE, "accountId": ACCOUNT, "status": "Success",
        "eventType": "GetRetainedMessage", "protocol": "HTTP", "principalId": "AIDAEXAMPLE",
        "sourceIp": "192.0.2.7", "sourcePort": 40123, "topicName": "telemetry/t",
        "qos": "1", "lastModifiedDate": "2017-08-10 15:37:23.476",
    });
    assert_eq!(entry(&event), expected);
    let refused = refused(FailureClass::ClientError, "RETAINED_MESSAGE_NOT_FOUND");
    let entry = entry(&GetRetainedMessage { found: None, refused, ..event });
    assert_eq!((&entry["status"], &entry["topicName"]), (&json!("Failure"), &json!("telemetry/t")));
    assert_eq!(entry["reason"], "RETAINED_MESSAGE_NOT_FOUND");
    assert_eq!((entry.get("qos"), entry.get("lastModifiedDate")), (None, None));
}

#[test]
fn a_list_of_retained_messages_is_an_event_without_an_s() {
    let event = ListRetainedMessage { sender: sender(), refused: None };
    let expected = json!({
        "logLevel": "INFO", "traceId": TRACE, "accountId": ACCOUNT, "status": "Success",
        "eventType": "ListRetainedMessage", "protocol": "HTTP", "principalId": "AIDAEXAMPLE",
        "sourceIp": "192.0.2.7", "sourcePort": 40123,
    });
    assert_eq!(entry(&event), expected);
    let refused = refused(FailureClass::AuthError, "AUTHORIZATION_FAILURE");
    assert_eq!(entry(&ListRetainedMessage { refused, ..event })["reason"], "AUTHORIZATION_FAILURE");
}

#[test]
fn the_operations_on_a_client_name_it_and_the_sender() {
    let operation = ClientOperation { sender: sender(), client_id: "myDevice", refused: None };
    let expected = |event_type: &str| {
        json!({
            "logLevel": "INFO", "traceId": TRACE, "accountId": ACCOUNT, "status": "Success",
            "eventType": event_type, "protocol": "HTTP", "clientId": "myDevice",
            "principalId": "AIDAEXAMPLE", "sourceIp": "192.0.2.7", "sourcePort": 40123,
        })
    };
    assert_eq!(entry(&GetConnection(operation)), expected("GetConnection"));
    assert_eq!(entry(&DeleteConnection(operation)), expected("DeleteConnection"));
    let mut list = expected("ListSubscriptions");
    list["maxResults"] = 20.into();
    let event = ListSubscriptions { operation, max_results: Some(20) };
    assert_eq!(entry(&event), list);
    let refused = refused(FailureClass::ClientError, "CLIENT_ID_NOT_FOUND");
    let failed = entry(&GetConnection(ClientOperation { refused, ..operation }));
    assert_eq!((&failed["status"], &failed["logLevel"]), (&json!("Failure"), &json!("ERROR")));
    assert_eq!(failed["reason"], "CLIENT_ID_NOT_FOUND");
    let event = ListSubscriptions { operation, max_results: None };
    assert_eq!(entry(&event).get("maxResults"), None);
}

#[test]
fn a_request_to_a_shadow_names_it_and_its_topic() {
    let request = ShadowRequest {
        trace_id: trace_id(),
        protocol: Protocol::Mqtt,
        client_id: Some("lamp"),
        principal_id: "AIDAEXAMPLE",
        source: source(),
        shadow_name: "config",
        topic: "$aws/things/lamp/shadow/name/config/update",
        refused: None,
    };
    let expected = json!({
        "logLevel": "INFO", "traceId": trace_id().to_string(), "accountId": "123456789012",
        "status": "Success", "eventType": "UpdateThingShadow", "protocol": "MQTT",
        "clientId": "lamp", "principalId": "AIDAEXAMPLE", "sourceIp": source().ip().to_string(),
        "sourcePort": source().port(), "deviceShadowName": "config",
        "topicName": "$aws/things/lamp/shadow/name/config/update",
    });
    let mut written = entry(&UpdateThingShadow(request));
    written.as_object_mut().expect("an object").remove("timestamp");
    assert_eq!(written, expected);
    let refused = refused(FailureClass::ClientError, "SHADOW_NOT_FOUND");
    let (protocol, client_id, topic) = (Protocol::Http, None, "");
    let request = ShadowRequest { protocol, client_id, topic, refused, ..request };
    let entry = entry(&GetThingShadow(request));
    assert_eq!(
        (&entry["status"], &entry["reason"]),
        (&json!("Failure"), &json!("SHADOW_NOT_FOUND"))
    );
    assert_eq!((entry.get("clientId"), entry.get("topicName")), (None, None));
}

#[test]
fn a_publish_to_a_subscriber_names_the_subscriber() {
    let event = PublishOut {
        trace_id: trace_id(),
        client_id: "listener",
        principal_id: "def",
        source: source(),
        topic: "telemetry/t",
        bytes: 9,
        outcome: Verdict::Failure {
            class: FailureClass::Throttle(Quota::PublishesPerConnection),
            code: None,
            details: "Too many.",
        },
    };
    let expected = json!({
        "logLevel": "ERROR", "traceId": TRACE, "accountId": ACCOUNT, "status": "Failure",
        "eventType": "Publish-Out", "protocol": "MQTT", "clientId": "listener",
        "principalId": "def", "sourceIp": "192.0.2.7", "sourcePort": 40123,
        "topicName": "telemetry/t", "reason": "THROTTLED", "details": "Too many.",
    });
    assert_eq!(entry(&event), expected);
}

#[test]
fn subscriptions_are_listed_for_mqtt_5_only() {
    let filters = [("a/#", ReasonCode::GrantedQoS1), ("$x", ReasonCode::TopicFilterInvalid)];
    let event = |version| Subscribe {
        trace_id: trace_id(),
        client_id: "myDevice",
        principal_id: "abc",
        source: source(),
        filters: Filters::new(version, &filters),
        outcome: Verdict::Success,
    };
    let mut expected = json!({
        "logLevel": "INFO", "traceId": TRACE, "accountId": ACCOUNT, "status": "Success",
        "eventType": "Subscribe", "protocol": "MQTT", "clientId": "myDevice",
        "principalId": "abc", "sourceIp": "192.0.2.7", "sourcePort": 40123,
        "topicName": "a/#,$x",
    });
    assert_eq!(entry(&event(Version::V311)), expected);
    expected["subscriptions"] = json!([
        { "topicName": "a/#", "reasonCode": 1 },
        { "topicName": "$x", "reasonCode": 143 },
    ]);
    assert_eq!(entry(&event(Version::V5)), expected);
}

#[test]
fn an_unsubscribe_lists_its_filters() {
    let event = Unsubscribe {
        trace_id: trace_id(),
        client_id: "myDevice",
        principal_id: "abc",
        source: source(),
        filters: &["a", "b/+"],
        outcome: Verdict::Success,
    };
    let expected = json!({
        "logLevel": "INFO", "traceId": TRACE, "accountId": ACCOUNT, "status": "Success",
        "eventType": "Unsubscribe", "protocol": "MQTT", "clientId": "myDevice",
        "principalId": "abc", "sourceIp": "192.0.2.7", "sourcePort": 40123, "topicName": "a,b/+",
    });
    assert_eq!(entry(&event), expected);
}

#[test]
fn a_broken_registry_file_is_an_error_with_its_place() {
    let mut broken = entry(&RegistryReload::Broken { details: "policies/a.json:3: no Effect" });
    assert!(broken.as_object_mut().unwrap().remove("traceId").is_some());
    let expected = json!({
        "logLevel": "ERROR", "accountId": ACCOUNT, "status": "Failure",
        "eventType": "RegistryReload", "reason": "REGISTRY_BROKEN",
        "details": "policies/a.json:3: no Effect",
    });
    assert_eq!(broken, expected);
    let good = entry(&RegistryReload::TakenUp { details: "2 certificates" });
    assert_eq!(good["logLevel"], "INFO");
    assert_eq!(good["reason"], "REGISTRY_TAKEN_UP");
}

#[test]
fn the_process_tells_what_it_does() {
    let entry_of = |event: Server<'_>| {
        let mut entry = entry(&event);
        assert_eq!(entry["eventType"], "Server");
        let take = |value: &mut serde_json::Value| value.as_str().map(str::to_owned).unwrap();
        ["logLevel", "status", "reason", "details"].map(|name| take(&mut entry[name]))
    };
    assert_eq!(
        entry_of(Server::ListenerStarted { name: "mqtts", address: source() }),
        ["INFO", "Success", "LISTENER_STARTED", "Listener mqtts accepts on 192.0.2.7:40123."]
    );
    assert_eq!(
        entry_of(Server::AcceptFailed { name: "mqtt", cause: "too many open files" }),
        [
            "ERROR",
            "Failure",
            "ACCEPT_FAILED",
            "Listener mqtt could not accept a connection: too many open files."
        ]
    );
    assert_eq!(
        entry_of(Server::DrainStarted { connections: 7 }),
        ["INFO", "Success", "DRAIN_STARTED", "Draining; connections: 7."]
    );
    assert_eq!(entry_of(Server::DrainFinished { cut_off: 0 })[0], "INFO");
    assert_eq!(
        entry_of(Server::DrainFinished { cut_off: 2 }),
        ["WARN", "Success", "DRAIN_FINISHED", "Drained; connections cut off: 2."]
    );
}

#[test]
fn hostile_names_stay_in_their_member_and_on_their_line() {
    let hostile = "\",\"status\":\"Success\"}\n{\r\0\u{1b}]0;x\u{7}\u{85}\u{2028}\u{202e}\\";
    let outcome = DirectOutcome::SenderUnauthorized;
    let (telemetry, capture) = captured();
    let event = DirectMessage { client_id: hostile, topic: hostile, ..direct(&outcome) };
    telemetry.record(&event);
    assert!(telemetry.flush(crate::capture::PATIENCE));
    let text = capture.text();
    assert_eq!(text.matches('\n').count(), 1);
    assert!(text.trim_end_matches('\n').bytes().all(|b| (0x20..0x7F).contains(&b)), "{text}");
    let entries = capture.entries();
    assert_eq!(entries[0]["clientId"], hostile);
    assert_eq!(entries[0]["topicName"], hostile);
    assert_eq!(entries[0]["status"], "Failure");
}

#[test]
fn overlong_names_are_cut_between_characters() {
    let long = "é".repeat(40_000);
    let outcome = DirectOutcome::Invalid(Invalid::ClientId("Too long.".into()));
    let entry = entry(&DirectMessage { client_id: &long, ..direct(&outcome) });
    assert_eq!(entry["clientId"], format!("{}…", "é".repeat(1_024)));
    let kept = "x".repeat(2_048);
    let entry = crate::capture::entry(&DirectMessage { client_id: &kept, ..direct(&outcome) });
    assert_eq!(entry["clientId"], kept);
}

#[test]
fn overlong_lists_of_filters_are_cut() {
    let filter = "f".repeat(1_000);
    let filters = vec![(filter.as_str(), ReasonCode::GrantedQoS1); 5_000];
    let entry = entry(&Subscribe {
        trace_id: trace_id(),
        client_id: "myDevice",
        principal_id: "abc",
        source: source(),
        filters: Filters::new(Version::V5, &filters),
        outcome: Verdict::Success,
    });
    assert_eq!(entry["topicName"], format!("{filter},{filter}…"));
    assert_eq!(entry["subscriptions"].as_array().unwrap().len(), 64);
}

#[test]
fn a_request_to_the_control_plane_tells_what_was_asked_of_what() {
    let arn = "arn:aws:iot:us-west-2:123456789012:policy/p";
    let event =
        ControlRequest { sender: sender(), operation: "GetPolicy", resource: arn, refused: None };
    let expected = json!({
        "logLevel": "INFO", "traceId": TRACE, "accountId": ACCOUNT, "status": "Success",
        "eventType": "ControlPlane", "protocol": "HTTP", "principalId": "AIDAEXAMPLE",
        "sourceIp": "192.0.2.7", "sourcePort": 40123, "operation": "GetPolicy", "resource": arn,
    });
    assert_eq!(entry(&event), expected);
    let refused = refused(FailureClass::ClientError, "RESOURCE_NOT_FOUND");
    let failed = entry(&ControlRequest { refused, resource: "", ..event });
    assert_eq!(
        (&failed["logLevel"], &failed["reason"]),
        (&json!("ERROR"), &json!("RESOURCE_NOT_FOUND"))
    );
    assert_eq!(failed.get("resource"), None);
}
