//! What is there after the process was killed, the disk was full, or bytes of it changed.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod child;
mod commits;
mod damage;
mod exhausted;
mod killed;
mod places;
mod random;
