//! Numbers as they were written.

/// A JSON number, in the very digits in which it came.
#[derive(Clone, Debug)]
pub(crate) struct Number(Box<str>);

/// Its value: `0.digits` times ten to the power of `exponent`, without zeros at either end.
#[derive(PartialEq, Eq)]
struct Value {
    negative: bool,
    digits: String,
    exponent: i128,
}

impl Number {
    /// A text that the JSON reader found to be a number.
    pub(crate) fn new(text: &str) -> Self {
        Number(text.into())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// None if its exponent is beyond every reason.
    fn value(&self) -> Option<Value> {
        let (negative, unsigned) = match self.0.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, &*self.0),
        };
        let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
        let exponent: i64 = exponent.parse().ok()?;
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = [whole, fraction].concat();
        let significant = all.trim_start_matches('0');
        let leading = all.len() - significant.len();
        let digits = significant.trim_end_matches('0').to_owned();
        if digits.is_empty() {
            // Zero is neither negative nor scaled.
            return Some(Value { negative: false, digits, exponent: 0 });
        }
        let exponent = i128::from(exponent) + whole.len() as i128 - leading as i128;
        Some(Value { negative, digits, exponent })
    }
}

/// Equal in value, whatever the form: 1, 1.0 and 1e0 are. Exact, for numbers of any length.
impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
            || matches!((self.value(), other.value()), (Some(own), Some(its)) if own == its)
    }
}

impl Eq for Number {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn equal(a: &str, b: &str) -> bool {
        Number::new(a) == Number::new(b)
    }

    #[test]
    fn the_form_of_a_number_does_not_matter() {
        for forms in [
            &["1", "1.0", "1e0", "10E-1", "0.1e1", "100e-2", "1.00E+0"][..],
            &["0", "-0", "0.0", "0e5", "-0.00E-9"],
            &["-120", "-1.2e2", "-120.0"],
            &["123456789012345678901234567890", "1.2345678901234567890123456789e29"],
        ] {
            for (a, b) in forms.iter().flat_map(|a| forms.iter().map(move |b| (a, b))) {
                assert!(equal(a, b), "{a} {b}");
            }
        }
    }

    #[test]
    fn numbers_that_a_float_takes_for_the_same_are_not() {
        assert!(!equal("9007199254740993", "9007199254740992"));
        assert!(!equal("0.1", "0.10000000000000000001"));
        assert!(!equal("1", "-1"));
        assert!(!equal("1e400", "1e401"));
        // Beyond every reason: as written.
        let huge = format!("1e{}", "9".repeat(30));
        assert!(equal(&huge, &huge));
        assert!(!equal(&huge, &format!("{huge}9")));
    }

    proptest! {
        #[test]
        fn agrees_with_whole_numbers(a in -50_i64..50, b in -50_i64..50, zeros in 0_usize..4) {
            let padded = format!("{b}.{}", "0".repeat(zeros + 1));
            prop_assert_eq!(equal(&a.to_string(), &padded), a == b);
            prop_assert_eq!(equal(&format!("{a}e2"), &(b * 100).to_string()), a == b);
        }
    }
}
