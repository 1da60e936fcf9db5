//! How much a crash may take.

/// What the node promises about state that outlives a connection, and so what it can lose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// What was acknowledged is on the disk. Nothing acknowledged is lost, not even when the power
    /// fails, as long as the disk keeps what it said it wrote.
    #[default]
    Always,
    /// What was acknowledged is with the operating system, which has it on the disk within about
    /// [`SYNC_EVERY`](crate::SYNC_EVERY). Nothing acknowledged is lost when the process ends, by
    /// `kill -9` too; the last fraction of a second is lost when the power fails or the kernel does.
    Batched,
    /// Nothing is written. All sessions, queued and retained messages are lost when the process
    /// ends, however it ends.
    Memory,
}

impl Durability {
    /// Every choice, the safest first.
    pub const ALL: [Self; 3] = [Self::Always, Self::Batched, Self::Memory];

    /// The word for it in the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::Batched => "batched",
            Self::Memory => "memory",
        }
    }

    /// The choice of that name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|choice| choice.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_found_by_its_name_and_no_other() {
        for choice in Durability::ALL {
            assert_eq!(Durability::by_name(choice.name()), Some(choice));
        }
        assert_eq!(Durability::by_name("Always"), None);
        assert_eq!(Durability::by_name(""), None);
    }
}
