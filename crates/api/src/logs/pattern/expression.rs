//! Conditions on the members of an object.

use serde_json::Value;

use super::PatternError;
use super::cursor::Cursor;
use super::glob::Glob;
use super::selector::Selector;

/// Parentheses in each other: more than anybody means.
const DEPTH: usize = 32;

/// What has to hold. `&&` binds more than `||`.
#[derive(Debug, PartialEq)]
pub(in super::super) enum Expression {
    Any(Vec<Expression>),
    All(Vec<Expression>),
    One(Condition),
}

/// What has to hold for one member. Nothing but [`Test::NotExists`] holds for one that is not there.
#[derive(Debug, PartialEq)]
pub(in super::super) struct Condition {
    selector: Selector,
    test: Test,
}

#[derive(Debug, PartialEq)]
enum Test {
    NotExists,
    IsNull,
    Is(bool),
    /// The value as text, of a string, a number or a boolean.
    Text {
        equal: bool,
        glob: Glob,
    },
    /// The value as a number; a string is compared by its text.
    Number {
        operator: Operator,
        number: f64,
        text: Glob,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// Longer ones first, since shorter ones are their beginnings.
const OPERATORS: [(&str, Operator); 6] = [
    ("!=", Operator::NotEqual),
    ("<=", Operator::LessOrEqual),
    (">=", Operator::GreaterOrEqual),
    ("=", Operator::Equal),
    ("<", Operator::Less),
    (">", Operator::Greater),
];

impl Expression {
    /// Reads `{ … }`, whose first bracket is there, and nothing behind it.
    pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Self, PatternError> {
        cursor.take('{');
        let expression = any_of(cursor, 0)?;
        if !cursor.take('}') {
            return Err(cursor.error("expected &&, || or the } of the end"));
        }
        cursor.skip_spaces();
        match cursor.peek() {
            None => Ok(expression),
            Some(_) => Err(cursor.error("nothing may follow the } of the end")),
        }
    }

    pub(super) fn holds(&self, object: &Value) -> bool {
        match self {
            Expression::Any(parts) => parts.iter().any(|part| part.holds(object)),
            Expression::All(parts) => parts.iter().all(|part| part.holds(object)),
            Expression::One(condition) => condition.holds(object),
        }
    }
}

fn any_of(cursor: &mut Cursor<'_>, depth: usize) -> Result<Expression, PatternError> {
    let mut parts = vec![all_of(cursor, depth)?];
    while cursor.take_text("||") {
        parts.push(all_of(cursor, depth)?);
    }
    Ok(Expression::Any(parts))
}

fn all_of(cursor: &mut Cursor<'_>, depth: usize) -> Result<Expression, PatternError> {
    let mut parts = vec![one(cursor, depth)?];
    while cursor.take_text("&&") {
        parts.push(one(cursor, depth)?);
    }
    Ok(Expression::All(parts))
}

/// One condition, or parentheses; and the spaces around it.
fn one(cursor: &mut Cursor<'_>, depth: usize) -> Result<Expression, PatternError> {
    cursor.skip_spaces();
    let expression = if cursor.take('(') {
        if depth == DEPTH {
            return Err(cursor.error(&format!("more than {DEPTH} parentheses in each other")));
        }
        let expression = any_of(cursor, depth + 1)?;
        if !cursor.take(')') {
            return Err(cursor.error("expected &&, || or the ) of these parentheses"));
        }
        expression
    } else {
        let selector = Selector::parse(cursor)?;
        Expression::One(Condition { selector, test: Test::parse(cursor)? })
    };
    cursor.skip_spaces();
    Ok(expression)
}

impl Test {
    fn parse(cursor: &mut Cursor<'_>) -> Result<Self, PatternError> {
        cursor.skip_spaces();
        if cursor.take_text("NOT ") {
            cursor.skip_spaces();
            return match cursor.take_text("EXISTS") {
                true => Ok(Test::NotExists),
                false => Err(cursor.error("expected EXISTS behind NOT")),
            };
        }
        if cursor.take_text("IS ") {
            cursor.skip_spaces();
            return match () {
                () if cursor.take_text("NULL") => Ok(Test::IsNull),
                () if cursor.take_text("TRUE") => Ok(Test::Is(true)),
                () if cursor.take_text("FALSE") => Ok(Test::Is(false)),
                () => Err(cursor.error("expected NULL, TRUE or FALSE behind IS")),
            };
        }
        let operator = OPERATORS.into_iter().find(|(text, _)| cursor.take_text(text));
        let Some((_, operator)) = operator else {
            return Err(cursor.error("expected =, !=, <, <=, >, >=, IS NULL or NOT EXISTS"));
        };
        cursor.skip_spaces();
        Test::of_value(operator, cursor)
    }

    fn of_value(operator: Operator, cursor: &mut Cursor<'_>) -> Result<Self, PatternError> {
        let missing_number = cursor.error("expected a number");
        let quoted = cursor.peek() == Some('"');
        let text = match cursor.peek() {
            Some('%') => return Err(cursor.error("regular expressions are not offered")),
            Some('"') => cursor.take_quoted('"')?,
            Some(_) | None => cursor.take_while(is_bare).to_owned(),
        };
        if text.is_empty() && !quoted {
            return Err(cursor.error("expected a value: a number, or a text in quotation marks"));
        }
        let number = if quoted { None } else { number(&text) };
        let glob = Glob::new(&text);
        match (number, operator) {
            (Some(number), operator) => Ok(Test::Number { operator, number, text: glob }),
            (None, Operator::Equal) => Ok(Test::Text { equal: true, glob }),
            (None, Operator::NotEqual) => Ok(Test::Text { equal: false, glob }),
            (
                None,
                Operator::Less
                | Operator::LessOrEqual
                | Operator::Greater
                | Operator::GreaterOrEqual,
            ) => Err(missing_number),
        }
    }
}

/// Whether a character may stand in a value without quotation marks.
fn is_bare(c: char) -> bool {
    !c.is_whitespace() && !"(){}&|\"<>=!$%".contains(c)
}

/// A number in decimal; not what else Rust takes for one.
fn number(text: &str) -> Option<f64> {
    let is_digits = text.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b));
    text.parse().ok().filter(|_| is_digits)
}

