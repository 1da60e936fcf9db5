//! How a caller proves who it is: AWS Signature Version 4 ([`sigv4`]) and X.509 client
//! certificates ([`x509`]).
//!
//! This crate decides and does nothing else. It has no clock (the time is an argument), no
//! randomness, no files and no sockets, and it does not know which credentials exist: the caller
//! looks up the secret or the certificate record and brings it along.

mod hex;
pub mod sigv4;
pub mod x509;
