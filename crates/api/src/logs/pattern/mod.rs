//! Filter patterns of CloudWatch Logs: terms, and conditions on members of a JSON object.
//!
//! Not offered are regular expressions (`%…%`) and patterns for fields between spaces (`[a, b]`).

mod cursor;
mod expression;
mod glob;
mod selector;
mod terms;

use std::fmt;

use self::cursor::Cursor;
use self::expression::Expression;
use self::terms::Terms;

/// The longest pattern, in characters, as botocore's model has it.
pub(super) const PATTERN_CHARACTERS: usize = 1_024;

/// Which entries are wanted.
#[derive(Debug, PartialEq)]
pub(super) enum Pattern {
    /// All.
    Everything,
    /// Those with terms, and without others.
    Terms(Terms),
    /// Those that are JSON objects and for which that holds.
    Json(Expression),
}

/// Why a pattern is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PatternError {
    /// The character, counted from 1.
    pub(super) at: usize,
    /// What is wrong there, and what would be right.
    pub(super) what: String,
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Invalid filter pattern, character {}: {}", self.at, self.what)
    }
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// Where it is none.
    pub(super) fn parse(text: &str) -> Result<Pattern, PatternError> {
        let mut cursor = Cursor::new(text);
        cursor.skip_spaces();
        match cursor.peek() {
            None => Ok(Pattern::Everything),
            Some('{') => Expression::parse(&mut cursor).map(Pattern::Json),
            Some('[') => Err(cursor.error(
                "patterns for fields between spaces are not offered; entries are JSON, so write \
                 { $.reason = \"…\" }",
            )),
            Some(_) => Terms::parse(&mut cursor).map(Pattern::Terms),
        }
    }

    /// Whether an entry is wanted.
    pub(super) fn matches(&self, message: &str) -> bool {
        match self {
            Pattern::Everything => true,
            Pattern::Terms(terms) => terms.match_in(message),
            Pattern::Json(expression) => {
                serde_json::from_str(message).is_ok_and(|entry| expression.holds(&entry))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ENTRY: &str = r#"{"timestamp":"2026-11-26 17:44:35.123","logLevel":"ERROR","status":"Failure","eventType":"SendDirectMessage","protocol":"HTTP","clientId":"lamp-7","sourceIp":"192.0.2.7","sourcePort":40123,"topicName":"commands/reboot","confirmation":true,"timeout":5,"reason":"TARGET_CLIENT_ID_NOT_FOUND","deliveryMs":0.25,"nothing":null,"subscriptions":[{"topicName":"a/b","reasonCode":1},{"topicName":"c","reasonCode":135}]}"#;

    fn matches(pattern: &str) -> bool {
        Pattern::parse(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}")).matches(ENTRY)
    }

    #[test]
    fn terms_are_all_any_or_none_of_them_there() {
        let wanted = [
            "",
            "  ",
            "ERROR",
            "TARGET_CLIENT_ID_NOT_FOUND",
            "ERROR Failure",
            "\"commands/reboot\"",
            "\"\\\"status\\\":\\\"Failure\\\"\"",
            "?Success ?Failure",
            "?\"lamp-7\" ?nobody",
            "ERROR -Success",
            "-\"lamp-8\"",
            "ERROR ?nobody",
        ];
        let unwanted =
            ["WARN", "error", "ERROR Success", "?Success ?nobody", "ERROR -Failure", "-ERROR"];
        wanted.iter().for_each(|pattern| assert!(matches(pattern), "{pattern}"));
        unwanted.iter().for_each(|pattern| assert!(!matches(pattern), "{pattern}"));
    }

    #[test]
    fn conditions_hold_for_members() {
        let wanted = [
            "{ $.reason = \"TARGET_CLIENT_ID_NOT_FOUND\" }",
            "{$.reason=TARGET_CLIENT_ID_NOT_FOUND}",
            "{ $.reason = \"TARGET_*\" }",
            "{ $.reason = *NOT* }",
            "{ $.reason = \"*\" }",
            "{ $.reason != \"X\" }",
            "{ $.sourcePort = 40123 }",
            "{ $.sourcePort = 4.0123e4 }",
            "{ $.sourcePort = \"40123\" }",
            "{ $.sourcePort = 40* }",
            "{ $.sourcePort != 1 }",
            "{ $.timeout > 4 && $.timeout >= 5 && $.timeout < 5.5 && $.timeout <= 5 }",
            "{ $.deliveryMs < 1 }",
            "{ $.confirmation IS TRUE }",
            "{ $.confirmation = true }",
            "{ $.nothing IS NULL }",
            "{ $.missing NOT EXISTS }",
            "{ $.subscriptions[1].reasonCode >= 128 }",
            "{ $.subscriptions[*].topicName = \"c\" }",
            "{ $['reason'] = \"TARGET*\" }",
            "{ $.reason = \"X\" || $.status = \"Failure\" }",
            "{ $.status = \"Success\" && $.status = \"Success\" || $.status = \"Failure\" }",
            "{ $.status = \"Failure\" || $.status = \"Success\" && $.status = \"Success\" }",
            "{ ($.reason = \"X\" || $.reason = \"T*\") && (($.sourceIp = 192.0.2.*)) }",
            "  { $.topicName = \"commands/reboot\" }  ",
        ];
        let unwanted = [
            "{ $.reason = \"TARGET\" }",
            "{ $.reason = target* }",
            "{ $.reason != \"TARGET*\" }",
            "{ $.missing = \"*\" }",
            "{ $.missing != \"X\" }",
            "{ $.nothing = \"*\" }",
            "{ $.nothing NOT EXISTS }",
            "{ $.missing IS NULL }",
            "{ $.confirmation IS FALSE }",
            "{ $.reason > 5 }",
            "{ $.subscriptions = \"*\" }",
            "{ $.subscriptions[2].reasonCode > 0 }",
            "{ $.reason[0] = \"T\" }",
            "{ $.reason.more = \"T\" }",
            "{ ($.status = \"Failure\" || $.status = \"Success\") && $.status = \"Success\" }",
        ];
        wanted.iter().for_each(|pattern| assert!(matches(pattern), "{pattern}"));
        unwanted.iter().for_each(|pattern| assert!(!matches(pattern), "{pattern}"));
        let pattern = Pattern::parse("{ $.a NOT EXISTS }").expect("a pattern");
        assert!(!pattern.matches("no JSON"));
    }

    #[test]
    fn what_is_no_pattern_is_refused_at_its_place() {
        let cases = [
            ("ERROR \"half", 12, "quotation mark"),
            ("ERROR foo:bar", 10, "quotation marks"),
            ("a -", 4, "a term"),
            ("?", 2, "a term"),
            ("%regex%", 1, "regular expressions"),
            ("[ip, user]", 1, "not offered"),
            ("a\"b\"", 2, "space"),
            ("{", 2, "$.member"),
            ("{}", 2, "$.member"),
            ("{ reason = \"X\" }", 3, "$.member"),
            ("{ $ = \"X\" }", 4, "a member"),
            ("{ $. = \"X\" }", 5, "a member"),
            ("{ $.reason }", 12, "="),
            ("{ $.reason ~ 5 }", 12, "="),
            ("{ $.reason = }", 14, "a value"),
            ("{ $.reason = \"X }", 18, "quotation mark"),
            ("{ $.reason = %X% }", 14, "regular expressions"),
            ("{ $.reason > \"X\" }", 14, "a number"),
            ("{ $.reason > X }", 14, "a number"),
            ("{ $.reason = \"X\" ", 18, "}"),
            ("{ $.reason = \"X\" } more", 20, "nothing"),
            ("{ $.reason = \"X\" & $.b = 1 }", 18, "&&"),
            ("{ ($.reason = \"X\" }", 19, ")"),
            ("{ $.reason = \"X\" || }", 21, "$.member"),
            ("{ $.reason IS NOTHING }", 15, "NULL"),
            ("{ $.reason NOT NULL }", 16, "EXISTS"),
            ("{ $.a[x] = 1 }", 7, "a number"),
            ("{ $.a[1 = 1 }", 8, "]"),
            ("{ $.ü = 1 }", 5, "a member"),
        ];
        let wrong: Vec<_> = cases
            .into_iter()
            .map(|(pattern, at, fragment)| {
                (Pattern::parse(pattern).expect_err(pattern), at, fragment)
            })
            .filter(|(error, at, fragment)| error.at != *at || !error.what.contains(fragment))
            .collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
        let deep = format!("{{ {}$.a = 1{} }}", "(".repeat(200), ")".repeat(200));
        assert!(Pattern::parse(&deep).expect_err("too deep").what.contains("parentheses"));
    }

    proptest! {
        #[test]
        fn nothing_that_is_written_is_too_much(pattern in "[ -~ü]{0,60}", json in any::<bool>()) {
            let pattern = if json { format!("{{ $.reason {pattern} }}") } else { pattern };
            if let Ok(pattern) = Pattern::parse(&pattern) {
                let _ = pattern.matches(ENTRY);
            }
        }

        #[test]
        fn a_quoted_value_is_that_value(value in "[ -~ü]{0,20}") {
            prop_assume!(!value.contains('*'));
            let quoted = value.replace('\\', "\\\\").replace('"', "\\\"");
            let entry = serde_json::json!({ "m": value }).to_string();
            let pattern = Pattern::parse(&format!("{{ $.m = \"{quoted}\" }}")).expect("a pattern");
            prop_assert!(pattern.matches(&entry));
            let other = serde_json::json!({ "m": format!("{value}x") }).to_string();
            prop_assert!(!pattern.matches(&other));
        }
    }
}
