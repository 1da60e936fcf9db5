//! A topic name that owns its text.

use std::fmt;

use crate::topic_name::TopicName;

/// A topic name kept beyond the packet it came in. Made only from a [`TopicName`], so it needs no
/// second check.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicNameBuf(Box<str>);

impl TopicNameBuf {
    /// Borrows it.
    #[must_use]
    #[inline]
    pub fn as_name(&self) -> TopicName<'_> {
        TopicName::checked(&self.0)
    }

    /// The text of the topic.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<TopicName<'_>> for TopicNameBuf {
    fn from(name: TopicName<'_>) -> Self {
        TopicNameBuf(name.as_str().into())
    }
}

impl fmt::Debug for TopicNameBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}
