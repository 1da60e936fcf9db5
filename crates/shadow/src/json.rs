//! What a request says, before it becomes part of a document.

use foldhash::fast::RandomState;
use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::fault::Fault;
use crate::number::Number;

/// The members of an object, in the order in which they first came.
pub(crate) type Members<T> = IndexMap<Box<str>, T, RandomState>;

/// A value of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Json {
    Null,
    Scalar(Scalar),
    Array(Vec<Json>),
    Object(Members<Json>),
}

/// A value without parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scalar {
    Bool(bool),
    Number(Number),
    Text(Box<str>),
}

/// A value that was only looked at from outside, which is one of valid JSON.
pub(crate) type Raw<'a> = &'a RawValue;

/// The value that the whole text is.
pub(crate) fn whole(text: &str) -> Result<Raw<'_>, Fault> {
    serde_json::from_str(text).map_err(|_| Fault::InvalidJson)
}

/// The members of an object, of which equal ones are the last of them; none if it is something else.
pub(crate) fn members<'a>(raw: Raw<'a>) -> Result<Option<Members<Raw<'a>>>, Fault> {
    match first_byte(raw) {
        b'{' => parse(raw).map(Some),
        _ => Ok(None),
    }
}

/// A text; none if it is something else.
pub(crate) fn text(raw: Raw<'_>) -> Result<Option<Box<str>>, Fault> {
    match first_byte(raw) {
        b'"' => parse(raw).map(Some),
        _ => Ok(None),
    }
}

pub(crate) fn is_null(raw: Raw<'_>) -> bool {
    raw.get() == "null"
}

/// A value with everything in it; `levels` objects or arrays may be inside each other.
pub(crate) fn value(raw: Raw<'_>, levels: usize, in_array: bool) -> Result<Json, Fault> {
    let below = levels.checked_sub(1);
    Ok(match first_byte(raw) {
        b'{' => {
            let below = below.ok_or(Fault::TooManyLevels)?;
            let members: Members<Raw<'_>> = parse(raw)?;
            let read = |(name, raw)| Ok((name, value(raw, below, in_array)?));
            Json::Object(members.into_iter().map(read).collect::<Result<_, Fault>>()?)
        }
        b'[' => {
            let below = below.ok_or(Fault::TooManyLevels)?;
            let elements: Vec<Raw<'_>> = parse(raw)?;
            let read = |raw| value(raw, below, true);
            Json::Array(elements.into_iter().map(read).collect::<Result<_, Fault>>()?)
        }
        b'"' => Json::Scalar(Scalar::Text(parse(raw)?)),
        b't' => Json::Scalar(Scalar::Bool(true)),
        b'f' => Json::Scalar(Scalar::Bool(false)),
        // There is nothing that it could remove (spec 10.3).
        b'n' if in_array => return Err(Fault::InvalidNode),
        b'n' => Json::Null,
        _ => Json::Scalar(Scalar::Number(Number::new(raw.get()))),
    })
}

/// What was skipped as valid can still have half of a surrogate pair in it.
fn parse<'a, T: Deserialize<'a>>(raw: Raw<'a>) -> Result<T, Fault> {
    serde_json::from_str(raw.get()).map_err(|_| Fault::InvalidJson)
}

fn first_byte(raw: Raw<'_>) -> u8 {
    raw.get().as_bytes().first().copied().unwrap_or_default()
}
