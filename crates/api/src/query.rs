//! The query string of a request.

use std::borrow::Cow;

use smallvec::SmallVec;

use crate::percent;

/// A parameter that cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ParameterError {
    /// It stands there more than once.
    Repeated,
    /// Its value is not well-formed; the text says how.
    Malformed(&'static str),
}

impl ParameterError {
    /// The sentence for the sender.
    pub(crate) fn sentence(self, name: &str) -> String {
        match self {
            ParameterError::Repeated => {
                format!("The query parameter {name} stands more than once; give it once.")
            }
            ParameterError::Malformed(what) => {
                format!("The value of the query parameter {name} {what}.")
            }
        }
    }
}

/// The parameters of a query string, still percent-encoded.
pub(crate) struct Query<'a>(SmallVec<[Pair<'a>; 6]>);

/// One parameter.
struct Pair<'a> {
    key: &'a str,
    value: &'a str,
    /// Whether there is a percent sign in the key, or in the value.
    escapes: (bool, bool),
}

impl<'a> Query<'a> {
    /// Takes a raw query string apart, in one pass.
    pub(crate) fn split(query: &'a str) -> Self {
        let mut pairs = SmallVec::new();
        let (mut start, mut equals, mut escapes) = (0, None, (false, false));
        for (at, byte) in query.bytes().chain([b'&']).enumerate() {
            match byte {
                b'=' if equals.is_none() => equals = Some(at),
                b'%' if equals.is_none() => escapes.0 = true,
                b'%' => escapes.1 = true,
                b'&' => {
                    let end = equals.unwrap_or(at);
                    let value = &query[(end + 1).min(at)..at];
                    pairs.push(Pair { key: &query[start..end], value, escapes });
                    (start, equals, escapes) = (at + 1, None, (false, false));
                }
                _ => {}
            }
        }
        Query(pairs)
    }

    /// The value of the parameter `name`, percent-decoded; unknown parameters are nobody's business
    /// (spec 1.2).
    ///
    /// # Errors
    /// [`ParameterError`].
    pub(crate) fn parameter(&self, name: &str) -> Result<Option<Cow<'a, str>>, ParameterError> {
        let mut found = None;
        for pair in &self.0 {
            if pair.is_named(name) && found.replace(pair).is_some() {
                return Err(ParameterError::Repeated);
            }
        }
        found.map(Pair::decoded).transpose()
    }

    /// The parameter `name`, `true` or `false` in any case (spec 12.9).
    ///
    /// # Errors
    /// The sentence for the sender.
    pub(crate) fn boolean(&self, name: &str) -> Result<Option<bool>, String> {
        match self.parameter(name).map_err(|error| error.sentence(name))?.as_deref() {
            None => Ok(None),
            Some(value) if value.eq_ignore_ascii_case("true") => Ok(Some(true)),
            Some(value) if value.eq_ignore_ascii_case("false") => Ok(Some(false)),
            Some(_) => Err(format!("The query parameter {name} must be true or false.")),
        }
    }

    /// The values of all parameters `name`, percent-decoded, in their order.
    ///
    /// # Errors
    /// [`ParameterError`].
    pub(crate) fn all(&self, name: &str) -> Result<Vec<Cow<'a, str>>, ParameterError> {
        self.0.iter().filter(|pair| pair.is_named(name)).map(Pair::decoded).collect()
    }
}

impl<'a> Pair<'a> {
    fn decoded(&self) -> Result<Cow<'a, str>, ParameterError> {
        if !self.escapes.1 {
            return Ok(Cow::Borrowed(self.value));
        }
        percent::decode(self.value).map_err(ParameterError::Malformed)
    }

    fn is_named(&self, name: &str) -> bool {
        self.key == name
            || (self.escapes.0 && percent::decode(self.key).is_ok_and(|decoded| decoded == name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameter<'a>(query: &'a str, name: &str) -> Result<Option<Cow<'a, str>>, ParameterError> {
        Query::split(query).parameter(name)
    }

    #[test]
    fn a_parameter_is_found_by_its_decoded_name() {
        assert_eq!(parameter("a=1&b=x%2Fy", "b"), Ok(Some("x/y".into())));
        assert_eq!(parameter("%61=1", "a"), Ok(Some("1".into())));
        assert_eq!(parameter("flag&x", "flag"), Ok(Some("".into())));
        assert_eq!(parameter("", "a"), Ok(None));
        assert_eq!(parameter("&&b=&", "b"), Ok(Some("".into())));
        assert_eq!(parameter("a==b", "a"), Ok(Some("=b".into())));
        assert_eq!(parameter("=1", ""), Ok(Some("1".into())));
    }

    #[test]
    fn a_truth_is_written_in_any_case() {
        let boolean = |query| Query::split(query).boolean("a");
        assert_eq!(boolean("b=true"), Ok(None));
        assert_eq!(boolean("a=tRuE"), Ok(Some(true)));
        assert_eq!(boolean("a=FALSE"), Ok(Some(false)));
        for query in ["a", "a=", "a=1", "a=true%20", "a=true&a=true", "a=%"] {
            let sentence = boolean(query).expect_err(query);
            assert!(sentence.starts_with("The "), "{sentence}");
        }
    }

    #[test]
    fn a_parameter_that_may_be_repeated_has_all_its_values() {
        let all = |query| Query::split(query).all("a");
        assert_eq!(all("a=1&b=2&%61=x%2Fy&a"), Ok(vec!["1".into(), "x/y".into(), "".into()]));
        assert_eq!(all("b=2"), Ok(vec![]));
        assert!(matches!(all("a=1&a=%"), Err(ParameterError::Malformed(_))));
    }

    #[test]
    fn repetitions_and_broken_escapes_are_errors() {
        assert_eq!(parameter("a=1&a=1", "a"), Err(ParameterError::Repeated));
        assert!(matches!(parameter("a=%", "a"), Err(ParameterError::Malformed(_))));
    }
}
