//! Which member of an object.

use serde_json::Value;

use super::PatternError;
use super::cursor::Cursor;

/// A way into an object, such as `$.subscriptions[0].reasonCode`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Selector(Vec<Step>);

#[derive(Debug, PartialEq, Eq)]
enum Step {
    Member(Box<str>),
    Element(usize),
    /// Any element.
    Elements,
}

impl Selector {
    pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Self, PatternError> {
        if !cursor.take('$') {
            return Err(cursor.error("a condition begins with $.member, such as $.reason"));
        }
        let mut steps = Vec::new();
        loop {
            if cursor.take('.') {
                let name = cursor.take_while(|c| c.is_ascii_alphanumeric() || "_-@".contains(c));
                if name.is_empty() {
                    return Err(cursor.error("the name of a member is missing"));
                }
                steps.push(Step::Member(name.into()));
            } else if cursor.take('[') {
                steps.push(bracketed(cursor)?);
            } else if steps.is_empty() {
                return Err(cursor.error("the name of a member is missing; write $.reason"));
            } else {
                return Ok(Selector(steps));
            }
        }
    }

    /// Whether there is such a member, and `is_so` for one of them.
    pub(super) fn any(&self, object: &Value, is_so: &dyn Fn(&Value) -> bool) -> bool {
        any(&self.0, object, is_so)
    }
}

/// What stands in brackets, of which the first was taken.
fn bracketed(cursor: &mut Cursor<'_>) -> Result<Step, PatternError> {
    let step = match cursor.peek() {
        Some(mark @ ('"' | '\'')) => Step::Member(cursor.take_quoted(mark)?.into()),
        Some('*') => {
            cursor.take('*');
            Step::Elements
        }
        Some(_) | None => {
            let digits = cursor.take_while(|c| c.is_ascii_digit());
            let number = digits.parse().map_err(|_| {
                cursor.error("in brackets stands a number, * or the name of a member in quotes")
            })?;
            Step::Element(number)
        }
    };
    if !cursor.take(']') {
        return Err(cursor.error("the bracket ] is missing"));
    }
    Ok(step)
}

fn any(steps: &[Step], value: &Value, is_so: &dyn Fn(&Value) -> bool) -> bool {
    let Some((step, rest)) = steps.split_first() else { return is_so(value) };
    match step {
        Step::Member(name) => value.get(&**name).is_some_and(|value| any(rest, value, is_so)),
        Step::Element(number) => value.get(number).is_some_and(|value| any(rest, value, is_so)),
        Step::Elements => {
            let elements = value.as_array().map_or(&[][..], Vec::as_slice);
            elements.iter().any(|value| any(rest, value, is_so))
        }
    }
}
