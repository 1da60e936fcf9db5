//! Traces in OpenTelemetry's sense: what a request took its time for, told to a collector.
//!
//! Everything here is a value. Whoever has a span that ended gives it to a [`SpanSink`], which must not
//! wait.

mod sampler;
mod span;
mod trace_parent;

pub use sampler::Sampler;
pub use span::{AttributeValue, Parent, Span, SpanKind, SpanSink};
pub use trace_parent::{SpanNumber, TraceNumber, TraceParent};