impl Condition {
    fn holds(&self, object: &Value) -> bool {
        if self.test == Test::NotExists {
            return !self.selector.any(object, &|_| true);
        }
        self.selector.any(object, &|value| self.test.holds(value))
    }
}

impl Test {
    fn holds(&self, value: &Value) -> bool {
        match (self, value) {
            (Test::NotExists, _) => false,
            (Test::IsNull, value) => value.is_null(),
            (Test::Is(expected), value) => value.as_bool() == Some(*expected),
            (Test::Text { .. } | Test::Number { .. }, Value::Null) => false,
            (Test::Text { .. } | Test::Number { .. }, Value::Array(_) | Value::Object(_)) => false,
            (Test::Text { equal, glob }, Value::String(text)) => glob.matches(text) == *equal,
            (Test::Text { equal, glob }, Value::Number(_) | Value::Bool(_)) => {
                glob.matches(&value.to_string()) == *equal
            }
            (Test::Number { operator, number, .. }, Value::Number(value)) => {
                value.as_f64().is_some_and(|value| operator.holds(value, *number))
            }
            (Test::Number { operator, text, .. }, Value::String(value)) => match operator {
                Operator::Equal => text.matches(value),
                Operator::NotEqual => !text.matches(value),
                Operator::Less
                | Operator::LessOrEqual
                | Operator::Greater
                | Operator::GreaterOrEqual => false,
            },
            (Test::Number { operator, .. }, Value::Bool(_)) => *operator == Operator::NotEqual,
        }
    }
}

impl Operator {
    fn holds(self, value: f64, number: f64) -> bool {
        match self {
            Operator::Equal => value == number,
            Operator::NotEqual => value != number,
            Operator::Less => value < number,
            Operator::LessOrEqual => value <= number,
            Operator::Greater => value > number,
            Operator::GreaterOrEqual => value >= number,
        }
    }
}
