//! A shadow and the requests that come to it, one after the other.

use serde_json::{Value, json};
use shadow::{Asked, Content, Fault, Kept, Kind, Operation, Request, VERSION_LIFE};

use crate::{NOW, id, payload, update};

#[derive(Default)]
pub(crate) struct Sequence {
    pub(crate) kept: Kept,
    /// Milliseconds after [`NOW`].
    pub(crate) later: u64,
}

impl Sequence {
    /// What is told after a request.
    pub(crate) fn ask(&mut self, request: &Request) -> Result<Vec<shadow::Answer>, Fault> {
        let done = self.kept.handle(&id(), request, NOW + self.later)?;
        if let Some(kept) = done.kept {
            assert_eq!(kept.check(), Ok(()));
            self.kept = kept;
        }
        Ok(done.answers)
    }

    pub(crate) fn update(&mut self, text: &str) -> Vec<shadow::Answer> {
        self.ask(&update(text)).expect("accepted")
    }

    pub(crate) fn get(&mut self) -> Value {
        let answers = self.ask(&Request::GET).expect("it exists");
        payload(&answers, Kind::Accepted(Operation::Get)).expect("told")
    }
}

#[test]
fn an_update_is_accepted_with_what_it_named() {
    let mut shadow = Sequence::default();
    let answers = shadow.update(
        r#"{"state":{"desired":{"on":true,"gone":null},"reported":null},"clientToken":"t","version":0}"#,
    );
    let told = payload(&answers, Kind::Accepted(Operation::Update));
    assert_eq!(
        told,
        Some(json!({
            "state": {"desired": {"on": true, "gone": null}, "reported": null},
            "metadata": {"desired": {"on": {"timestamp": 1_700_000_000}}},
            "version": 1, "timestamp": 1_700_000_000, "clientToken": "t",
        }))
    );
    let kinds: Vec<_> = answers.iter().map(|answer| answer.kind).collect();
    assert_eq!(kinds, [Kind::Accepted(Operation::Update), Kind::Delta, Kind::Documents]);
}

