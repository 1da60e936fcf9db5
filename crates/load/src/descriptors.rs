//! How many files this process may have open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::failure::Failure;

/// Standard streams, and for each thread a poller, a waker and a timer, with room to spare.
const BESIDES_CONNECTIONS: u64 = 64;

/// Makes sure of `connections` sockets before the first one is opened. The soft limit is raised
/// where the hard limit allows it.
///
/// # Errors
/// When the hard limit is too low: how many are needed and how many there are.
pub(crate) fn ensure(connections: u64) -> Result<(), Failure> {
    let limit = getrlimit(Resource::Nofile);
    let needed = connections + BESIDES_CONNECTIONS;
    match missing(needed, &limit) {
        Missing::Nothing => Ok(()),
        Missing::Soft => raise(Rlimit { current: Some(needed), maximum: limit.maximum }),
        Missing::Hard { have } => Err(Failure::Descriptors { needed, have }),
    }
}

/// Raises the soft limit to the hard one, for whoever cannot know how many will come.
///
/// # Errors
/// When the system refuses.
pub(crate) fn raise_to_hard() -> Result<(), Failure> {
    let limit = getrlimit(Resource::Nofile);
    raise(Rlimit { current: limit.maximum, ..limit })
}

fn raise(limit: Rlimit) -> Result<(), Failure> {
    setrlimit(Resource::Nofile, limit).map_err(|source| Failure::System {
        what: "raising the limit of open files",
        source: source.into(),
    })
}

#[derive(Debug, PartialEq, Eq)]
enum Missing {
    Nothing,
    /// The soft limit is too low, the hard one is not.
    Soft,
    Hard {
        have: u64,
    },
}

/// What is missing; `None` in a limit means that there is none.
fn missing(needed: u64, limit: &Rlimit) -> Missing {
    match (limit.current, limit.maximum) {
        (None, _) => Missing::Nothing,
        (Some(soft), _) if soft >= needed => Missing::Nothing,
        (Some(_), Some(hard)) if hard < needed => Missing::Hard { have: hard },
        (Some(_), _) => Missing::Soft,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(current: u64, maximum: u64) -> Rlimit {
        Rlimit { current: Some(current), maximum: Some(maximum) }
    }

    #[test]
    fn the_soft_limit_may_be_raised_and_the_hard_one_not() {
        assert_eq!(missing(100, &limit(100, 100)), Missing::Nothing);
        assert_eq!(missing(101, &limit(100, 200)), Missing::Soft);
        assert_eq!(missing(201, &limit(100, 200)), Missing::Hard { have: 200 });
        assert_eq!(missing(201, &Rlimit { current: None, maximum: None }), Missing::Nothing);
    }

    #[test]
    fn more_than_the_system_gives_is_refused_with_both_numbers() {
        let Some(hard) = getrlimit(Resource::Nofile).maximum else { return };
        let message = ensure(hard + 1).unwrap_err().to_string();
        assert!(message.contains(&(hard + 1 + BESIDES_CONNECTIONS).to_string()), "{message}");
        assert!(message.contains(&format!("limit is {hard};")), "{message}");
    }
}
