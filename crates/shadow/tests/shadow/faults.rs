//! Every way to be wrong, and what is said to it.

use shadow::{
    CLIENT_TOKEN_BYTES, Fault, Kind, LEVELS, Operation, REQUEST_BYTES, Request, STATE_BYTES,
    rejected,
};

use crate::{Sequence, payload};

fn fault(operation: Operation, payload: impl AsRef<[u8]>) -> Option<(u16, String)> {
    let rejected = Request::parse(operation, payload.as_ref()).err()?;
    Some((rejected.fault.code(), rejected.fault.to_string()))
}

fn of_update(payload: impl AsRef<[u8]>) -> Option<(u16, String)> {
    fault(Operation::Update, payload)
}

/// `desired` with that many objects in each other below it.
fn nested(levels: usize) -> String {
    let (open, close) = (r#"{"a":"#.repeat(levels), "}".repeat(levels));
    format!(r#"{{"state":{{"desired":{{"a":{open}1{close}}}}}}}"#)
}

#[test]
fn every_fault_has_the_words_and_the_code_of_aws() {
    let bad = |text: &str| Some((400, text.to_owned()));
    for invalid in
        ["", " ", "{", "[1]", "7", "{\"state\":{}}x", "{\"state\":{\"desired\":{\"a\":01}}}"]
    {
        assert_eq!(of_update(invalid), bad("Invalid JSON"), "{invalid}");
    }
    let half = r#"{"state":{"desired":{"a":"\ud800"}}}"#;
    assert_eq!(of_update(half), bad("Invalid JSON"));
    assert_eq!(of_update("{}"), bad("Missing required node: state"));
    for state in ["1", "[]", "\"x\"", "true"] {
        let text = format!("{{\"state\":{state}}}");
        assert_eq!(of_update(text), bad("State node must be an object"), "{state}");
        let text = format!("{{\"state\":{{\"desired\":{state}}}}}");
        assert_eq!(of_update(text), bad("Desired node must be an object"), "{state}");
        let text = format!("{{\"state\":{{\"reported\":{state}}}}}");
        assert_eq!(of_update(text), bad("Reported node must be an object"), "{state}");
    }
    for version in ["-1", "1.5", "\"1\"", "{}", "true", "1e2", "99999999999999999999"] {
        let text = format!("{{\"state\":{{}},\"version\":{version}}}");
        assert_eq!(of_update(text), bad("Invalid version"), "{version}");
    }
    let too_long = format!("\"{}\"", "é".repeat(CLIENT_TOKEN_BYTES / 2 + 1));
    for token in ["1", "[]", "{}", "false", &too_long] {
        let text = format!("{{\"state\":{{}},\"clientToken\":{token}}}");
        assert_eq!(of_update(text), bad("Invalid clientToken"), "{token}");
        let text = format!("{{\"clientToken\":{token}}}");
        assert_eq!(fault(Operation::Get, text), bad("Invalid clientToken"), "{token}");
    }
    for state in [
        r#"{"desired":{"a":[1,null]}}"#,
        r#"{"reported":{"a":[{"b":null}]}}"#,
        r#"{"desired":{},"delta":{}}"#,
        r#"{"other":1}"#,
    ] {
        let text = format!("{{\"state\":{state}}}");
        assert_eq!(of_update(text), bad("State contains an invalid node"), "{state}");
    }
    let encoding = "Unsupported documented encoding; supported encoding is UTF-8";
    for payload in [&b"{\"state\":\"\xFF\"}"[..], b"\xFF\xFE{\0}\0", b"{\0}\0", b"\0{\0}"] {
        assert_eq!(of_update(payload), Some((415, encoding.to_owned())), "{payload:?}");
        assert_eq!(fault(Operation::Get, payload), Some((415, encoding.to_owned())));
    }
}

#[test]
fn the_first_fault_in_the_order_of_the_table_counts() {
    let text = r#"{"state":{"desired":1,"reported":2},"version":"x","clientToken":1}"#;
    assert_eq!(of_update(text).expect("refused").1, "Desired node must be an object");
    let text = r#"{"state":{"desired":{"a":[null]}},"version":"x","clientToken":1}"#;
    assert_eq!(of_update(text).expect("refused").1, "Invalid version");
    let text = r#"{"state":{"desired":{"a":[null]}},"clientToken":1}"#;
    assert_eq!(of_update(text).expect("refused").1, "Invalid clientToken");
}

#[test]
fn unknown_members_beside_the_state_do_not_matter() {
    let text = r#"{"state":{},"metadata":{"desired":[null]},"timestamp":"x","version":null,
                   "clientToken":null}"#;
    assert_eq!(of_update(text), None);
}

#[test]
fn levels_are_objects_and_arrays_below_a_section() {
    let too_many = (400, "JSON contains too many levels of nesting; maximum is 6".to_owned());
    assert_eq!(of_update(nested(LEVELS)), None);
    assert_eq!(of_update(nested(LEVELS + 1)), Some(too_many.clone()));
    assert_eq!(of_update(nested(20_000 / 8)), Some(too_many.clone()));
    let arrays = |levels| {
        let (open, close) = ("[".repeat(levels), "]".repeat(levels));
        format!(r#"{{"state":{{"reported":{{"a":{open}{close}}}}}}}"#)
    };
    assert_eq!(of_update(arrays(LEVELS)), None);
    assert_eq!(of_update(arrays(30_000)), Some(too_many));
    // What is deep elsewhere is nobody's business, and no danger.
    let (open, close) = ("[".repeat(30_000), "]".repeat(30_000));
    assert_eq!(of_update(format!(r#"{{"state":{{}},"x":{open}{close}}}"#)), None);
    assert!(fault(Operation::Get, format!("{open}{close}")).is_some());
}

/// An update of so many bytes of state.
fn of_size(section: &str, bytes: usize) -> String {
    let around = format!("{{\"{section}\":{{\"a\":\"\"}}}}").len();
    let text = "x".repeat(bytes - around);
    format!("{{\"state\": {{\"{section}\" : {{ \"a\": \"{text}\"}} }} }}")
}

#[test]
fn the_state_has_room_for_8_kib_and_white_space_takes_none() {
    let mut shadow = Sequence::default();
    assert_eq!(of_update(of_size("desired", STATE_BYTES + 1)), Some((413, too_large())));
    shadow.update(&of_size("desired", STATE_BYTES));
    let before = shadow.kept.clone();
    let more = Request::parse(Operation::Update, br#"{"state":{"reported":{"b":1}}}"#);
    assert_eq!(shadow.ask(&more.expect("valid")), Err(Fault::TooLarge));
    assert_eq!(shadow.kept, before, "nothing of it was done");
    shadow.update(r#"{"state":{"desired":{"a":"short"},"reported":{"b":1}}}"#);
    let padded = |bytes| format!("{{\"state\":{{}}{}}}", " ".repeat(bytes));
    assert_eq!(of_update(padded(REQUEST_BYTES - 12)), None);
    assert_eq!(of_update(padded(REQUEST_BYTES)), Some((413, too_large())));
    assert_eq!(fault(Operation::Get, " ".repeat(REQUEST_BYTES + 1)), Some((413, too_large())));
}

fn too_large() -> String {
    "The payload exceeds the maximum size allowed".to_owned()
}

#[test]
fn a_rejection_tells_the_token_if_it_is_one() {
    let text = br#"{"state":7,"clientToken":"a\"b"}"#;
    let refused = Request::parse(Operation::Update, text).expect_err("no object");
    let token = refused.client_token.as_deref();
    assert_eq!(
        rejected(&refused.fault, token, 5),
        r#"{"code":400,"message":"State node must be an object","timestamp":5,"clientToken":"a\"b"}"#
    );
    let refused = Request::parse(Operation::Get, br#"{"clientToken":7}"#).expect_err("no text");
    let without = r#"{"code":400,"message":"Invalid clientToken","timestamp":5}"#;
    assert_eq!(rejected(&refused.fault, refused.client_token.as_deref(), 5), without);
    let nobody = Fault::NoShadow("it's".into());
    let text = r#"{"code":404,"message":"No shadow exists with name: 'it's'","timestamp":5}"#;
    assert_eq!(rejected(&nobody, None, 5), text);
    assert_eq!(payload(&[], Kind::Delta), None);
}