#[test]
fn delta_and_documents_tell_what_differs_and_what_changed() {
    let mut shadow = Sequence::default();
    shadow.update(r#"{"state":{"desired":{"a":{"x":1,"y":2},"b":[1,{"c":2}]}}}"#);
    shadow.later = 5_000;
    let answers = shadow.update(
        r#"{"state":{"reported":{"a":{"x":1.0,"z":3},"b":[1,{"c":3}],"only":0}},"clientToken":"u"}"#,
    );
    assert_eq!(
        payload(&answers, Kind::Delta),
        Some(json!({
            "version": 2, "timestamp": 1_700_000_005, "clientToken": "u",
            "state": {"a": {"y": 2}, "b": [1, {"c": 2}]},
            "metadata": {
                "a": {"y": {"timestamp": 1_700_000_000}},
                "b": [{"timestamp": 1_700_000_000}, {"c": {"timestamp": 1_700_000_000}}],
            },
        }))
    );
    let documents = payload(&answers, Kind::Documents).expect("told");
    assert_eq!(documents["previous"]["version"], 1);
    assert_eq!(documents["previous"]["state"].get("reported"), None);
    assert_eq!(documents["current"]["version"], 2);
    assert_eq!(documents["current"]["state"]["reported"]["only"], 0);
    let leaf = &documents["current"]["metadata"]["reported"]["a"]["z"]["timestamp"];
    assert_eq!((leaf, &documents["timestamp"]), (&json!(1_700_000_005), &json!(1_700_000_005)));
    assert_eq!(documents["clientToken"], "u");
    let got = shadow.get();
    assert_eq!(got["state"]["delta"], json!({"a": {"y": 2}, "b": [1, {"c": 2}]}));
    assert_eq!(got["metadata"]["delta"]["a"]["y"]["timestamp"], 1_700_000_000);
    assert_eq!(got["version"], 2);
}

#[test]
fn there_is_no_delta_once_everything_desired_is_reported() {
    let mut shadow = Sequence::default();
    let answers = shadow.update(r#"{"state":{"reported":{"a":1}}}"#);
    assert_eq!(payload(&answers, Kind::Delta), None);
    let answers = shadow.update(r#"{"state":{"desired":{"a":1}}}"#);
    assert_eq!(payload(&answers, Kind::Delta), None);
    assert_eq!(shadow.get()["state"], json!({"desired": {"a": 1}, "reported": {"a": 1}}));
}

#[test]
fn null_removes_members_and_sections() {
    let mut shadow = Sequence::default();
    shadow.update(r#"{"state":{"desired":{"a":{"b":1,"c":2},"d":3},"reported":{"e":4}}}"#);
    shadow.update(r#"{"state":{"desired":{"a":{"b":null},"new":{"n":null}}}}"#);
    assert_eq!(shadow.get()["state"]["desired"], json!({"a": {"c": 2}, "d": 3, "new": {}}));
    shadow.update(r#"{"state":{"desired":null}}"#);
    assert_eq!(shadow.get()["state"], json!({"reported": {"e": 4}}));
    shadow.update(r#"{"state":{"reported":{"e":null}}}"#);
    let got = shadow.get();
    assert_eq!((&got["state"], &got["metadata"]), (&json!({}), &json!({})));
    shadow.update(r#"{"state":{"desired":{"a":1},"reported":{"a":1}}}"#);
    shadow.update(r#"{"state":null}"#);
    assert_eq!(shadow.get()["state"], json!({}));
}

#[test]
fn numbers_and_members_stay_as_they_came() {
    let mut shadow = Sequence::default();
    let state = r#"{"z":123456789012345678901234567890,"a":1.10,"m":1E5,"é":"\n\"/"}"#;
    shadow.update(&format!(r#"{{"state":{{"reported":{state}}}}}"#));
    let answers = shadow.ask(&Request::GET).expect("it exists");
    let text = format!(r#"{{"state":{{"reported":{state}}},"metadata":"#);
    assert!(answers[0].payload.starts_with(&text), "{}", answers[0].payload);
    shadow.update(r#"{"state":{"reported":{"a":2,"b":3}}}"#);
    let Content::Document { state, .. } = &shadow.kept.content else { panic!("no document") };
    let names = ["\"z\"", "\"a\"", "\"m\"", "\"é\"", "\"b\""];
    assert!(names.map(|name| state.find(name).expect("there")).is_sorted(), "{state}");
}

#[test]
fn of_equal_members_the_last_counts() {
    let mut shadow = Sequence::default();
    shadow.update(r#"{"state":{"reported":{"x":1}},"state":{"reported":{"a":1,"a":{"b":2}}}}"#);
    assert_eq!(shadow.get()["state"], json!({"reported": {"a": {"b": 2}}}));
}

#[test]
fn a_version_goes_on_after_a_deletion_for_48_hours() {
    let mut shadow = Sequence::default();
    for _ in 0..3 {
        shadow.update(r#"{"state":{}}"#);
    }
    let answers = shadow.ask(&Request::DELETE).expect("it exists");
    let told = payload(&answers, Kind::Accepted(Operation::Delete));
    assert_eq!(told, Some(json!({"version": 3, "timestamp": 1_700_000_000})));
    let gone = Err(Fault::NoShadow("lamp".into()));
    assert_eq!(shadow.ask(&Request::GET), gone);
    assert_eq!(shadow.ask(&Request::DELETE), gone);
    let deleted = shadow.kept.clone();
    let life = u64::try_from(VERSION_LIFE.as_millis()).expect("short");

    shadow.later = life - 1;
    let conflict = Err(Fault::VersionConflict);
    assert_eq!(shadow.ask(&update(r#"{"state":{},"version":0}"#)), conflict);
    shadow.update(r#"{"state":{},"version":3}"#);
    assert_eq!((shadow.kept.version, shadow.get()["version"].clone()), (4, json!(4)));

    shadow.kept = deleted;
    shadow.later = life;
    let answers = shadow.update(r#"{"state":{},"version":0}"#);
    assert_eq!(shadow.kept.version, 1);
    assert_eq!(payload(&answers, Kind::Documents).expect("told")["previous"]["version"], 0);
}

#[test]
fn of_two_updates_of_one_version_the_second_conflicts() {
    let mut shadow = Sequence::default();
    shadow.update(r#"{"state":{"desired":{"a":1}}}"#);
    shadow.update(r#"{"state":{"desired":{"a":2}},"version":1}"#);
    let before = shadow.kept.clone();
    let conflict = Err(Fault::VersionConflict);
    assert_eq!(shadow.ask(&update(r#"{"state":{"desired":{"a":3}},"version":1}"#)), conflict);
    assert_eq!(shadow.kept, before);
}

#[test]
fn a_deletion_takes_no_notice_of_its_payload_but_for_the_token() {
    for (payload, token) in [
        (&b""[..], None),
        (b"nonsense", None),
        (b"\xFF", None),
        (br#"{"clientToken":"t"}"#, Some("t")),
        (br#"{"clientToken":7}"#, None),
    ] {
        let request = Request::parse(Operation::Delete, payload).expect("a deletion");
        assert_eq!((&request.asked, request.client_token.as_deref()), (&Asked::Delete, token));
    }
}
