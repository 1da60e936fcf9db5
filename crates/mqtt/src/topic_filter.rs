//! Topic filters and matching.

use std::fmt;

use crate::topic_name::TopicName;
use crate::writer::MAX_FIELD_LEN;

/// What every shared subscription starts with.
pub(crate) const SHARE_PREFIX: &str = "$share/";

/// A subscription's pattern: plain, with wildcards, or shared (`$share/{group}/{filter}`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicFilter<'a> {
    whole: &'a str,
    /// `whole` without `$share/{group}/`.
    inner: &'a str,
}

/// Why a text is not a topic filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TopicFilterError {
    /// The text, or the filter of a shared subscription, is empty `[MQTT-4.7.3-1]`.
    #[error("topic filter is empty; it needs at least one character")]
    Empty,
    /// The text does not fit in an MQTT string `[MQTT-4.7.3-3]`.
    #[error("topic filter is {0} bytes long; at most 65535 fit in an MQTT string")]
    TooLong(usize),
    /// The text contains U+0000 `[MQTT-4.7.3-2]`.
    #[error("topic filter contains U+0000, which no MQTT string may contain")]
    NulCharacter,
    /// `#` stands beside other characters or before the last level `[MQTT-4.7.1-1]`.
    #[error("'#' in a topic filter must be a whole level and the last one")]
    MultiLevelWildcard,
    /// `+` stands beside other characters `[MQTT-4.7.1-2]`.
    #[error("'+' in a topic filter must be a whole level")]
    SingleLevelWildcard,
    /// A shared subscription has no group, a wildcard in its group, or no filter `[MQTT-4.8.2-1]`.
    #[error("a shared subscription is $share/{{group}}/{{filter}}, the group without '+' and '#'")]
    Share,
}

impl<'a> TopicFilter<'a> {
    /// Checks `text` and borrows it.
    ///
    /// # Errors
    /// When the text is empty, too long, contains U+0000, misplaces a wildcard or starts with
    /// `$share/` without naming a group and a filter.
    pub fn parse(text: &'a str) -> Result<Self, TopicFilterError> {
        if text.len() > MAX_FIELD_LEN {
            return Err(TopicFilterError::TooLong(text.len()));
        }
        if memchr::memchr(0, text.as_bytes()).is_some() {
            return Err(TopicFilterError::NulCharacter);
        }
        let inner = match text.strip_prefix(SHARE_PREFIX) {
            None => text,
            Some(shared) => {
                let (group, inner) = shared.split_once('/').ok_or(TopicFilterError::Share)?;
                if group.is_empty() || group.contains(['+', '#']) {
                    return Err(TopicFilterError::Share);
                }
                inner
            }
        };
        Self::check_wildcards(inner)?;
        Ok(Self { whole: text, inner })
    }

    fn check_wildcards(inner: &str) -> Result<(), TopicFilterError> {
        if inner.is_empty() {
            return Err(TopicFilterError::Empty);
        }
        let mut levels = inner.split('/').peekable();
        while let Some(level) = levels.next() {
            if level.contains('#') && (level.len() > 1 || levels.peek().is_some()) {
                return Err(TopicFilterError::MultiLevelWildcard);
            }
            if level.contains('+') && level.len() > 1 {
                return Err(TopicFilterError::SingleLevelWildcard);
            }
        }
        Ok(())
    }

    /// The whole text, `$share/{group}/` included.
    #[must_use]
    pub fn as_str(self) -> &'a str {
        self.whole
    }

    /// The filter that topics are matched with: the text without `$share/{group}/`.
    #[must_use]
    pub fn inner(self) -> &'a str {
        self.inner
    }

    /// The levels of [`inner`](Self::inner), wildcards as they stand.
    pub fn levels(self) -> impl Iterator<Item = &'a str> {
        self.inner.split('/')
    }

    /// The group of a shared subscription.
    #[must_use]
    pub fn share_group(self) -> Option<&'a str> {
        let shared = self.whole.strip_prefix(SHARE_PREFIX)?;
        shared.split_once('/').map(|(group, _)| group)
    }

    /// Whether a level is `+` or `#`.
    #[must_use]
    pub fn has_wildcard(self) -> bool {
        // The parsed filter has these characters only as whole levels.
        memchr::memchr2(b'+', b'#', self.inner.as_bytes()).is_some()
    }

    /// Whether a message with this topic belongs to the subscription, by the standard's rules:
    /// `a/#` matches `a` too, and a wildcard in the first level does not match a topic that starts
    /// with `$` `[MQTT-4.7.2-1]`.
    #[must_use]
    pub fn matches(self, topic: TopicName<'_>) -> bool {
        if topic.as_str().starts_with('$') && self.inner.starts_with(['+', '#']) {
            return false;
        }
        let mut filter_levels = self.inner.split('/');
        let mut topic_levels = topic.as_str().split('/');
        loop {
            match (filter_levels.next(), topic_levels.next()) {
                (Some("#"), _) | (None, None) => return true,
                (Some("+"), Some(_)) => {}
                (Some(want), Some(have)) if want == have => {}
                (Some(_), Some(_) | None) | (None, Some(_)) => return false,
            }
        }
    }
}

impl fmt::Debug for TopicFilter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.whole, f)
    }
}

impl fmt::Display for TopicFilter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.whole)
    }
}
