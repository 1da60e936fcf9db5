//! Condition operators, keys and quantifiers.

use policy::{Action, Attributes, Context, Resource, Thing};

use crate::{decide, document, policies};

/// Whether `condition` holds in `context`.
fn holds(condition: &str, context: &Context<'_>) -> bool {
    let json = document(&format!(
        r#"{{"Effect":"Allow","Action":"iot:*","Resource":"*","Condition":{{{condition}}}}}"#
    ));
    decide(&policies(&[&json]), Action::Connect, Resource::Client("c"), context).is_allowed()
}

/// Checks each condition against one context.
fn check(context: &Context<'_>, cases: &[(&str, bool)]) {
    for (condition, expected) in cases {
        assert_eq!(holds(condition, context), *expected, "{condition}");
    }
}

#[test]
fn texts_compare_exactly_or_by_wildcard() {
    let context = Context { topic: Some("Commands/a*"), ..Context::default() };
    check(
        &context,
        &[
            (r#""StringEquals":{"iot:Topic":"Commands/a*"}"#, true),
            (r#""StringEquals":{"iot:topic":["x","Commands/a*"]}"#, true),
            (r#""StringEquals":{"iot:Topic":"Commands/*"}"#, false),
            (r#""StringEquals":{"iot:Topic":"commands/a*"}"#, false),
            (r#""StringEqualsIgnoreCase":{"iot:Topic":"cOMMANDS/A*"}"#, true),
            (r#""StringNotEqualsIgnoreCase":{"iot:Topic":"cOMMANDS/A*"}"#, false),
            (r#""StringNotEquals":{"iot:Topic":["x","y"]}"#, true),
            (r#""StringNotEquals":{"iot:Topic":["x","Commands/a*"]}"#, false),
            (r#""StringLike":{"iot:Topic":"Commands/*"}"#, true),
            (r#""StringLike":{"iot:Topic":"Commands/a${*}"}"#, true),
            (r#""StringLike":{"iot:Topic":"Commands/?${*}"}"#, true),
            (r#""StringNotLike":{"iot:Topic":"C*"}"#, false),
            (r#""StringLike":{"iot:Topic":"C*"},"StringEquals":{"iot:Topic":"x"}"#, false),
            (r#""StringLike":{"iot:Topic":"C*","iot:ClientId":"x"}"#, false),
        ],
    );
}

#[test]
fn an_absent_key_fails_unless_negated_or_if_exists() {
    check(
        &Context::default(),
        &[
            (r#""StringEquals":{"iot:Topic":"a"}"#, false),
            (r#""StringEqualsIfExists":{"iot:Topic":"a"}"#, true),
            (r#""StringNotEquals":{"iot:Topic":"a"}"#, true),
            (r#""ArnNotLike":{"iot:LastWillTopic":"*"}"#, true),
            (r#""Bool":{"aws:SecureTransport":"false"}"#, false),
            (r#""IpAddress":{"aws:SourceIp":"0.0.0.0/0"}"#, false),
            (r#""NotIpAddress":{"aws:SourceIp":"0.0.0.0/0"}"#, true),
            (r#""NumericLessThan":{"aws:EpochTime":"1"}"#, false),
            (r#""DateLessThan":{"aws:CurrentTime":"2030"}"#, false),
            (r#""Null":{"iot:Topic":"true"}"#, true),
            (r#""Null":{"iot:Topic":false}"#, false),
            (r#""ForAllValues:StringEquals":{"iot:ConnectAttributes":"x"}"#, true),
            (r#""ForAnyValue:StringEquals":{"iot:ConnectAttributes":"x"}"#, false),
            (r#""ForAnyValue:StringNotEquals":{"iot:ConnectAttributes":"x"}"#, false),
            (r#""StringEquals":{"aws:PrincipalOrgID":"o-1"}"#, false),
        ],
    );
    let present = Context { topic: Some("b"), ..Context::default() };
    check(
        &present,
        &[
            (r#""StringEqualsIfExists":{"iot:Topic":"a"}"#, false),
            (r#""Null":{"iot:Topic":"true"}"#, false),
            (r#""Null":{"iot:Topic":"false"}"#, true),
        ],
    );
}

#[test]
fn values_may_hold_variables() {
    let certificate: Attributes =
        [("Subject.CommonName".to_owned(), vec!["dev-1".to_owned(), "two".to_owned()])]
            .into_iter()
            .collect();
    let context = Context {
        topic: Some("devices/dev-1/reboot"),
        certificate: Some(&certificate),
        principal_id: Some("AIDA"),
        ..Context::default()
    };
    let name = "${iot:Certificate.Subject.CommonName}";
    let cases = [
        (format!(r#""StringLike":{{"iot:Topic":"devices/{name}/*"}}"#), true),
        (format!(r#""StringLike":{{"iot:Topic":"device/{name}/*"}}"#), false),
        (format!(r#""StringEquals":{{"iot:Topic":"devices/{name}/reboot"}}"#), true),
        (r#""StringEquals":{"aws:userid":"${aws:username}"}"#.to_owned(), true),
    ];
    for (condition, expected) in &cases {
        assert_eq!(holds(condition, &context), *expected, "{condition}");
    }
    check(
        &context,
        &[
            (r#""StringEquals":{"iot:Certificate.Subject.CommonName":"dev-1"}"#, true),
            (r#""StringEquals":{"iot:Certificate.Subject.CommonName.1":"two"}"#, true),
            (
                r#""ForAnyValue:StringEquals":{"iot:Certificate.Subject.CommonName.List":"two"}"#,
                true,
            ),
            (
                r#""ForAllValues:StringEquals":{"iot:Certificate.Subject.CommonName.List":"two"}"#,
                false,
            ),
        ],
    );
}

#[test]
fn a_missing_thing_fails_a_condition_and_its_negation() {
    let value = r#"{"iot:Topic":"${iot:Connection.Thing.ThingName}"}"#;
    let context = Context { topic: Some("lamp"), ..Context::default() };
    assert!(!holds(&format!(r#""StringEquals":{value}"#), &context));
    assert!(!holds(&format!(r#""StringNotEquals":{value}"#), &context));
    let thing = Thing { name: "lamp".to_owned(), attached: true, ..Thing::default() };
    let context = Context { thing: Some(&thing), ..context };
    assert!(holds(&format!(r#""StringEquals":{value}"#), &context));
    assert!(!holds(&format!(r#""StringNotEquals":{value}"#), &context));
    assert!(holds(r#""Bool":{"iot:Connection.Thing.IsAttached":["true"]}"#, &context));
}

#[test]
fn sets_are_judged_value_by_value() {
    let none: &[&str] = &[];
    let with = |connect_attributes| Context { connect_attributes, ..Context::default() };
    let cases = [
        ("ForAllValues:StringEquals", none, true),
        ("ForAllValues:StringEquals", &["PersistentConnect"], true),
        ("ForAllValues:StringEquals", &["PersistentConnect", "LastWill"], false),
        ("ForAnyValue:StringEquals", none, false),
        ("ForAnyValue:StringEquals", &["PersistentConnect", "LastWill"], true),
        ("ForAnyValue:StringEquals", &["LastWill"], false),
        ("ForAllValues:StringNotEquals", &["LastWill"], true),
        ("ForAllValues:StringNotEquals", &["LastWill", "PersistentConnect"], false),
        ("ForAnyValue:StringNotEquals", &["LastWill", "PersistentConnect"], true),
        ("StringEquals", &["LastWill", "PersistentConnect"], true),
        ("StringNotEquals", &["LastWill", "PersistentConnect"], false),
        ("StringNotEquals", &["LastWill"], true),
    ];
    for (operator, values, expected) in cases {
        let condition =
            format!(r#""{operator}":{{"iot:ConnectAttributes":["PersistentConnect"]}}"#);
        assert_eq!(holds(&condition, &with(Some(values))), expected, "{operator} {values:?}");
    }
    assert!(holds(r#""Null":{"iot:ConnectAttributes":"true"}"#, &with(Some(none))));
}

#[test]
fn arns_compare_field_by_field() {
    let context = Context { last_will_topic: Some("will/a:b"), ..Context::default() };
    check(
        &context,
        &[
            (
                r#""ArnEquals":{"iot:LastWillTopic":"arn:aws:iot:us-west-2:123456789012:topic/will/a:b"}"#,
                true,
            ),
            (r#""ArnLike":{"iot:LastWillTopic":"arn:aws:iot:*:*:topic/will/*"}"#, true),
            (r#""ArnEquals":{"iot:LastWillTopic":"arn:aws:iot:*:*:topic/*"}"#, true),
            (r#""ArnEquals":{"iot:LastWillTopic":["*"]}"#, true),
            (r#""ArnNotEquals":{"iot:LastWillTopic":"arn:aws:iot:*:*:topic/*"}"#, false),
            (r#""ArnLike":{"iot:LastWillTopic":"arn:aws:iot:*:1:topic/*"}"#, false),
            (r#""StringLike":{"iot:LastWillTopic":"*:topic/will/*"}"#, true),
        ],
    );
}

#[test]
fn addresses_numbers_dates_and_booleans_compare_by_value() {
    let context = Context {
        source_ip: Some("::ffff:203.0.113.9".parse().unwrap()),
        secure_transport: Some(true),
        epoch_seconds: Some(1_777_593_600), // 2026-05-01T00:00:00Z
        include_socket_information: Some(false),
        domain_name: Some("iot.example.com"),
        ..Context::default()
    };
    check(
        &context,
        &[
            (r#""IpAddress":{"aws:SourceIp":["198.51.100.0/24","203.0.113.0/24"]}"#, true),
            (r#""NotIpAddress":{"aws:SourceIp":"203.0.113.9"}"#, false),
            (r#""IpAddress":{"aws:SourceIp":"2001:db8::/32"}"#, false),
            (r#""StringLike":{"aws:SourceIp":"203.0.113.*"}"#, true),
            (r#""Bool":{"aws:SecureTransport":true}"#, true),
            (r#""Bool":{"iot:IncludeSocketInformation":"True"}"#, false),
            (r#""NumericEquals":{"aws:EpochTime":1777593600}"#, true),
            (r#""NumericNotEquals":{"aws:EpochTime":[1, 1777593600.0]}"#, false),
            (r#""NumericLessThan":{"aws:EpochTime":"1777593600"}"#, false),
            (r#""NumericLessThanEquals":{"aws:EpochTime":"1777593600"}"#, true),
            (r#""NumericGreaterThan":{"aws:EpochTime":"1e3"}"#, true),
            (r#""NumericGreaterThanEquals":{"iot:DomainName":"1"}"#, false),
            (r#""DateEquals":{"aws:CurrentTime":"2026-05-01"}"#, true),
            (r#""DateGreaterThan":{"aws:CurrentTime":"2026-05-01T00:00:00Z"}"#, false),
            (r#""DateGreaterThanEquals":{"aws:EpochTime":"2026-05-01T02:00:00+02:00"}"#, true),
            (r#""DateLessThan":{"aws:CurrentTime":1777593601}"#, true),
            (r#""StringEquals":{"aws:CurrentTime":"2026-05-01T00:00:00Z"}"#, true),
            (r#""StringLike":{"iot:DomainName":"*.example.com"}"#, true),
        ],
    );
}
