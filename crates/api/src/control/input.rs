//! Reading what a request says: the JSON of its body and the parameters of its query.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::refused::Refused;
use crate::query::Query;

/// The members of a body. One that nobody knows is nobody's business, as everywhere in AWS's
/// protocol; `null` is as good as absent.
#[derive(Default)]
pub(super) struct Body(Map<String, Value>);

impl Body {
    /// Reads a body; an empty one has no members.
    pub(super) fn parse(payload: &[u8]) -> Result<Body, Refused> {
        if payload.is_empty() {
            return Ok(Body(Map::new()));
        }
        match serde_json::from_slice(payload) {
            Ok(Value::Object(members)) => Ok(Body(members)),
            Ok(_) => Err(Refused::Input("The body must be a JSON object.".to_owned())),
            Err(error) => Err(Refused::Input(format!("The body is not JSON: {error}."))),
        }
    }

    /// A member that is a text.
    pub(super) fn text(&self, name: &str) -> Result<Option<&str>, Refused> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Refused::Input(format!("The member {name} must be a string."))),
        }
    }

    /// A text that has to be there.
    pub(super) fn require(&self, name: &str) -> Result<&str, Refused> {
        let text = self.text(name)?;
        text.ok_or_else(|| Refused::Input(format!("The body lacks the member {name}.")))
    }

    /// A member that is `true` or `false`; `false` if it is absent.
    pub(super) fn boolean(&self, name: &str) -> Result<bool, Refused> {
        Ok(self.optional_boolean(name)?.unwrap_or(false))
    }

    /// The same; none if it is absent.
    pub(super) fn optional_boolean(&self, name: &str) -> Result<Option<bool>, Refused> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Bool(value)) => Ok(Some(*value)),
            Some(_) => Err(Refused::Input(format!("The member {name} must be true or false."))),
        }
    }

    /// A member that is a whole number from 0.
    pub(super) fn integer(&self, name: &str) -> Result<Option<u64>, Refused> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => value.as_u64().map(Some).ok_or_else(|| {
                Refused::Input(format!("The member {name} must be a whole number."))
            }),
        }
    }

    /// A member whose members are texts.
    pub(super) fn texts(&self, name: &str) -> Result<Option<BTreeMap<String, String>>, Refused> {
        let Some(body) = self.object(name)? else { return Ok(None) };
        let text = |(name, value): (&String, &Value)| match value {
            Value::String(text) => Ok((name.clone(), text.clone())),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Array(_)
            | Value::Object(_) => {
                Err(Refused::Input(format!("The member {name} must be a string.")))
            }
        };
        body.0.iter().map(text).collect::<Result<_, _>>().map(Some)
    }

    /// A member that has members.
    pub(super) fn object(&self, name: &str) -> Result<Option<Body>, Refused> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Object(members)) => Ok(Some(Body(members.clone()))),
            Some(_) => Err(Refused::Input(format!("The member {name} must be an object."))),
        }
    }

    /// A list of what has members.
    pub(super) fn objects(&self, name: &str) -> Result<Option<Vec<Body>>, Refused> {
        self.list(name, "objects", |item| match item {
            Value::Object(members) => Some(Body(members.clone())),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_) => None,
        })
    }

    /// A list of texts.
    pub(super) fn strings(&self, name: &str) -> Result<Option<Vec<String>>, Refused> {
        self.list(name, "strings", |item| item.as_str().map(str::to_owned))
    }

    fn list<T>(
        &self,
        name: &str,
        items: &str,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Result<Option<Vec<T>>, Refused> {
        let found = match self.0.get(name) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::Array(found)) => found.iter().map(read).collect(),
            Some(_) => None,
        };
        let wrong = || Refused::Input(format!("The member {name} must be a list of {items}."));
        found.map(Some).ok_or_else(wrong)
    }

    /// Refuses members that change what is asked for and that are not offered.
    pub(super) fn refuse(&self, names: &[&str]) -> Result<(), Refused> {
        let given = |name: &&&str| match self.0.get(**name) {
            None | Some(Value::Null) => false,
            Some(Value::Array(items)) => !items.is_empty(),
            Some(Value::Object(members)) => !members.is_empty(),
            Some(_) => true,
        };
        match names.iter().find(given) {
            None => Ok(()),
            Some(name) => {
                Err(Refused::Input(format!("The member {name} is not offered; leave it out.")))
            }
        }
    }
}

/// A parameter that is `true` or `false`, in any letter case; `false` if it is absent.
pub(super) fn flag(query: &Query<'_>, name: &str) -> Result<bool, Refused> {
    Ok(optional_flag(query, name)?.unwrap_or(false))
}

/// The same; none if it is absent.
pub(super) fn optional_flag(query: &Query<'_>, name: &str) -> Result<Option<bool>, Refused> {
    let Some(value) = parameter(query, name)? else { return Ok(None) };
    match value.as_str() {
        value if value.eq_ignore_ascii_case("true") => Ok(Some(true)),
        value if value.eq_ignore_ascii_case("false") => Ok(Some(false)),
        _ => Err(Refused::Input(format!("The query parameter {name} must be true or false."))),
    }
}

/// A parameter as it is.
pub(super) fn parameter(query: &Query<'_>, name: &str) -> Result<Option<String>, Refused> {
    match query.parameter(name) {
        Ok(value) => Ok(value.map(std::borrow::Cow::into_owned)),
        Err(error) => Err(Refused::Input(error.sentence(name))),
    }
}

/// One of several words.
pub(super) fn one_of<T: Copy>(name: &str, text: &str, words: &[(&str, T)]) -> Result<T, Refused> {
    words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value).ok_or_else(|| {
        let all: Vec<_> = words.iter().map(|(word, _)| *word).collect();
        Refused::Input(format!("{name} must be one of {}, not \"{text}\".", all.join(", ")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_gives_its_members_or_says_what_is_wrong() {
        let body = Body::parse(br#"{"a": "x", "b": 1, "c": null, "tags": [], "more": 5}"#);
        let body = body.expect("an object");
        assert_eq!(body.text("a"), Ok(Some("x")));
        assert_eq!(body.text("c"), Ok(None));
        assert!(body.text("b").is_err());
        assert!(body.require("d").is_err());
        assert_eq!(body.refuse(&["tags", "c"]), Ok(()));
        assert!(body.refuse(&["a"]).is_err());
        for broken in [&b"["[..], b"[]", b"\"a\"", b"{", b"\xff"] {
            assert!(Body::parse(broken).is_err());
        }
        assert_eq!(Body::parse(b"").expect("empty").text("a"), Ok(None));
    }

    #[test]
    fn a_flag_is_true_or_false_in_any_letter_case() {
        let read = |query| flag(&Query::split(query), "on");
        assert_eq!(read("on=TRUE"), Ok(true));
        assert_eq!(read("on=false"), Ok(false));
        assert_eq!(read(""), Ok(false));
        for wrong in ["on", "on=1", "on=true&on=true", "on=%"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
