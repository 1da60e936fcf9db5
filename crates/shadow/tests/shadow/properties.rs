//! What holds for all requests.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use shadow::{Content, Kind, Operation, Request};

use crate::{Sequence, payload, update};

/// Values of few names, so that updates meet each other; never null in an array.
fn value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        any::<bool>().prop_map(Value::from),
        (-3_i64..3).prop_map(Value::from),
        "[a-c\"\\\\é]{0,3}".prop_map(Value::from),
    ];
    let array = |inner| prop::collection::vec(inner, 0..3).prop_map(Value::from);
    let in_arrays = scalar.clone().prop_recursive(2, 8, 3, move |inner| {
        prop_oneof![array(inner.clone()), members(inner).prop_map(Value::from)]
    });
    let leaf = prop_oneof![scalar, in_arrays, Just(Value::Null)];
    leaf.prop_recursive(3, 24, 4, |inner| members(inner).prop_map(Value::from))
}

fn members(inner: impl Strategy<Value = Value>) -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::hash_map("[a-d]", inner, 0..4).prop_map(|map| map.into_iter().collect())
}

fn section() -> impl Strategy<Value = Option<Value>> {
    let named = prop_oneof![8 => members(value()).prop_map(Value::from), 1 => Just(Value::Null)];
    prop::option::weighted(0.8, named)
}

/// A request in JSON.
fn request() -> impl Strategy<Value = Value> {
    (section(), section()).prop_map(|(desired, reported)| {
        let sections = [("desired", desired), ("reported", reported)];
        let named = sections.into_iter().filter_map(|(name, section)| Some((name, section?)));
        json!({ "state": named.map(|(name, it)| (name.to_owned(), it)).collect::<Map<_, _>>() })
    })
}

/// RFC 7396, which is what AWS's rules come to.
fn merged(present: &mut Map<String, Value>, request: &Map<String, Value>) {
    for (name, value) in request {
        match value {
            Value::Null => {
                present.remove(name);
            }
            Value::Object(below) => {
                let own = present.entry(name).or_insert_with(|| json!({}));
                if !own.is_object() {
                    *own = json!({});
                }
                merged(own.as_object_mut().expect("made one"), below);
            }
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                present.insert(name.clone(), value.clone());
            }
        }
    }
}

fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(elements) => elements.iter().any(has_null),
        Value::Object(members) => members.values().any(has_null),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// Whether the metadata is the same tree as the state.
fn fits(state: &Value, metadata: &Value) -> bool {
    match (state, metadata) {
        (Value::Object(own), Value::Object(its)) => {
            own.len() == its.len()
                && own.iter().all(|(name, own)| its.get(name).is_some_and(|it| fits(own, it)))
        }
        (Value::Array(own), Value::Array(its)) => {
            own.len() == its.len() && own.iter().zip(its).all(|(own, its)| fits(own, its))
        }
        (_, Value::Object(leaf)) => leaf.len() == 1 && leaf["timestamp"].is_u64(),
        _ => false,
    }
}

fn state(shadow: &Sequence) -> Value {
    let Content::Document { state, .. } = &shadow.kept.content else { panic!("no document") };
    serde_json::from_str(state).expect("JSON")
}

