//! What a refused sender is told of policies, and what a dry run tells.

use http_body_util::{BodyExt, Collected};
use serde_json::{Value, json};

use crate::fixture::{EVERYTHING, Fixture};

const ARN: &str = "arn:aws:iot:us-west-2:123456789012";
const EXPLAIN: &str = r#"{"Effect":"Allow","Action":"tenfour:Explain","Resource":"*"}"#;
const SEND: &str = "/connections/lamp/messages?topic=cmd/x";
const DENY: &str = r#"{"Sid":"Not the lamp","Effect":"Deny","Action":"iot:SendDirectMessage",
    "Resource":"arn:aws:iot:*:*:client/lamp"}"#;

#[tokio::test]
async fn a_refusal_says_nothing_of_policies_to_whom_it_is_not_granted() {
    let fixture = Fixture::new();
    for statements in [DENY.to_owned(), format!("{EVERYTHING},{DENY}")] {
        let answer = fixture.ask_as(&statements, "POST", SEND, b"").await;
        assert_eq!(answer.reason(), "SENDER_AUTHORIZATION_FAILURE");
        let members: Vec<_> = answer.body.as_object().expect("an object").keys().collect();
        assert_eq!(
            members,
            ["delivery", "message", "reason", "traceId"],
            "as AWS has it, and ours"
        );
    }
}

#[tokio::test]
async fn an_explicit_deny_is_named_with_the_question() {
    let fixture = Fixture::new();
    let statements = format!("{EVERYTHING},{EXPLAIN},{DENY}");
    let answer = fixture.ask_as(&statements, "POST", SEND, b"").await;
    assert_eq!((answer.status.as_u16(), answer.reason()), (403, "SENDER_AUTHORIZATION_FAILURE"));
    let told = &answer.body["explanation"];
    assert_eq!(told["decision"], "explicitDeny");
    assert_eq!(told["principalId"], "AIDAEXAMPLE");
    assert_eq!(told["action"], "iot:SendDirectMessage");
    assert_eq!(told["resource"], format!("{ARN}:client/lamp"));
    assert_eq!(told["context"]["iot:Topic"], "cmd/x");
    assert_eq!(
        told["statement"],
        json!({"policy": "p", "index": 2, "sid": "Not the lamp", "line": 1})
    );
}

#[tokio::test]
async fn one_of_many_is_explained_as_a_message_to_one() {
    let fixture = Fixture::new();
    let body = br#"{"clientIds":["lamp"],"topic":"cmd/x"}"#;
    for (statements, explained) in
        [(format!("{EVERYTHING},{EXPLAIN},{DENY}"), true), (DENY.to_owned(), false)]
    {
        let answer = fixture.exchange(&statements, "POST", "/direct-messages", body).await;
        let Ok(body) = answer.into_body().collect().await.map(Collected::to_bytes);
        let line = body.split(|byte| *byte == b'\n').next().expect("a line");
        let line: Value = serde_json::from_slice(line).expect("JSON");
        assert_eq!(line["reason"], "SENDER_AUTHORIZATION_FAILURE");
        assert_eq!(line.get("explanation").is_some(), explained);
        if explained {
            let single = fixture.ask_as(&statements, "POST", SEND, b"").await;
            assert_eq!(line["explanation"], single.body["explanation"]);
        }
    }
}

#[tokio::test]
async fn what_no_statement_allows_is_told_with_the_nearest() {
    let fixture = Fixture::new();
    let near = format!(
        r#"{{"Effect":"Allow","Action":"iot:SendDirectMessage","Resource":"{ARN}:client/lamp",
            "Condition":{{"StringEquals":{{"iot:Topic":"cmd/y"}}}}}}"#
    );
    let answer = fixture.ask_as(&format!("{EXPLAIN},{near}"), "POST", SEND, b"").await;
    let told = &answer.body["explanation"];
    assert_eq!((&told["decision"], &told["statement"]), (&json!("implicitDeny"), &json!(null)));
    assert_eq!(told["nearest"]["index"], 1);
    let failure = told["nearest"]["failures"][0].as_str().expect("a sentence");
    assert!(failure.contains(r#"iot:Topic "cmd/y" fails: the request has "cmd/x""#), "{failure}");
}

#[tokio::test]
async fn the_permission_counts_for_its_resource() {
    let fixture = Fixture::new();
    let other =
        format!(r#"{{"Effect":"Allow","Action":"tenfour:Explain","Resource":"{ARN}:client/fan"}}"#);
    let answer = fixture.ask_as(&other, "POST", SEND, b"").await;
    assert_eq!(answer.body.get("explanation"), None);
    let fan = "/connections/fan/messages?topic=cmd/x";
    let answer = fixture.ask_as(&other, "POST", fan, b"").await;
    assert_eq!(answer.body["explanation"]["decision"], "implicitDeny");
}

#[tokio::test]
async fn other_operations_explain_their_refusals_too() {
    let fixture = Fixture::new();
    let publish = r#"{"Effect":"Allow","Action":"iot:Publish","Resource":"*"}"#;
    let cases = [
        ("POST", "/topics/a", EXPLAIN.to_owned(), "iot:Publish"),
        (
            "POST",
            "/topics/a?qos=1&retain=true",
            format!("{EXPLAIN},{publish}"),
            "iot:RetainPublish",
        ),
        ("GET", "/retainedMessage/a", EXPLAIN.to_owned(), "iot:GetRetainedMessage"),
        ("GET", "/retainedMessage", EXPLAIN.to_owned(), "iot:ListRetainedMessages"),
    ];
    for (method, uri, statements, action) in cases {
        let answer = fixture.ask_as(&statements, method, uri, b"").await;
        assert_eq!(answer.reason(), "AUTHORIZATION_FAILURE", "{uri}");
        assert_eq!(answer.body["explanation"]["action"], action, "{uri}");
        let without = statements.replace("tenfour:Explain", "iot:Connect");
        let answer = fixture.ask_as(&without, method, uri, b"").await;
        assert_eq!(answer.reason(), "AUTHORIZATION_FAILURE", "{uri}");
        assert_eq!(answer.body.get("explanation"), None, "{uri}");
    }
}
