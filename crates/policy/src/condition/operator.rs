//! The condition operators and what their names are made of.

use std::fmt;

use crate::pattern::Wildcards;

/// Whether and how an operator ranges over a key with several values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quantifier {
    /// Not given: some value must compare, or for a negated operator none may.
    None,
    /// `ForAllValues:`: true of no values at all.
    ForAll,
    /// `ForAnyValue:`: false of no values at all.
    ForAny,
}

/// How two numbers or dates compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Relation {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Relation {
    pub(crate) fn holds<T: PartialOrd>(self, left: &T, right: &T) -> bool {
        match self {
            Relation::Equal => left == right,
            Relation::Less => left < right,
            Relation::LessOrEqual => left <= right,
            Relation::Greater => left > right,
            Relation::GreaterOrEqual => left >= right,
        }
    }
}

/// What an operator compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    Text(Wildcards),
    TextIgnoringCase,
    Arn,
    Bool,
    Network,
    Number(Relation),
    Date(Relation),
    Null,
}

/// Name, family, and whether the comparison is negated.
const OPERATORS: [(&str, Family, bool); 26] = [
    ("StringEquals", Family::Text(Wildcards::Literal), false),
    ("StringNotEquals", Family::Text(Wildcards::Literal), true),
    ("StringEqualsIgnoreCase", Family::TextIgnoringCase, false),
    ("StringNotEqualsIgnoreCase", Family::TextIgnoringCase, true),
    ("StringLike", Family::Text(Wildcards::Active), false),
    ("StringNotLike", Family::Text(Wildcards::Active), true),
    ("ArnEquals", Family::Arn, false),
    ("ArnNotEquals", Family::Arn, true),
    ("ArnLike", Family::Arn, false),
    ("ArnNotLike", Family::Arn, true),
    ("Bool", Family::Bool, false),
    ("IpAddress", Family::Network, false),
    ("NotIpAddress", Family::Network, true),
    ("Null", Family::Null, false),
    ("NumericEquals", Family::Number(Relation::Equal), false),
    ("NumericNotEquals", Family::Number(Relation::Equal), true),
    ("NumericLessThan", Family::Number(Relation::Less), false),
    ("NumericLessThanEquals", Family::Number(Relation::LessOrEqual), false),
    ("NumericGreaterThan", Family::Number(Relation::Greater), false),
    ("NumericGreaterThanEquals", Family::Number(Relation::GreaterOrEqual), false),
    ("DateEquals", Family::Date(Relation::Equal), false),
    ("DateNotEquals", Family::Date(Relation::Equal), true),
    ("DateLessThan", Family::Date(Relation::Less), false),
    ("DateLessThanEquals", Family::Date(Relation::LessOrEqual), false),
    ("DateGreaterThan", Family::Date(Relation::Greater), false),
    ("DateGreaterThanEquals", Family::Date(Relation::GreaterOrEqual), false),
];

/// A condition operator with its quantifier and `IfExists`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Operator {
    quantifier: Quantifier,
    name: &'static str,
    family: Family,
    negated: bool,
    if_exists: bool,
}

impl Operator {
    /// Reads `StringLike`, `ForAllValues:StringEquals`, `BoolIfExists`; the error says what is
    /// wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Operator, String> {
        let (quantifier, bare) = if let Some(bare) = text.strip_prefix("ForAllValues:") {
            (Quantifier::ForAll, bare)
        } else if let Some(bare) = text.strip_prefix("ForAnyValue:") {
            (Quantifier::ForAny, bare)
        } else {
            (Quantifier::None, text)
        };
        let (bare, if_exists) = match bare.strip_suffix("IfExists") {
            Some(bare) => (bare, true),
            None => (bare, false),
        };
        let mut known = OPERATORS.iter();
        let Some(&(name, family, negated)) = known.find(|(name, ..)| *name == bare) else {
            return Err(unknown(text, bare));
        };
        if family == Family::Null && (if_exists || quantifier != Quantifier::None) {
            return Err("`Null` asks whether a key exists and takes neither a quantifier nor \
                        `IfExists`"
                .to_owned());
        }
        Ok(Operator { quantifier, name, family, negated, if_exists })
    }

    pub(crate) fn quantifier(self) -> Quantifier {
        self.quantifier
    }

    pub(crate) fn family(self) -> Family {
        self.family
    }

    /// Whether it is true of values that compare with none of the expected ones.
    pub(crate) fn is_negated(self) -> bool {
        self.negated
    }

    /// Whether it is true of a request without the key.
    pub(crate) fn holds_on_absence(self) -> bool {
        self.if_exists
            || match self.quantifier {
                Quantifier::None => self.negated,
                Quantifier::ForAll => true,
                Quantifier::ForAny => false,
            }
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.quantifier {
            Quantifier::None => "",
            Quantifier::ForAll => "ForAllValues:",
            Quantifier::ForAny => "ForAnyValue:",
        })?;
        f.write_str(self.name)?;
        f.write_str(if self.if_exists { "IfExists" } else { "" })
    }
}

/// What to say of an operator that does not exist.
fn unknown(text: &str, bare: &str) -> String {
    let close = OPERATORS.iter().find(|(name, ..)| name.eq_ignore_ascii_case(bare));
    if let Some((name, ..)) = close {
        return format!("unknown operator `{text}`; did you mean `{name}`?");
    }
    let names: Vec<&str> = OPERATORS.iter().map(|(name, ..)| *name).collect();
    format!(
        "unknown operator `{text}`; use one of {}, with `ForAllValues:` or `ForAnyValue:` before \
         it or `IfExists` after it where needed",
        names.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operator_reads_back_as_written() {
        for (name, ..) in OPERATORS {
            assert_eq!(Operator::parse(name).unwrap().to_string(), name);
        }
        for text in ["ForAllValues:StringLikeIfExists", "ForAnyValue:ArnNotLike", "BoolIfExists"] {
            assert_eq!(Operator::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_operator_is_refused_with_advice() {
        let refusal = |text| Operator::parse(text).unwrap_err();
        assert!(refusal("stringlike").contains("did you mean `StringLike`"));
        assert!(refusal("Matches").contains("NumericLessThan"));
        assert!(refusal("ForSomeValues:Bool").contains("ForAnyValue:"));
        assert!(refusal("NullIfExists").contains("neither"));
        assert!(refusal("ForAllValues:Null").contains("neither"));
        assert!(refusal("").contains("unknown operator"));
    }
}
