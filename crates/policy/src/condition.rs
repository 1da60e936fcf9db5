//! Conditions: what a statement demands of a request's context.

mod network;
mod operator;

pub(crate) use operator::Operator;

use crate::arn::ArnPattern;
use crate::date;
use crate::facts::Facts;
use crate::key::{Key, Values};
use crate::pattern::{Pattern, Wildcards};
use network::Network;
use operator::{Family, Quantifier, Relation};

/// One key of one operator of a `Condition` element. All tests of a statement must hold.
#[derive(Debug)]
pub(crate) struct Test {
    operator: Operator,
    /// `None` for a key that no request here has a value for.
    key: Option<Key>,
    pub(crate) key_text: Box<str>,
    expected: Expected,
    pub(crate) expected_text: Box<[Box<str>]>,
}

/// The values of a test, of which one must compare equal.
#[derive(Debug)]
enum Expected {
    Text(Box<[Pattern]>),
    TextIgnoringCase(Box<[Pattern]>),
    Arn(Box<[ArnPattern]>),
    Bool(Box<[bool]>),
    Network(Box<[Network]>),
    Number(Relation, Box<[f64]>),
    /// Milliseconds since the epoch.
    Date(Relation, Box<[i64]>),
    /// Whether the key is to be absent.
    Absent(Box<[bool]>),
}

impl Expected {
    fn parse(family: Family, values: &[Box<str>]) -> Result<Expected, Vec<(usize, String)>> {
        Ok(match family {
            Family::Text(wildcards) => {
                Expected::Text(each(values, |text| Pattern::parse(text, wildcards))?)
            }
            Family::TextIgnoringCase => Expected::TextIgnoringCase(each(values, |text| {
                Pattern::parse(text, Wildcards::Literal)
            })?),
            Family::Arn => Expected::Arn(each(values, ArnPattern::parse)?),
            Family::Bool => Expected::Bool(each(values, parse_bool)?),
            Family::Network => Expected::Network(each(values, Network::parse)?),
            Family::Number(relation) => Expected::Number(relation, each(values, parse_number)?),
            Family::Date(relation) => Expected::Date(relation, each(values, parse_date)?),
            Family::Null => Expected::Absent(each(values, parse_bool)?),
        })
    }

    /// Whether `actual` compares as asked with one of the values.
    fn matches(&self, actual: &str, facts: &Facts<'_>) -> bool {
        match self {
            Expected::Text(patterns) => patterns.iter().any(|p| p.matches(actual, facts)),
            Expected::TextIgnoringCase(patterns) => {
                patterns.iter().any(|p| p.matches_ignoring_case(actual, facts))
            }
            Expected::Arn(patterns) => patterns.iter().any(|p| p.matches(actual, facts)),
            Expected::Bool(values) => {
                parse_bool(actual).is_ok_and(|actual| values.contains(&actual))
            }
            Expected::Network(networks) => actual
                .parse()
                .is_ok_and(|address| networks.iter().any(|network| network.contains(address))),
            Expected::Number(relation, values) => parse_number(actual)
                .is_ok_and(|actual| values.iter().any(|value| relation.holds(&actual, value))),
            Expected::Date(relation, values) => date::parse_millis(actual)
                .is_some_and(|actual| values.iter().any(|value| relation.holds(&actual, value))),
            // Never asked of a value: see `Test::holds`.
            Expected::Absent(_) => false,
        }
    }

    /// See [`Pattern::resolves`].
    fn resolves(&self, facts: &Facts<'_>) -> bool {
        match self {
            Expected::Text(patterns) | Expected::TextIgnoringCase(patterns) => {
                patterns.iter().all(|pattern| pattern.resolves(facts))
            }
            Expected::Arn(patterns) => patterns.iter().all(|pattern| pattern.resolves(facts)),
            Expected::Bool(_)
            | Expected::Network(_)
            | Expected::Number(..)
            | Expected::Date(..)
            | Expected::Absent(_) => true,
        }
    }
}

