//! Documents that are refused, and what their author is told.

use policy::Document;

/// Path, line and column of each mistake of `json`.
fn mistakes(json: &str) -> Vec<(String, usize, usize)> {
    let errors = Document::parse(json).expect_err(json);
    errors.into_iter().map(|error| (error.path, error.line, error.column)).collect()
}

/// A good statement but for `member`, which stands in line 2 from column 1.
fn with(member: &str) -> String {
    let good = [("Effect", "\"Allow\""), ("Action", "\"iot:*\""), ("Resource", "\"*\"")];
    let rest = good.iter().filter(|(name, _)| !member.contains(&format!("{name}\":")));
    let rest: Vec<String> = rest.map(|(name, value)| format!("\"{name}\":{value}")).collect();
    let rest = rest.join(",");
    format!("{{\"Version\":\"2012-10-17\",\"Statement\":[{{\n{member},\n{rest}}}]}}")
}

#[test]
fn each_mistake_is_placed_and_explained() {
    // Member, path below `Statement[0]`, column in line 2, a part of the message.
    let cases = [
        (r#""Effect":"allow""#, ".Effect", 10, "use \"Allow\" or \"Deny\""),
        (r#""Effect":1"#, ".Effect", 10, "must be a string, is a number"),
        (r#""Sid":null"#, ".Sid", 7, "must be a string, is null"),
        (r#""Action":[]"#, ".Action", 10, "at least one"),
        (r#""Action":"Publish""#, ".Action", 10, "`iot:Publish`"),
        (r#""Action":["iot:*",{}]"#, ".Action[1]", 19, "is an object"),
        (r#""Action":"iot:${x}""#, ".Action", 10, "not an action"),
        (r#""Resource":"topic/a""#, ".Resource", 12, "not an ARN"),
        (r#""Resource":["*","arn:aws:iot:x"]"#, ".Resource[1]", 17, "lacks a field"),
        (r#""Resource":"arn:aws:iot:*:*:topic/${x""#, ".Resource", 12, "${$}"),
        (r#""Principal":"*""#, ".Principal", 1, "remove it"),
        (r#""NotPrincipal":{}"#, ".NotPrincipal", 1, "remove it"),
        (r#""effect":"Allow""#, ".effect", 1, "did you mean `Effect`"),
        (r#""Remark":"x""#, ".Remark", 1, "allowed here are Sid, Effect"),
        (r#""Condition":[]"#, ".Condition", 13, "must be an object"),
        (r#""Condition":{"Like":{}}"#, ".Condition.Like", 14, "unknown operator"),
        (r#""Condition":{"Bool":true}"#, ".Condition.Bool", 21, "must be an object"),
        (r#""Condition":{"Bool":{"Topic":"true"}}"#, ".Condition.Bool.Topic", 22, "iot:Topic"),
        (r#""Condition":{"Bool":{"a:b":"yes"}}"#, ".Condition.Bool.a:b", 28, "\"false\""),
        (r#""Condition":{"Bool":{"a:b":[]}}"#, ".Condition.Bool.a:b", 28, "at least one"),
        (r#""Condition":{"Bool":{"a:b":[true,null]}}"#, ".Condition.Bool.a:b[1]", 34, "is null"),
        (r#""Condition":{"IpAddress":{"a:b":"10/8"}}"#, ".Condition.IpAddress.a:b", 33, "range"),
        (r#""Condition":{"DateEquals":{"a:b":"soon"}}"#, ".Condition.DateEquals.a:b", 34, "date"),
        (r#""Condition":{"ArnLike":{"a:b":"x"}}"#, ".Condition.ArnLike.a:b", 31, "not an ARN"),
        (
            r#""Condition":{"NumericEquals":{"a:b":"NaN"}}"#,
            ".Condition.NumericEquals.a:b",
            37,
            "not a number",
        ),
        (
            r#""Condition":{"StringLike":{"iot:Connection.Thing.Attributes[a]":"x"}}"#,
            ".Condition.StringLike.iot:Connection.Thing.Attributes[a]",
            28,
            "cannot be a condition key",
        ),
    ];
    for (member, path, column, message) in cases {
        let errors = Document::parse(&with(member)).expect_err(member);
        let [error] = errors.as_slice() else { panic!("{member}: more than one: {errors}") };
        assert_eq!(error.path, format!("Statement[0]{path}"), "{member}");
        assert_eq!((error.line, error.column), (2, column), "{member}: {error}");
        assert!(error.message.contains(message), "{member}: {error}");
    }
}

#[test]
fn missing_and_contradicting_elements_are_told_at_the_statement() {
    assert_eq!(mistakes("{}"), [(String::new(), 1, 1)]);
    assert_eq!(mistakes("[]"), [(String::new(), 1, 1)]);
    assert_eq!(mistakes(r#"{"Statement":[]}"#), [("Statement".to_owned(), 1, 14)]);
    let statement = |statement: &str| mistakes(&format!("{{\"Statement\":\n{statement}}}"));
    let here = ("Statement".to_owned(), 2, 1);
    assert_eq!(statement("{}"), [here.clone(), here.clone(), here.clone()]);
    assert_eq!(statement("7"), std::slice::from_ref(&here));
    let both = r#"{"Effect":"Deny","Action":"*","NotAction":"*","Resource":"*"}"#;
    assert_eq!(statement(both), [here]);
}

#[test]
fn every_mistake_is_reported_in_document_order() {
    let json = r#"{
  "Version": "2013-01-01",
  "Statment": [],
  "Statement": [
    { "Effect": "Maybe", "Action": "iot:*", "Resource": "x" },
    { "Effect": "Allow", "Action": "iot:*", "Resource": "*", "Effect": "Deny" },
    { "Effect": "Allow", "Resource": "*", "Condition": { "Bool": {
        "aws:SecureTransport": ["maybe", "perhaps"] } } }
  ]
}"#;
    let expected = [
        ("Version", 2, 14),
        ("Statment", 3, 3),
        ("Statement[0].Effect", 5, 17),
        ("Statement[0].Resource", 5, 57),
        ("Statement[1].Effect", 6, 62),
        ("Statement[2]", 7, 5),
        ("Statement[2].Condition.Bool.aws:SecureTransport[0]", 8, 33),
        ("Statement[2].Condition.Bool.aws:SecureTransport[1]", 8, 42),
    ];
    let expected = expected.map(|(path, line, column)| (path.to_owned(), line, column));
    assert_eq!(mistakes(json), expected);
    let errors = Document::parse(json).expect_err("it is full of mistakes");
    let text = errors.to_string();
    assert_eq!(text.lines().count(), 8);
    let first = "line 2, column 14: Version: `2013-01-01` is not a policy version; use \
                 \"2012-10-17\"";
    assert_eq!(text.lines().next(), Some(first));
}

#[test]
fn sids_are_unique() {
    let statement = r#"{"Sid":"a","Effect":"Allow","Action":"*","Resource":"*"}"#;
    let json = format!("{{\"Statement\":[{statement},\n{statement}]}}");
    assert_eq!(mistakes(&json), [("Statement[1]".to_owned(), 2, 1)]);
}

#[test]
fn variables_need_the_version_that_has_them() {
    let statement = r#"{"Effect":"Allow","Action":"*",
        "Resource":"arn:aws:iot:*:*:topic/${iot:ClientId}"}"#;
    let old = format!("{{\"Version\":\"2008-10-17\",\"Statement\":{statement}}}");
    assert_eq!(mistakes(&old), [("Statement.Resource".to_owned(), 2, 20)]);
    let unnamed = format!("{{\"Statement\":{statement}}}");
    assert_eq!(mistakes(&unnamed), [("Statement.Resource".to_owned(), 2, 20)]);
    let current = format!("{{\"Statement\":{statement},\"Version\":\"2012-10-17\"}}");
    assert!(Document::parse(&current).is_ok(), "wherever the version stands");
}

#[test]
fn what_is_not_json_is_refused_where_it_stops_being_json() {
    assert_eq!(mistakes("{\n  \"Statement\": [\n  }"), [(String::new(), 3, 3)]);
    assert_eq!(mistakes(""), [(String::new(), 1, 1)]);
}

#[test]
fn size_and_depth_are_bounded() {
    let padded = |length: usize| {
        let json = r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
        format!("{json}{}", " ".repeat(length - json.len()))
    };
    assert!(Document::parse(&padded(64 * 1024)).is_ok());
    let errors = Document::parse(&padded(64 * 1024 + 1)).expect_err("too long");
    assert!(errors.to_string().contains("65536 bytes"), "{errors}");
    let deep = format!("{{\"Statement\":{}", "[".repeat(60_000));
    let errors = Document::parse(&deep).expect_err("too deep");
    assert!(errors.to_string().contains("nested deeper"), "{errors}");
}
