//! The members of a request.

use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use super::LogsError;

/// A request's JSON object. A member that is null is as one that is not there; one that nobody asks
/// for does no harm, as at AWS.
#[derive(Debug)]
pub(super) struct Input(Map<String, Value>);

impl Input {
    /// Reads a body.
    ///
    /// # Errors
    /// [`LogsError::Serialization`].
    pub(super) fn parse(body: &[u8]) -> Result<Self, LogsError> {
        let wrong = |what: String| LogsError::Serialization(what);
        match serde_json::from_slice(body) {
            Ok(Value::Object(members)) => Ok(Input(members)),
            Ok(_) => Err(wrong("The body must be a JSON object.".into())),
            Err(error) => Err(wrong(format!("The body is no JSON object: {error}."))),
        }
    }

    fn member(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// A text of so many characters.
    pub(super) fn text(
        &self,
        name: &str,
        characters: RangeInclusive<usize>,
    ) -> Result<Option<&str>, LogsError> {
        let Some(value) = self.member(name) else { return Ok(None) };
        let text = value.as_str().ok_or_else(|| not_a(name, "a string"))?;
        of_length(name, text, &characters)?;
        Ok(Some(text))
    }

    /// A list of texts.
    pub(super) fn texts(
        &self,
        name: &str,
        count: RangeInclusive<usize>,
        characters: &RangeInclusive<usize>,
    ) -> Result<Option<Vec<&str>>, LogsError> {
        let Some(value) = self.member(name) else { return Ok(None) };
        let list = value.as_array().ok_or_else(|| not_a(name, "a list of strings"))?;
        if !count.contains(&list.len()) {
            let (start, end) = (count.start(), count.end());
            let sentence = format!("{name} must have {start} to {end} elements.");
            return Err(LogsError::InvalidParameter(sentence));
        }
        let text = |value| -> Result<&str, LogsError> {
            let text = Value::as_str(value).ok_or_else(|| not_a(name, "a list of strings"))?;
            of_length(name, text, characters).map(|()| text)
        };
        list.iter().map(text).collect::<Result<_, _>>().map(Some)
    }

    /// A whole number.
    pub(super) fn number(
        &self,
        name: &str,
        range: RangeInclusive<u64>,
    ) -> Result<Option<u64>, LogsError> {
        let Some(value) = self.member(name) else { return Ok(None) };
        if !value.is_i64() && !value.is_u64() {
            return Err(not_a(name, "a whole number"));
        }
        match value.as_u64().filter(|number| range.contains(number)) {
            Some(number) => Ok(Some(number)),
            None => {
                let (start, end) = (range.start(), range.end());
                let sentence = format!("{name} must be from {start} to {end}, not {value}.");
                Err(LogsError::InvalidParameter(sentence))
            }
        }
    }

    /// `true` or `false`.
    pub(super) fn boolean(&self, name: &str) -> Result<Option<bool>, LogsError> {
        let Some(value) = self.member(name) else { return Ok(None) };
        value.as_bool().map(Some).ok_or_else(|| not_a(name, "true or false"))
    }

    /// At most one of two members may be there.
    pub(super) fn exclude(&self, one: &str, other: &str) -> Result<(), LogsError> {
        match self.member(one).is_some() && self.member(other).is_some() {
            true => Err(LogsError::InvalidParameter(format!(
                "{one} and {other} must not both be given."
            ))),
            false => Ok(()),
        }
    }
}

fn of_length(name: &str, text: &str, characters: &RangeInclusive<usize>) -> Result<(), LogsError> {
    let (start, end) = (characters.start(), characters.end());
    // Bytes are no fewer than characters: a text that is far too long is not counted.
    let count = if text.len() > 4 * end { text.len() } else { text.chars().count() };
    if characters.contains(&count) {
        return Ok(());
    }
    let sentence = format!("{name} must have {start} to {end} characters.");
    Err(LogsError::InvalidParameter(sentence))
}

fn not_a(name: &str, what: &str) -> LogsError {
    LogsError::Serialization(format!("{name} must be {what}."))
}
