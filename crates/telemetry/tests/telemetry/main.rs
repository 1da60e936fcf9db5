//! The crate from outside: entries, the log's behaviour, the metrics page.

mod capture;
mod entries;
mod likeness;
mod lines;
mod log;
mod page;
