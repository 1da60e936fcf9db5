//! The public face of the crate, tried from outside.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod authorities;
mod certificates;
mod possession;
mod refusals;
mod signing;
mod signing_requests;
mod vectors;