impl Test {
    /// Compiles a test; the error gives the position of each value at fault and what is wrong.
    pub(crate) fn parse(
        operator: Operator,
        key_text: &str,
        values: Vec<Box<str>>,
    ) -> Result<Test, Vec<(usize, String)>> {
        Ok(Test {
            expected: Expected::parse(operator.family(), &values)?,
            operator,
            key: Key::parse(key_text),
            key_text: key_text.into(),
            expected_text: values.into(),
        })
    }

    /// Whether the request's context is as the test demands.
    pub(crate) fn holds(&self, facts: &Facts<'_>) -> bool {
        let negated = self.operator.is_negated();
        if let (Expected::Network(networks), Some(Key::SourceIp)) = (&self.expected, &self.key) {
            // Compared as an address: spelling it out would allocate.
            return facts.address().map_or(self.operator.holds_on_absence(), |address| {
                networks.iter().any(|network| network.contains(address)) != negated
            });
        }
        let actual = self.actual(facts);
        if let Expected::Absent(wanted) = &self.expected {
            let absent = actual.is_none_or(|values| values.len() == 0);
            return wanted.contains(&absent);
        }
        if negated && !self.expected.resolves(facts) {
            return false;
        }
        let Some(actual) = actual else {
            return self.operator.holds_on_absence();
        };
        let matches = |value: &str| self.expected.matches(value, facts);
        match self.operator.quantifier() {
            Quantifier::None => actual.iter().any(matches) != negated,
            Quantifier::ForAll => actual.iter().all(|value| matches(value) != negated),
            Quantifier::ForAny => actual.iter().any(|value| matches(value) != negated),
        }
    }

    /// The request's values; `None` if it has none.
    fn actual<'f>(&self, facts: &'f Facts<'_>) -> Option<Values<'f>> {
        self.key.as_ref()?.values(facts)
    }

    /// Whether the request could have a value for the key, and has none.
    pub(crate) fn is_unanswered(&self, facts: &Facts<'_>) -> bool {
        self.key.is_some() && self.actual(facts).is_none()
    }

    /// What [`Test::holds`] compared, for the explanation of a denial.
    pub(crate) fn failure(&self, facts: &Facts<'_>) -> crate::Failure {
        let actual = self.actual(facts);
        crate::Failure::Condition {
            operator: self.operator.to_string(),
            key: self.key_text.to_string(),
            known: self.key.is_some(),
            expected: self.expected_text.iter().map(ToString::to_string).collect(),
            actual: actual.map(|values| values.iter().map(str::to_owned).collect()),
        }
    }
}

/// Parses each value; the error gives the position of each one at fault.
fn each<T>(
    values: &[Box<str>],
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<Box<[T]>, Vec<(usize, String)>> {
    let mut parsed = Vec::with_capacity(values.len());
    let mut wrong = Vec::new();
    for (position, text) in values.iter().enumerate() {
        match parse(text) {
            Ok(value) => parsed.push(value),
            Err(message) => wrong.push((position, message)),
        }
    }
    if wrong.is_empty() { Ok(parsed.into()) } else { Err(wrong) }
}

fn parse_bool(text: &str) -> Result<bool, String> {
    if text.eq_ignore_ascii_case("true") {
        Ok(true)
    } else if text.eq_ignore_ascii_case("false") {
        Ok(false)
    } else {
        Err(format!("`{text}` is not a boolean; use \"true\" or \"false\""))
    }
}

fn parse_number(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number: &f64| number.is_finite());
    number.ok_or_else(|| format!("`{text}` is not a number"))
}

fn parse_date(text: &str) -> Result<i64, String> {
    date::parse_millis(text).ok_or_else(|| {
        format!("`{text}` is not a date; use `2026-05-01T12:00:00Z` or seconds since 1970")
    })
}
