//! User properties as a sender writes them: a JSON array of objects with one string member each.

use std::fmt;

use engine::limits::USER_PROPERTIES_BYTES;
use mqtt::{PropertiesBuf, Property};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

/// How much of a name is repeated in a sentence.
const NAME_CHARACTERS: usize = 64;

/// What stands where user properties should, none of it lost: a name may stand twice in one object.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum UserProperties {
    Array(Vec<Element>),
    Other(IgnoredAny),
}

/// What stands where an object should.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Element {
    Object(Members),
    Other(IgnoredAny),
}

/// The members of one object in their order.
#[derive(Debug)]
pub(crate) struct Members(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}

impl UserProperties {
    /// Adds them to the others in their order. `name` is what the sender calls them, `form` what is
    /// told that they have to be.
    ///
    /// # Errors
    /// The sentence for the sender.
    pub(crate) fn add(
        &self,
        properties: &mut PropertiesBuf,
        (name, form): (&str, &str),
    ) -> Result<(), String> {
        let UserProperties::Array(elements) = self else { return Err(shape(name, form)) };
        let mut total = 0;
        for (at, element) in elements.iter().enumerate() {
            let Element::Object(Members(members)) = element else { return Err(shape(name, form)) };
            let [(key, Value::String(value))] = &members[..] else {
                let twice = twice(members).map(|key| doubled(name, at, key));
                return Err(twice.unwrap_or_else(|| shape(name, form)));
            };
            total += key.len() + value.len();
            if total > USER_PROPERTIES_BYTES {
                return Err(format!(
                    "{name} has more than {USER_PROPERTIES_BYTES} bytes of keys and values."
                ));
            }
            let pushed = properties.push(Property::UserProperty(key, value));
            pushed.map_err(|error| format!("{name}: {error}."))?;
        }
        Ok(())
    }
}

/// The name that stands twice; of more members than a few nobody is told which.
fn twice(members: &[(String, Value)]) -> Option<&str> {
    let (first, _) = members.first()?;
    members[1..].iter().any(|(key, _)| key == first).then_some(first)
}

fn doubled(name: &str, at: usize, key: &str) -> String {
    let key: String = key.chars().take(NAME_CHARACTERS).collect();
    format!(
        "{name}[{at}] has the member {key:?} twice; a user property that stands more than once has \
         an object for each, for example [{{\"a\":\"1\"}},{{\"a\":\"2\"}}]."
    )
}

/// What is told of everything else.
pub(super) fn shape(name: &str, form: &str) -> String {
    format!(
        "{name} must be {form} of objects with one string member each, for example \
         [{{\"deviceName\":\"alpha\"}},{{\"deviceCnt\":\"45\"}}]."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(json: &str) -> Result<PropertiesBuf, String> {
        let mut properties = PropertiesBuf::new();
        let parsed: UserProperties = serde_json::from_str(json).expect("JSON");
        parsed.add(&mut properties, ("userProperties", "an array")).map(|()| properties)
    }

    #[test]
    fn they_keep_their_order_and_repetitions() {
        let properties = add(r#"[{"a":"1"},{"a":"2"},{"b":""}]"#).expect("valid");
        let pairs: Vec<_> = properties.as_properties().user_properties().collect();
        assert_eq!(pairs, [("a", "1"), ("a", "2"), ("b", "")]);
    }

    #[test]
    fn a_name_that_stands_twice_in_one_object_is_told() {
        for json in
            [r#"[{"b":"0"},{"a":"1","a":"2"}]"#, r#"[{"b":"0"},{"a":"1","\u0061":"1","c":2}]"#]
        {
            let told = add(json).expect_err("one would be lost");
            assert!(told.contains(r#"userProperties[1] has the member "a" twice"#), "{told}");
        }
        let long = "x".repeat(100_000);
        let told = add(&format!(r#"[{{"{long}":"1","{long}":"2"}}]"#)).expect_err("too long");
        assert!(told.len() < 500, "{told}");
    }

    #[test]
    fn other_shapes_are_told_what_is_right() {
        for json in [
            r#"{"a":"1"}"#,
            r#""a""#,
            "1",
            "null",
            r#"["a"]"#,
            "[[]]",
            "[null]",
            "[{}]",
            r#"[{"a":1}]"#,
            r#"[{"a":null}]"#,
            r#"[{"a":"1","b":"2"}]"#,
        ] {
            let told = add(json).expect_err(json);
            assert!(told.starts_with("userProperties must be an array of objects"), "{told}");
        }
    }
}
