//! Which part of a list is asked for.

use std::ops::RangeInclusive;

use super::page_token;
use crate::query::Query;
use crate::refused::Refused;

/// Fewest and most entries of one page (spec 2.3 and 2.5).
const MAX_RESULTS: RangeInclusive<usize> = 1..=200;

/// Entries of a page when the caller names no number: AWS says so of ListSubscriptions (spec 2.3).
const MAX_RESULTS_DEFAULT: usize = 20;

/// A part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Page {
    /// The name of the last entry of the page before: pages follow each other by name, so that what
    /// comes and goes meanwhile moves nothing from one to the other.
    pub(super) after: Option<String>,
    /// How many entries it may have.
    pub(super) count: usize,
}

impl Page {
    pub(super) fn parse(query: &Query<'_>) -> Result<Page, Refused> {
        let max_results = query
            .parameter("maxResults")
            .map_err(|error| Refused::MaxResults(error.sentence("maxResults")))?;
        let count = match max_results.as_deref() {
            None => Some(MAX_RESULTS_DEFAULT),
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().ok(),
            Some(_) => None,
        };
        let count = count.filter(|count| MAX_RESULTS.contains(count)).ok_or_else(|| {
            Refused::MaxResults(format!(
                "The query parameter maxResults must be a whole number from {} to {}.",
                MAX_RESULTS.start(),
                MAX_RESULTS.end()
            ))
        })?;
        let token = query
            .parameter("nextToken")
            .map_err(|error| Refused::NextToken(error.sentence("nextToken")))?;
        let after = match token {
            None => None,
            Some(token) => Some(page_token::decode(&token).ok_or_else(|| {
                Refused::NextToken(
                    "The query parameter nextToken is none that a page of this list had; give it \
                     as it came, or leave it out to begin at the beginning."
                        .into(),
                )
            })?),
        };
        Ok(Page { after, count })
    }

    /// The entries of the page, of all that were found after the one before, one more than it may
    /// have; and its token if there is another page.
    pub(super) fn cut<'a, T>(
        &self,
        found: &'a [T],
        name: impl FnOnce(&'a T) -> &'a str,
    ) -> (&'a [T], Option<String>) {
        let entries = &found[..found.len().min(self.count)];
        let last = entries.last().filter(|_| found.len() > self.count);
        (entries, last.map(|last| page_token::encode(name(last))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(query: &str) -> Result<Page, Refused> {
        Page::parse(&Query::split(query))
    }

    #[test]
    fn a_page_begins_after_the_one_before() {
        assert_eq!(parse(""), Ok(Page { after: None, count: 20 }));
        let query = format!("maxResults=200&nextToken={}", page_token::encode("a/b"));
        assert_eq!(parse(&query), Ok(Page { after: Some("a/b".into()), count: 200 }));
    }

    #[test]
    fn every_wrong_parameter_has_its_reason() {
        for value in ["0", "201", "-1", "+1", "", "many", "99999999999999999999", "1&maxResults=1"]
        {
            let refused = parse(&format!("maxResults={value}")).expect_err(value);
            assert_eq!(refused.reason(), "INVALID_MAX_RESULTS_PARAMETER");
        }
        let token = page_token::encode("a");
        for value in ["", "a", "no%20token", &format!("{token}&nextToken={token}")] {
            let refused = parse(&format!("nextToken={value}")).expect_err(value);
            assert_eq!(refused.reason(), "INVALID_NEXT_TOKEN_PARAMETER");
        }
    }

    #[test]
    fn only_a_page_that_is_followed_by_another_has_a_token() {
        let cut = |count, found: &[&'static str]| {
            let (entries, token) = Page { after: None, count }.cut(found, |name| name);
            (entries.to_vec(), token)
        };
        assert_eq!(cut(1, &["a", "b"]), (vec!["a"], Some(page_token::encode("a"))));
        assert_eq!(cut(2, &["a", "b"]), (vec!["a", "b"], None));
        assert_eq!(cut(2, &[]), (vec![], None));
    }
}
