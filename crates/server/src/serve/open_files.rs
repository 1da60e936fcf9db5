//! The bound on open descriptors.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the soft limit to the hard one: every connection needs a descriptor.
pub fn raise() {
    let limit = getrlimit(Resource::Nofile);
    // What cannot be raised stays as it is; running out is met where connections are accepted.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}