proptest! {
    #[test]
    fn updates_come_to_what_the_rfc_says(requests in prop::collection::vec(request(), 1..6)) {
        let mut shadow = Sequence::default();
        let mut model = Map::new();
        for (at, request) in requests.iter().enumerate() {
            shadow.update(&request.to_string());
            merged(&mut model, request["state"].as_object().expect("an object"));
            // A section without members is not there.
            model.retain(|_, section| section != &json!({}));
            prop_assert_eq!(state(&shadow), Value::Object(model.clone()));
            prop_assert_eq!(shadow.kept.version, at as u64 + 1);
            let got = shadow.get();
            prop_assert!(!has_null(&got["state"]), "{}", got);
            for (section, state) in got["state"].as_object().expect("an object") {
                prop_assert!(fits(state, &got["metadata"][section]), "{}", got);
            }
        }
    }

    #[test]
    fn an_update_done_twice_is_an_update_done_once(first in request(), second in request()) {
        let mut shadow = Sequence::default();
        shadow.update(&first.to_string());
        shadow.update(&second.to_string());
        let once = state(&shadow);
        shadow.update(&second.to_string());
        prop_assert_eq!(state(&shadow), once);
    }

    #[test]
    fn a_delta_that_is_reported_is_none_any_more(first in request(), second in request()) {
        let mut shadow = Sequence::default();
        shadow.update(&first.to_string());
        let answers = shadow.update(&second.to_string());
        let told = payload(&answers, Kind::Delta);
        let delta = shadow.get()["state"].get("delta").cloned();
        prop_assert_eq!(told.map(|told| told["state"].clone()), delta.clone());
        let Some(delta) = delta else { return Ok(()) };
        let answers = shadow.update(&json!({"state": {"reported": delta}}).to_string());
        prop_assert_eq!(payload(&answers, Kind::Delta), None);
        let got = shadow.get();
        prop_assert_eq!(got["state"].get("delta"), None);
    }

    #[test]
    fn what_only_one_side_says_of_arrays_is_told_whole(
        own in prop::collection::vec(0..3_u8, 0..4), its in prop::collection::vec(0..3_u8, 0..4),
    ) {
        let mut shadow = Sequence::default();
        let text = json!({"state": {"desired": {"a": own}, "reported": {"a": its}}}).to_string();
        let told = payload(&shadow.update(&text), Kind::Delta);
        let expected = (own != its).then(|| json!({"a": own}));
        prop_assert_eq!(told.map(|told| told["state"].clone()), expected);
    }

    #[test]
    fn no_bytes_and_no_json_make_it_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        inside in "[\\[\\]{}\",:0-9a-z\\\\ nul.eE+-]{0,80}",
    ) {
        for operation in Operation::ALL {
            let _ = Request::parse(operation, &bytes);
            let text = format!(r#"{{"state":{{"desired":{{"a":{inside}}}}},"clientToken":"t"}}"#);
            if let Ok(request) = Request::parse(operation, text.as_bytes()) {
                let mut shadow = Sequence::default();
                shadow.update(r#"{"state":{"desired":{"a":{"b":[1]}},"reported":{"a":{"b":2}}}}"#);
                let _ = shadow.ask(&request);
            }
        }
    }
}

#[test]
fn what_is_kept_can_be_no_other_than_what_was_written() {
    let shadow = |state: &str, times: &str| shadow::Kept {
        version: 1,
        content: Content::Document { state: state.into(), times: times.into() },
    };
    assert_eq!(shadow("{}", "{}").check(), Ok(()));
    assert_eq!(shadow(r#"{"desired":{"a":1}}"#, r#"{"desired":{"a":5}}"#).check(), Ok(()));
    for (state, times) in [
        ("", "{}"),
        ("[]", "{}"),
        (r#"{"desired":{"a":1}}"#, "{}"),
        (r#"{"desired":{"a":1}}"#, r#"{"desired":{"b":5}}"#),
        (r#"{"desired":{"a":[1]}}"#, r#"{"desired":{"a":5}}"#),
        (r#"{"desired":{"a":[1]}}"#, r#"{"desired":{"a":[5,5]}}"#),
        (r#"{"desired":{"a":1}}"#, r#"{"desired":{"a":-5}}"#),
        (r#"{"desired":{"a":null}}"#, r#"{"desired":{"a":5}}"#),
        (r#"{"desired":1}"#, r#"{"desired":1}"#),
        (r#"{"other":{}}"#, r#"{"other":{}}"#),
    ] {
        assert!(shadow(state, times).check().is_err(), "{state} {times}");
    }
    let deep = format!(r#"{{"desired":{}"#, r#"{"a":"#.repeat(5_000));
    assert!(shadow(&deep, "{}").check().is_err());
    let request = update(r#"{"state":{}}"#);
    let broken = shadow("x", "x").handle(&crate::id(), &request, crate::NOW);
    assert_eq!(broken, Err(shadow::Fault::Internal));
}
