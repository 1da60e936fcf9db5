//! A span that has ended.

use std::sync::Arc;

use super::{SpanNumber, TraceNumber};

/// A piece of work that has ended, as OpenTelemetry has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// The trace.
    pub trace: TraceNumber,
    /// Its own number.
    pub number: SpanNumber,
    /// The span that it is a part of; none for the first of a trace.
    pub parent: Option<Parent>,
    /// What was done, one of a few words.
    pub name: &'static str,
    /// Which side of a call it is.
    pub kind: SpanKind,
    /// When it began, in nanoseconds since 1970.
    pub start_nanos: u64,
    /// When it ended, in nanoseconds since 1970; not before it began.
    pub end_nanos: u64,
    /// What is known of it, by the names of OpenTelemetry's semantic conventions and our own.
    pub attributes: Vec<(&'static str, AttributeValue)>,
    /// The sentence that says what went wrong, if something did.
    pub failure: Option<Arc<str>>,
}

/// The span that another one is a part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parent {
    /// Its number.
    pub number: SpanNumber,
    /// Whether it is another process's.
    pub is_remote: bool,
}

/// Which side of a call a span is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpanKind {
    /// Work inside of the process.
    Internal,
    /// A request that is answered.
    Server,
    /// A message that is handed to somebody who may go on with the trace.
    Producer,
}

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq)]
pub enum AttributeValue {
    /// A word that is known beforehand.
    Word(&'static str),
    /// Any text.
    Text(Arc<str>),
    /// A whole number.
    Number(i64),
    /// Yes or no.
    Truth(bool),
}

/// Who takes spans that have ended. Called on the thread that answers the request; it must not wait.
pub trait SpanSink: Send + Sync {
    /// Takes the spans of one request, or drops them.
    fn take(&self, spans: Vec<Span>);
}
