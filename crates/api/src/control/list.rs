//! Which part of a list is asked for, and where the next part begins.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use registry::{Order, Page, Place};
use serde_json::Value;

use super::input::{flag, parameter};
use super::refused::Refused;
use crate::query::Query;

/// Fewest and most entries of one page (spec 11).
const SIZES: std::ops::RangeInclusive<usize> = 1..=250;

/// Entries of a page when the caller names no number. AWS does not say; this is what it does for
/// ListCertificates.
const SIZE_DEFAULT: usize = 25;

/// Names the form of what follows.
const VERSION: &str = "1";

/// The names of the parameters that say which part: the service model has two sets.
#[derive(Clone, Copy)]
pub(super) struct Names {
    /// How many at most.
    pub(super) size: &'static str,
    /// Where the page before ended.
    pub(super) token: &'static str,
    /// Where this one ends, in the answer.
    pub(super) next: &'static str,
}

/// The set of certificates and policies.
pub(super) const MARKER: Names = Names { size: "pageSize", token: "marker", next: "nextMarker" };

/// The set of things.
pub(super) const NEXT_TOKEN: Names =
    Names { size: "maxResults", token: "nextToken", next: "nextToken" };

/// Reads which part of a list is asked for.
pub(super) fn page(query: &Query<'_>, names: Names) -> Result<Page, Refused> {
    let size = match parameter(query, names.size)?.as_deref() {
        None => Some(SIZE_DEFAULT),
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().ok(),
        Some(_) => None,
    };
    let size = size.filter(|size| SIZES.contains(size)).ok_or_else(|| {
        Refused::Input(format!(
            "The query parameter {} must be a whole number from {} to {}.",
            names.size,
            SIZES.start(),
            SIZES.end()
        ))
    })?;
    let after = match parameter(query, names.token)? {
        None => None,
        Some(token) => Some(decode(&token).ok_or_else(|| {
            Refused::Input(format!(
                "The query parameter {} is none that a page of a list had; give it as it came, or \
                 leave it out to begin at the beginning.",
                names.token
            ))
        })?),
    };
    let order = match flag(query, "isAscendingOrder")? {
        true => Order::OldestFirst,
        false => Order::NewestFirst,
    };
    Ok(Page { after, size, order })
}

/// Names the next part in an answer, if there is one.
pub(super) fn put_next(document: &mut Value, names: Names, next: Option<&Place>) {
    if let Some(place) = next {
        document[names.next] = encode(place).into();
    }
}

/// The first `size` of what comes after the page's place by name, of a list that is in that order.
pub(super) fn by_name<'n>(
    names: impl Iterator<Item = &'n str>,
    page: &Page,
) -> (Vec<String>, Option<Place>) {
    let after = page.after.as_ref().map(|place| place.name.as_str());
    let rest = names.filter(|name| after.is_none_or(|after| *name > after));
    // One more tells whether there is another page.
    let mut found: Vec<String> = rest.take(page.size + 1).map(str::to_owned).collect();
    let more = found.len() > page.size;
    found.truncate(page.size);
    let next = found.last().filter(|_| more);
    let next = next.map(|name| Place { created_at: 0, name: name.clone() });
    (found, next)
}

/// In the alphabet that the service model allows.
fn encode(place: &Place) -> String {
    STANDARD.encode(format!("{VERSION}/{}/{}", place.created_at, place.name))
}

fn decode(token: &str) -> Option<Place> {
    let text = String::from_utf8(STANDARD.decode(token).ok()?).ok()?;
    let mut parts = text.splitn(3, '/');
    let (VERSION, created_at, name) = (parts.next()?, parts.next()?, parts.next()?) else {
        return None;
    };
    Some(Place { created_at: created_at.parse().ok()?, name: name.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_leads_to_where_the_page_before_ended() {
        let place = Place { created_at: 1_700_000_000_123, name: "a/b,c".to_owned() };
        assert_eq!(decode(&encode(&place)), Some(place));
        for other in ["", "AAAA", "no token", "MS94L2E="] {
            assert_eq!(decode(other), None, "{other}");
        }
    }

    #[test]
    fn every_wrong_parameter_is_refused() {
        for query in ["pageSize=0", "pageSize=251", "pageSize=+1", "pageSize=", "marker=x"] {
            assert!(page(&Query::split(query), MARKER).is_err(), "{query}");
        }
        let all = page(&Query::split("pageSize=250&isAscendingOrder=True"), MARKER);
        assert_eq!(all, Ok(Page { after: None, size: 250, order: Order::OldestFirst }));
    }

    #[test]
    fn pages_by_name_follow_each_other() {
        let names = ["a", "b", "c"];
        let first = Page { after: None, size: 2, order: Order::OldestFirst };
        let (found, next) = by_name(names.into_iter(), &first);
        assert_eq!(found, ["a", "b"]);
        let (found, next) = by_name(names.into_iter(), &Page { after: next, ..first });
        assert_eq!((found, next), (vec!["c".to_owned()], None));
    }
}
