//! Whose shadow it is.

use std::fmt;

use crate::limits::{SHADOW_NAME_BYTES, THING_NAME_BYTES};

/// A shadow: the classic one of a thing, or one of its named ones. Those of a thing are neighbours
/// in the order, the classic one first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShadowId {
    thing: Box<str>,
    name: Option<Box<str>>,
}

/// A name that no thing or shadow can have (spec 10.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadName {
    /// It has no characters.
    #[error("is empty")]
    Empty,
    /// It has too many characters.
    #[error("is longer than {0} characters")]
    TooLong(usize),
    /// It has other characters than those allowed.
    #[error("has a character other than {0}")]
    Character(&'static str),
}

impl ShadowId {
    /// The shadow of that thing: the classic one without a name.
    ///
    /// # Errors
    /// The first name that cannot be one: of the thing, or of the shadow.
    pub fn new(thing: &str, name: Option<&str>) -> Result<Self, BadName> {
        check_thing_name(thing)?;
        name.map_or(Ok(()), check_shadow_name)?;
        Ok(ShadowId { thing: thing.into(), name: name.map(Into::into) })
    }

    /// The name of the thing.
    pub fn thing(&self) -> &str {
        &self.thing
    }

    /// The name of the shadow; none for the classic one.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// What AWS calls it by: its name, or the thing's if it has none.
    pub fn title(&self) -> &str {
        self.name().unwrap_or(&self.thing)
    }
}

/// As in a policy's resource: `thing/` is followed by this.
impl fmt::Display for ShadowId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            None => f.write_str(&self.thing),
            Some(name) => write!(f, "{}/{name}", self.thing),
        }
    }
}

/// Whether a thing can have that name.
///
/// # Errors
/// [`BadName`].
pub fn check_thing_name(text: &str) -> Result<(), BadName> {
    check(text, THING_NAME_BYTES, "a-z, A-Z, 0-9, colon, underscore and hyphen", |_| false)
}

/// Whether a shadow can have that name.
fn check_shadow_name(text: &str) -> Result<(), BadName> {
    const ALLOWED: &str = "a-z, A-Z, 0-9, colon, underscore, hyphen and $";
    check(text, SHADOW_NAME_BYTES, ALLOWED, |byte| byte == b'$')
}

fn check(
    text: &str,
    most: usize,
    allowed: &'static str,
    also: impl Fn(u8) -> bool,
) -> Result<(), BadName> {
    if text.is_empty() {
        return Err(BadName::Empty);
    }
    if text.len() > most {
        return Err(BadName::TooLong(most));
    }
    let is_allowed =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'_' | b'-') || also(byte);
    if text.bytes().all(is_allowed) { Ok(()) } else { Err(BadName::Character(allowed)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_as_long_as_they_may_be_and_of_the_characters_allowed() {
        let longest = "t".repeat(THING_NAME_BYTES);
        for thing in ["a", "A:z_0-9", &longest] {
            assert_eq!(check_thing_name(thing), Ok(()));
        }
        let too_long = format!("{longest}t");
        for thing in ["", "a/b", "$a", "a b", "ä", "+", &too_long] {
            assert!(check_thing_name(thing).is_err(), "{thing}");
        }
        let longest = "$".repeat(SHADOW_NAME_BYTES);
        for name in ["a", "$config", &longest] {
            assert_eq!(check_shadow_name(name), Ok(()));
        }
        for name in ["", "a/b", "a.b", "#", &format!("{longest}$")] {
            assert!(check_shadow_name(name).is_err(), "{name}");
        }
    }

    #[test]
    fn the_shadows_of_a_thing_are_neighbours() {
        let id = |thing, name| ShadowId::new(thing, name).expect("valid");
        let sorted = [id("a", None), id("a", Some("b")), id("a", Some("z")), id("a-b", None)];
        assert!(sorted.is_sorted());
        assert_eq!((id("a", None).title(), id("a", Some("b")).title()), ("a", "b"));
        assert_eq!(id("a", Some("b")).to_string(), "a/b");
    }
}
