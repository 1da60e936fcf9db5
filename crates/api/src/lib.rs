//! The HTTP operations.
//!
//! A request goes through [`router`] (which operation), [`authenticate`] (who calls), one file of
//! [`ops`] (parse, authorise, do) and [`fault`], the only place that knows status codes and error
//! names.

mod authenticate;
mod body;
mod caller;
mod fault;
mod ops;
mod percent;
mod query;
mod router;
mod service;

pub use authenticate::{Against, Rejected, authenticate};
pub use caller::{Caller, Credentials};
pub use service::{Answer, Api};
