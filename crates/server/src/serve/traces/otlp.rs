//! Spans in the messages of OTLP 1.

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind as Kind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{self, ResourceSpans, ScopeSpans, SpanFlags, Status};
use prost::Message;
use telemetry::trace::{AttributeValue, Span, SpanKind};
use uuid::Uuid;

/// The media type of requests and answers.
pub(super) const MEDIA_TYPE: &str = "application/x-protobuf";

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A process, as a collector knows it.
pub(super) struct Process {
    resource: Resource,
}

/// What a collector that answered 200 did not take.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rejected {
    pub(super) spans: usize,
    /// Why, in its words.
    pub(super) message: String,
}

impl Process {
    /// This process, under that name.
    pub(super) fn named(service_name: &str) -> Self {
        let attributes = vec![
            attribute("service.name", Value::StringValue(service_name.to_owned())),
            attribute("service.version", Value::StringValue(VERSION.to_owned())),
            attribute("service.instance.id", Value::StringValue(Uuid::new_v4().to_string())),
        ];
        Process { resource: Resource { attributes, ..Resource::default() } }
    }

    /// The request that tells these spans.
    pub(super) fn request(&self, spans: Vec<Span>) -> Bytes {
        let scope = InstrumentationScope {
            name: "tenfour".to_owned(),
            version: VERSION.to_owned(),
            ..InstrumentationScope::default()
        };
        let scope_spans = ScopeSpans {
            scope: Some(scope),
            spans: spans.into_iter().map(span).collect(),
            schema_url: String::new(),
        };
        let resource_spans = ResourceSpans {
            resource: Some(self.resource.clone()),
            scope_spans: vec![scope_spans],
            schema_url: String::new(),
        };
        let request = ExportTraceServiceRequest { resource_spans: vec![resource_spans] };
        request.encode_to_vec().into()
    }
}

/// What the answer to `sent` spans says that was not taken. One that is no answer of OTLP says nothing.
pub(super) fn rejected(answer: Bytes, sent: usize) -> Option<Rejected> {
    let answer = ExportTraceServiceResponse::decode(answer).ok()?;
    let partial = answer.partial_success?;
    let spans = usize::try_from(partial.rejected_spans).ok()?.min(sent);
    (spans > 0).then_some(Rejected { spans, message: partial.error_message })
}

fn span(span: Span) -> v1::Span {
    let is_remote = span.parent.is_some_and(|parent| parent.is_remote);
    let remote = if is_remote { SpanFlags::ContextIsRemoteMask as u32 } else { 0 };
    let kind = match span.kind {
        SpanKind::Internal => Kind::Internal,
        SpanKind::Server => Kind::Server,
        SpanKind::Producer => Kind::Producer,
    };
    let attributes = span.attributes.into_iter();
    v1::Span {
        trace_id: span.trace.bytes().to_vec(),
        span_id: span.number.bytes().to_vec(),
        parent_span_id: span.parent.map_or_else(Vec::new, |parent| parent.number.bytes().to_vec()),
        // What is told was sampled.
        flags: 1 | SpanFlags::ContextHasIsRemoteMask as u32 | remote,
        name: span.name.to_owned(),
        kind: kind.into(),
        start_time_unix_nano: span.start_nanos,
        end_time_unix_nano: span.end_nanos,
        attributes: attributes.map(|(key, value)| attribute(key, any(value))).collect(),
        status: span.failure.map(|sentence| Status {
            message: sentence.to_string(),
            code: StatusCode::Error.into(),
        }),
        ..v1::Span::default()
    }
}

fn any(value: AttributeValue) -> Value {
    match value {
        AttributeValue::Word(word) => Value::StringValue(word.to_owned()),
        AttributeValue::Text(text) => Value::StringValue(text.to_string()),
        AttributeValue::Number(number) => Value::IntValue(number),
        AttributeValue::Truth(truth) => Value::BoolValue(truth),
    }
}

fn attribute(key: &str, value: Value) -> KeyValue {
    let value = Some(AnyValue { value: Some(value) });
    KeyValue { key: key.to_owned(), value, ..KeyValue::default() }
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTracePartialSuccess;
    use telemetry::TraceId;
    use telemetry::trace::{Parent, SpanNumber, TraceNumber};

    use super::*;

    #[test]
    fn a_span_comes_out_as_it_went_in() {
        let (number, above) = (SpanNumber::random(), SpanNumber::random());
        let told = Span {
            trace: TraceNumber::of(TraceId::from_bytes([7; 16])),
            number,
            parent: Some(Parent { number: above, is_remote: true }),
            name: "write",
            kind: SpanKind::Producer,
            start_nanos: 5,
            end_nanos: 6,
            attributes: vec![
                ("word", AttributeValue::Word("a")),
                ("text", AttributeValue::Text("b".into())),
                ("number", AttributeValue::Number(-7)),
                ("truth", AttributeValue::Truth(true)),
            ],
            failure: Some("Nothing can be written.".into()),
        };
        let bytes = Process::named("lamps").request(vec![told]);
        let request = ExportTraceServiceRequest::decode(bytes).unwrap();
        let [ResourceSpans { resource: Some(resource), scope_spans, .. }] =
            &request.resource_spans[..]
        else {
            panic!("{request:?}")
        };
        let name = attribute("service.name", Value::StringValue("lamps".into()));
        assert_eq!(resource.attributes[0], name);
        let span = &scope_spans[0].spans[0];
        assert_eq!(span.trace_id, [7; 16]);
        assert_eq!(
            (&span.span_id[..], &span.parent_span_id[..]),
            (&number.bytes()[..], &above.bytes()[..])
        );
        assert_eq!((span.name.as_str(), span.kind(), span.flags), ("write", Kind::Producer, 0x301));
        assert_eq!((span.start_time_unix_nano, span.end_time_unix_nano), (5, 6));
        let values: Vec<_> =
            span.attributes.iter().filter_map(|a| a.value.clone()?.value).collect();
        let text = |text: &str| Value::StringValue(text.to_owned());
        assert_eq!(values, [text("a"), text("b"), Value::IntValue(-7), Value::BoolValue(true)]);
        let status = span.status.as_ref().unwrap();
        assert_eq!(
            (status.code(), status.message.as_str()),
            (StatusCode::Error, "Nothing can be written.")
        );
    }

    #[test]
    fn what_was_not_taken_is_read_from_the_answer_and_bounded() {
        let answer = |rejected_spans| {
            let error_message = "too old".to_owned();
            let partial = ExportTracePartialSuccess { rejected_spans, error_message };
            ExportTraceServiceResponse { partial_success: Some(partial) }.encode_to_vec().into()
        };
        let some = |spans| Some(Rejected { spans, message: "too old".to_owned() });
        assert_eq!((rejected(answer(2), 5), rejected(answer(9), 5)), (some(2), some(5)));
        assert_eq!((rejected(answer(0), 5), rejected(answer(-1), 5)), (None, None));
        assert_eq!(rejected(Bytes::new(), 5), None);
        assert_eq!(rejected(Bytes::from_static(b"<html>"), 5), None);
    }
}
