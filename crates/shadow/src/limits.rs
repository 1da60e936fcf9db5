//! The bounds of shadows, with their sources.

use std::time::Duration;

/// Longest name of a thing, in bytes (spec 10.1).
pub const THING_NAME_BYTES: usize = 128;
/// Longest name of a shadow, in bytes (spec 10.1).
pub const SHADOW_NAME_BYTES: usize = 64;
/// Longest client token, in bytes (spec 10.3).
pub const CLIENT_TOKEN_BYTES: usize = 64;
/// Most state of one shadow, in bytes of JSON without white space (spec 10.4). What a request names
/// has the same bound.
pub const STATE_BYTES: usize = 8 * 1024;
/// Longest request, in bytes (ours): white space and what is no state count here. A longer one is
/// refused unread.
pub const REQUEST_BYTES: usize = 64 * 1024;
/// Most objects and arrays inside each other below `desired` or `reported` (spec 0).
pub const LEVELS: usize = 8;
/// How long a deleted shadow leaves its version to the next of its name (spec 10.3).
pub const VERSION_LIFE: Duration = Duration::from_secs(48 * 3_600);
