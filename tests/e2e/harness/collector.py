"""A collector of traces: it decodes OTLP with OpenTelemetry's own messages."""

import dataclasses
import threading

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest, ExportTraceServiceResponse)
from opentelemetry.proto.trace.v1.trace_pb2 import Span as Proto
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from harness.http_receiver import HttpReceiver, Reply
from harness.patience import wait_until

TAKEN = Reply(200, {"content-type": "application/x-protobuf"})


def taken_but_for(spans, message):
    """The answer of a collector that did not take so many."""
    response = ExportTraceServiceResponse()
    response.partial_success.rejected_spans = spans
    response.partial_success.error_message = message
    return dataclasses.replace(TAKEN, body=response.SerializeToString())


def attributes(pairs):
    """Attributes as a dictionary."""
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in pairs}


class Span:
    """A span, with its numbers in hex digits."""

    def __init__(self, proto, resource):
        self.proto = proto
        self.resource = resource
        self.trace = proto.trace_id.hex()
        self.id = proto.span_id.hex()
        self.parent = proto.parent_span_id.hex()
        self.name = proto.name
        self.kind = Proto.SpanKind.Name(proto.kind)
        self.start, self.end = proto.start_time_unix_nano, proto.end_time_unix_nano
        self.attributes = attributes(proto.attributes)
        self.is_error = proto.status.code == Status.STATUS_CODE_ERROR

    @property
    def seconds(self):
        """How long it took."""
        return (self.end - self.start) / 1e9

    @property
    def reason(self):
        """The reason of a failure, which is told twice."""
        assert self.attributes.get("error.type") == self.attributes.get("tenfour.reason")
        assert bool(self.proto.status.message) == self.is_error
        return self.attributes.get("tenfour.reason")

    def __repr__(self):
        return str(MessageToDict(self.proto))


class Call:
    """The span of a call and those below it, by their names."""

    def __init__(self, span, steps):
        self.span = span
        self.steps = {step.name: step for step in steps}
        assert len(self.steps) == len(steps), steps
        for step in steps:
            assert step.trace == span.trace
            assert span.start <= step.start <= step.end <= span.end, (span, step)
        ordered = sorted(steps, key=lambda step: step.start)
        for before, after in zip(ordered, ordered[1:]):
            assert before.end <= after.start, "one after the other"

    def failed(self):
        """The names of the steps with an error."""
        return [name for name, step in self.steps.items() if step.is_error]


class Collector(HttpReceiver):
    """Takes spans; answers with `replies` as any receiver, and 200 without."""

    def __init__(self, *replies, **options):
        self.spans = []
        self._guard = threading.Lock()
        super().__init__(*(replies or [TAKEN]), **options)

    def take(self, delivery):
        request = ExportTraceServiceRequest.FromString(delivery.body)
        super().take(delivery)
        if delivery.status != 200:
            return
        with self._guard:
            for resource_spans in request.resource_spans:
                resource = attributes(resource_spans.resource.attributes)
                for scope_spans in resource_spans.scope_spans:
                    assert scope_spans.scope.name == "tenfour"
                    self.spans += [Span(span, resource) for span in scope_spans.spans]

    def all(self):
        """The spans that came so far."""
        with self._guard:
            return list(self.spans)

    def calls(self):
        """How many calls are traced so far."""
        return sum(span.kind == "SPAN_KIND_SERVER" for span in self.all())

    def find(self, trace_id):
        """The span of the call with this trace ID, if it came."""
        found = [span for span in self.all()
                 if span.attributes.get("tenfour.trace_id") == trace_id]
        assert len(found) <= 1, found
        return found[0] if found else None

    def call(self, trace_id, seconds=30):
        """The call that was answered with this trace ID."""
        span = wait_until(lambda: self.find(trace_id), f"the span of {trace_id}", seconds)
        return Call(span, [step for step in self.all() if step.parent == span.id])
