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
pub(crate) struct Query<'a>(SmallVec<[(&'a str, &'a str); 8]>);

impl<'a> Query<'a> {
    /// Takes a raw query string apart.
    pub(crate) fn split(query: &'a str) -> Self {
        let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        Query(pairs.collect())
    }

    /// The value of the parameter `name`, percent-decoded; unknown parameters are nobody's business
    /// (spec 1.2).
    ///
    /// # Errors
    /// [`ParameterError`].
    pub(crate) fn parameter(&self, name: &str) -> Result<Option<Cow<'a, str>>, ParameterError> {
        let mut found = None;
        for (key, value) in &self.0 {
            let same = *key == name
                || (key.contains('%') && percent::decode(key).is_ok_and(|decoded| decoded == name));
            if same && found.replace(*value).is_some() {
                return Err(ParameterError::Repeated);
            }
        }
        found.map(percent::decode).transpose().map_err(ParameterError::Malformed)
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
    }

    #[test]
    fn repetitions_and_broken_escapes_are_errors() {
        assert_eq!(parameter("a=1&a=1", "a"), Err(ParameterError::Repeated));
        assert!(matches!(parameter("a=%", "a"), Err(ParameterError::Malformed(_))));
    }
}
