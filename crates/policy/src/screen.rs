//! A first look at a resource pattern: a few bytes that tell most patterns from a request's
//! resource, compared before the pattern itself is fetched from memory.

use crate::arn::{ResourcePattern, Tail};
use crate::resource::{Kind, Resource};

/// How many bytes of a name a screen compares.
const WINDOW: usize = 8;

/// What one resource pattern demands of a resource at the least. It may let a resource pass that
/// the pattern does not match, and never holds one back that it matches.
///
/// The bytes compared are the last ones of the text that a matching name must begin with: the
/// names that policies list differ at the end (`devices/lamp-1`), not at the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Screen {
    /// The bytes, zeros after them. (An array, and no number, keeps the struct at 12 bytes.)
    expected: [u8; WINDOW],
    /// Where in the name they stand.
    at: u16,
    /// Half of the bits that do not count, a text shorter than the window having fewer: they are
    /// shifted out in two halves, because a shift by all 64 bits is none.
    slack: u8,
    kinds: KindSet,
}

impl Screen {
    /// Lets everything pass.
    pub(crate) const OPEN: Screen =
        Screen { expected: [0; WINDOW], at: 0, slack: 32, kinds: KindSet::EVERYTHING };

    /// The screen of `pattern`; `None` for one that matches no resource of ours.
    pub(crate) fn of(pattern: &ResourcePattern) -> Option<Screen> {
        let ResourcePattern::Arn { tail, .. } = pattern else { return Some(Screen::OPEN) };
        match tail {
            Tail::Everything | Tail::Whole(_) => {
                Some(Screen { kinds: KindSet::NAMED, ..Screen::OPEN })
            }
            Tail::Named(kind, pattern) => {
                Some(Screen { kinds: KindSet::of(Some(*kind)), ..Screen::of_lead(pattern.lead()) })
            }
            Tail::Foreign => None,
        }
    }

    /// The screen of names that begin with `lead`.
    fn of_lead(lead: &str) -> Screen {
        let at = lead.len().saturating_sub(WINDOW);
        let bytes = &lead.as_bytes()[at..];
        let slack = 4 * (WINDOW - bytes.len());
        match (u16::try_from(at), u8::try_from(slack)) {
            (Ok(at), Ok(slack)) => Screen { expected: padded(bytes), at, slack, ..Screen::OPEN },
            // Longer than a pattern can be.
            (Err(_), _) | (_, Err(_)) => Screen::OPEN,
        }
    }

    /// Whether the pattern may match.
    #[inline]
    pub(crate) fn admits(&self, view: &View<'_>) -> bool {
        let found = view.window(usize::from(self.at));
        let differing = u64::from_le_bytes(found) ^ u64::from_le_bytes(self.expected);
        differing << self.slack << self.slack == 0 && self.kinds.meets(view.kind)
    }
}

/// The resource of a request as screens see it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View<'a> {
    name: &'a [u8],
    /// The start of the name, zeros after its end.
    start: [u8; WINDOW],
    kind: KindSet,
}

impl<'a> View<'a> {
    pub(crate) fn of(resource: Resource<'a>) -> View<'a> {
        let (kind, name) = resource.named().unzip();
        let name = name.unwrap_or("").as_bytes();
        View { name, start: padded(&name[..name.len().min(WINDOW)]), kind: KindSet::of(kind) }
    }

    /// The bytes from `at` on. A name that ends before them is compared by its start: where it
    /// is as long as the screen's text, that is right, and elsewhere it does no harm.
    #[inline]
    fn window(&self, at: usize) -> [u8; WINDOW] {
        let window = self.name.get(at..at + WINDOW).and_then(<[u8]>::first_chunk);
        *window.unwrap_or(&self.start)
    }
}

/// A window of `bytes`, which are at most as many, and zeros.
fn padded(bytes: &[u8]) -> [u8; WINDOW] {
    let mut window = [0; WINDOW];
    window[..bytes.len()].copy_from_slice(bytes);
    window
}

/// Kinds of resources; the lack of one ([`Resource::Any`]) counts as a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct KindSet(u8);

impl KindSet {
    const NAMED: KindSet = KindSet((1 << KindSet::NONE) - 1);
    const EVERYTHING: KindSet = KindSet(u8::MAX);

    /// The bit for the lack of a kind. Should there be more kinds than bits, the last ones share
    /// one: a screen may let pass what its pattern does not match.
    const NONE: usize = 7;

    fn of(kind: Option<Kind>) -> KindSet {
        let bit = kind.map_or(KindSet::NONE, |kind| (kind as usize).min(KindSet::NONE - 1));
        KindSet(1 << bit)
    }

    #[inline]
    fn meets(self, other: KindSet) -> bool {
        self.0 & other.0 != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Facts;
    use crate::{Context, Scope};
    use proptest::prelude::*;

    const ACCOUNT: &str = "arn:aws:iot:us-west-2:123456789012:";

    fn screen(pattern: &str) -> Option<Screen> {
        Screen::of(&ResourcePattern::parse(pattern).expect(pattern))
    }

    fn admits(tail: &str, resource: Resource<'_>) -> bool {
        screen(&format!("{ACCOUNT}{tail}")).expect(tail).admits(&View::of(resource))
    }

    #[test]
    fn a_screen_tells_kinds_and_the_ends_of_leads_apart() {
        let topic = Resource::Topic("devices/lamp-1/state");
        assert!(admits("topic/devices/lamp-1/*", topic));
        assert!(admits("topic/dev*", topic));
        assert!(admits("topic/*", topic));
        assert!(admits("*", topic));
        assert!(!admits("topic/devices/lamp-2/*", topic));
        assert!(!admits("topic/den*", topic));
        assert!(!admits("topicfilter/devices/lamp-1/*", topic));
        assert!(!admits("topic/devices/lamp-1/state/*", topic));
        assert!(admits("topic/a", Resource::Topic("a")));
        assert!(!admits("topic/b", Resource::Topic("a")));
    }

    #[test]
    fn only_the_bare_star_admits_a_request_without_resource() {
        assert!(Screen::OPEN.admits(&View::of(Resource::Any)));
        assert!(!admits("*", Resource::Any));
        assert_eq!(screen("*"), Some(Screen::OPEN));
    }

    #[test]
    fn a_foreign_kind_has_no_screen() {
        assert_eq!(screen(&format!("{ACCOUNT}rule/*")), None);
    }

    proptest! {
        #[test]
        fn what_matches_is_admitted(
            kind in prop_oneof!["topic/", "client/", "topicfilter/", "thing/", "", "\\*"],
            pattern in "[ab/é*?]{0,3}(xxxxxx|\\$\\{iot:ClientId\\}|)[ab/é*?]{0,6}",
            name in "[ab/é]{0,3}(xxxxxx|)[ab/é]{0,6}",
        ) {
            let scope = Scope::new("us-west-2", "123456789012");
            let context = Context { client_id: Some("xxxxxx"), ..Context::default() };
            let facts = Facts::new(&context, &scope);
            let pattern = ResourcePattern::parse(&format!("{ACCOUNT}{kind}{pattern}"));
            let pattern = pattern.expect("well-formed");
            for resource in [
                Resource::Topic(&name),
                Resource::Client(&name),
                Resource::TopicFilter(&name),
                Resource::Thing(&name),
                Resource::LogGroup(&name),
                Resource::Any,
            ] {
                let admitted = Screen::of(&pattern).is_some_and(|s| s.admits(&View::of(resource)));
                prop_assert!(admitted || !pattern.matches(resource, &scope, &facts));
            }
        }
    }
}
