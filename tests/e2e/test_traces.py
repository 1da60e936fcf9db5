"""Traces: the spans of direct messages as a collector gets them, and the caller's trace carried on."""

import threading
import time

import httpx
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from harness import signing
from harness.collector import Collector
from harness.senders import BotoSender, RawSender
from harness.traced import (
    NOWHERE, PARENT, SPAN, TOPIC, TRACE, confirm, device, never_sent, settings)
from harness.wire_device import tls_context


@pytest.fixture(scope="module")
def shared_collector():
    """The collector of most tests."""
    with Collector() as collector:
        yield collector


@pytest.fixture(scope="module")
def shared_server(start, shared_collector):
    """Its server."""
    server = start("traces-shared", "--unlimited", settings=settings(shared_collector.port))
    yield server
    assert server.stop(60) == 0
    assert "panicked" not in server.printed()


@pytest.fixture
def raw(shared_server):
    """Requests to it."""
    with RawSender(shared_server, shared_server.admin) as sender:
        yield sender


def test_a_confirmed_message_has_a_span_and_one_for_each_step(shared_server, shared_collector, raw,
                                                              people, client_id):
    lamp = device(shared_server, people, client_id)
    before = time.time_ns()
    answer = confirm(raw, client_id)
    after = time.time_ns()
    lamp.close()
    call = shared_collector.call(answer.trace_id)
    span = call.span
    assert list(call.steps) == ["authorise", "route", "write", "acknowledge"]
    assert span.trace == answer.trace_id.replace("-", ""), "a new trace has the trace ID of the call"
    assert (span.parent, span.kind) == ("", "SPAN_KIND_SERVER")
    assert span.name == "POST /connections/{clientId}/messages"
    # Within what the caller saw, by the same clock; its granularity is not ours.
    assert before - 10**7 <= span.start <= span.end <= after + 10**7
    entry = shared_server.log.the_send(answer.trace_id)
    assert span.attributes == {
        "http.request.method": "POST",
        "http.route": "/connections/{clientId}/messages",
        "http.response.status_code": 200,
        "url.path": f"/connections/{client_id}/messages",
        "url.scheme": "https",
        "client.address": "127.0.0.1",
        "messaging.system": "mqtt",
        "messaging.operation.name": "send",
        "messaging.operation.type": "send",
        "messaging.destination.name": TOPIC,
        "messaging.client.id": client_id,
        "messaging.message.body.size": len("payload"),
        "tenfour.trace_id": answer.trace_id,
        "tenfour.principal_id": entry["principalId"],
        "tenfour.confirmation": True,
        "tenfour.connection_epoch": entry["connectionEpoch"],
    }
    assert not span.is_error and not call.failed()
    assert span.resource["service.name"] == "tenfour"
    assert {"service.version", "service.instance.id"} <= set(span.resource)
    kinds = {name: step.kind for name, step in call.steps.items()}
    assert kinds.pop("write") == "SPAN_KIND_PRODUCER"
    assert set(kinds.values()) == {"SPAN_KIND_INTERNAL"}
    assert call.steps["write"].attributes["messaging.client.id"] == client_id
    assert call.steps["authorise"].start == span.start


def test_the_acknowledgement_lasts_until_the_devices_puback(shared_server, shared_collector, raw,
                                                            people, client_id):
    lamp = device(shared_server, people, client_id, manual_ack=True)
    answers = []
    call = threading.Thread(target=lambda: answers.append(confirm(raw, client_id)))
    call.start()
    message = lamp.message()
    time.sleep(1)
    lamp.acknowledge(message)
    call.join(30)
    lamp.close()
    call = shared_collector.call(answers[0].trace_id)
    acknowledge = call.steps["acknowledge"]
    assert 0.9 <= acknowledge.seconds <= call.span.seconds
    entry = shared_server.log.the_send(answers[0].trace_id)
    assert acknowledge.seconds == pytest.approx(entry["ackMs"] / 1e3, abs=0.002)


def test_without_a_confirmation_nothing_is_waited_for(shared_server, shared_collector, raw, people,
                                                      client_id):
    lamp = device(shared_server, people, client_id)
    answer = raw.send(client_id, TOPIC, b"x")
    assert answer.status == 200 and lamp.message().payload == b"x"
    lamp.close()
    call = shared_collector.call(answer.trace_id)
    assert list(call.steps) == ["authorise", "route", "write"]
    assert call.span.attributes["tenfour.confirmation"] is False


def test_a_timeout_is_an_error_of_the_acknowledgement(shared_server, shared_collector, raw, people,
                                                      client_id):
    lamp = device(shared_server, people, client_id, manual_ack=True)
    answer = confirm(raw, client_id, status=504, timeout=1)
    call = shared_collector.call(answer.trace_id)
    lamp.close()
    assert call.failed() == ["acknowledge"]
    assert call.steps["acknowledge"].reason == "DELIVERY_CONFIRMATION_TIMEOUT"
    assert call.steps["acknowledge"].seconds >= 0.9
    assert call.span.is_error and call.span.reason == "DELIVERY_CONFIRMATION_TIMEOUT"
    assert call.span.attributes["tenfour.delivery"] == "sent-unacknowledged"
    assert call.span.attributes["http.response.status_code"] == 504


def test_a_device_that_goes_away_is_an_error_of_the_acknowledgement(shared_server, shared_collector,
                                                                    raw, people, client_id):
    lamp = device(shared_server, people, client_id, manual_ack=True)
    answers = []
    call = threading.Thread(
        target=lambda: answers.append(confirm(raw, client_id, status=504)))
    call.start()
    lamp.message()
    lamp.close()
    call.join(30)
    call = shared_collector.call(answers[0].trace_id)
    assert call.failed() == ["acknowledge"] and call.span.reason == "RECEIVER_DISCONNECTED"


def test_a_refusal_is_an_error_of_the_step_that_refused(shared_server, shared_collector, raw, people,
                                                        client_id):
    absent = confirm(raw, NOWHERE, status=404)
    call = shared_collector.call(absent.trace_id)
    assert (list(call.steps), call.failed()) == (["authorise", "route"], ["route"])
    assert call.span.reason == call.steps["route"].reason == "TARGET_CLIENT_ID_NOT_FOUND"
    assert call.span.attributes["tenfour.delivery"] == "never-sent"
    invalid = raw.send(NOWHERE, "a/#", b"")
    assert invalid.status == 400
    call = shared_collector.call(invalid.trace_id)
    assert (list(call.steps), call.failed()) == (["authorise"], ["authorise"])
    assert call.span.reason == "INVALID_TOPIC" and call.span.attributes["tenfour.delivery"] == "refused"
    lamp = device(shared_server, people, client_id, MaximumPacketSize=1024)
    large = raw.send(client_id, TOPIC, b"x" * 1100)
    lamp.close()
    assert large.status == 413
    call = shared_collector.call(large.trace_id)
    assert call.failed() == ["route"] and call.span.reason == "RECEIVER_PACKET_TOO_LARGE"


def test_credentials_that_do_not_hold_are_an_error_of_the_authorisation(shared_server,
                                                                        shared_collector):
    with RawSender(shared_server) as sender:
        answer = sender.send(NOWHERE, TOPIC, b"", {"traceparent": PARENT})
    assert answer.status == 403
    call = shared_collector.call(answer.trace_id)
    assert (list(call.steps), call.failed()) == (["authorise"], ["authorise"])
    assert call.span.is_error and call.span.reason == answer.json["reason"]
    assert (call.span.trace, call.span.parent) == (TRACE, SPAN)


def test_the_span_of_a_real_caller_is_the_parent(shared_server, shared_collector, people, client_id):
    """boto3, with the header put in by OpenTelemetry's own propagator before it signs."""
    tracer = TracerProvider().get_tracer("backend")
    boto = BotoSender(shared_server, shared_server.admin)
    boto.client.meta.events.register(
        "before-sign.iot-data",
        lambda request, **_: TraceContextTextMapPropagator().inject(request.headers))
    lamp = device(shared_server, people, client_id)
    with tracer.start_as_current_span("switch the lamp on") as backend:
        answer = boto.send(client_id, TOPIC, confirmation=True, timeout=15, payload=b"on")
    lamp.close()
    context = backend.get_span_context()
    call = shared_collector.call(answer.trace_id)
    assert call.span.trace == f"{context.trace_id:032x}"
    assert call.span.parent == f"{context.span_id:016x}"
    assert call.span.proto.flags & 0x301 == 0x301, "sampled, and the parent is another process's"
    assert all(step.proto.flags & 0x301 == 0x101 for step in call.steps.values())
    assert backend.start_time <= call.span.end and call.span.start <= backend.end_time


def test_a_caller_that_does_not_sample_has_no_spans(shared_server, shared_collector):
    provider = TracerProvider(sampler=ALWAYS_OFF)
    headers = {}
    with provider.get_tracer("backend").start_as_current_span("unseen"):
        TraceContextTextMapPropagator().inject(headers)
    assert int(headers["traceparent"][-2:], 16) & 1 == 0, headers
    (unseen,) = never_sent(shared_server, headers=headers)
    (seen,) = never_sent(shared_server)
    # They would have come in this order.
    shared_collector.call(seen.trace_id)
    assert shared_collector.find(unseen.trace_id) is None


@pytest.mark.parametrize("header", [
    "nonsense",
    "",
    f"00-{TRACE}-{SPAN}",
    f"00-{'0' * 32}-{SPAN}-01",
    f"00-{TRACE}-{'0' * 16}-01",
    f"00-{TRACE.upper()}-{SPAN}-01",
    f"ff-{TRACE}-{SPAN}-01",
    f"00-{TRACE}-{SPAN}-01-more",
    f"00-{TRACE}-{SPAN}-01, 00-{TRACE}-{SPAN}-01",
])
def test_a_header_that_is_not_valid_begins_a_new_trace(shared_server, shared_collector, header):
    (answer,) = never_sent(shared_server, headers={"traceparent": header})
    span = shared_collector.call(answer.trace_id).span
    assert (span.trace, span.parent) == (answer.trace_id.replace("-", ""), "")


def test_a_header_of_a_later_version_is_read_as_far_as_it_is_known(shared_server, shared_collector):
    (answer,) = never_sent(shared_server, headers={"traceparent": f"cc-{TRACE}-{SPAN}-01-what-else"})
    span = shared_collector.call(answer.trace_id).span
    assert (span.trace, span.parent) == (TRACE, SPAN)


def test_a_repetition_names_what_it_repeats_and_writes_nothing(shared_server, shared_collector, raw,
                                                               people, client_id):
    lamp = device(shared_server, people, client_id)
    headers = {"x-tenfour-idempotency-key": f"key-{client_id}"}
    original = confirm(raw, client_id, headers)
    again = confirm(raw, client_id, headers)
    lamp.message()
    assert lamp.no_message()
    lamp.close()
    assert "tenfour.repeats" not in shared_collector.call(original.trace_id).span.attributes
    call = shared_collector.call(again.trace_id)
    assert call.span.attributes["tenfour.repeats"] == original.trace_id
    assert "write" not in call.steps and not call.span.is_error


def test_a_repetition_that_joins_waits_for_the_puback(shared_server, shared_collector, people,
                                                      client_id):
    lamp = device(shared_server, people, client_id, manual_ack=True)
    headers = {"x-tenfour-idempotency-key": f"key-{client_id}"}
    answers = []

    def send():
        with RawSender(shared_server, shared_server.admin) as sender:
            answers.append(confirm(sender, client_id, headers))

    first, second = threading.Thread(target=send), threading.Thread(target=send)
    first.start()
    message = lamp.message()
    second.start()
    time.sleep(1)
    lamp.acknowledge(message)
    first.join(30)
    second.join(30)
    lamp.close()
    calls = [shared_collector.call(answer.trace_id) for answer in answers]
    (original,) = [call for call in calls if "write" in call.steps]
    (joined,) = [call for call in calls if "write" not in call.steps]
    assert joined.span.attributes["tenfour.repeats"] == original.span.attributes["tenfour.trace_id"]
    assert list(joined.steps) == ["authorise", "acknowledge"] and not joined.span.is_error


def test_a_response_and_a_wait_for_the_device_are_part_of_it(shared_server, shared_collector, raw,
                                                             people, client_id):
    answers = []
    headers = {"x-tenfour-wait": "response", "x-tenfour-wait-online-ms": "15000"}
    call = threading.Thread(
        target=lambda: answers.append(confirm(raw, client_id, headers, responseTopic="e2e/done")))
    call.start()
    time.sleep(1)
    lamp = device(shared_server, people, client_id)
    message = lamp.message()
    time.sleep(0.5)
    lamp.publish(message.properties.ResponseTopic, b"done",
                 CorrelationData=message.properties.CorrelationData)
    call.join(30)
    lamp.close()
    assert answers[0].body == b"done"
    call = shared_collector.call(answers[0].trace_id)
    assert list(call.steps) == ["authorise", "route", "write", "acknowledge", "respond"]
    assert call.steps["route"].seconds >= 0.7, "until the device was there"
    assert call.steps["respond"].seconds >= 0.3 and not call.failed()


def test_a_dry_run_says_that_it_is_one(shared_server, shared_collector, raw):
    answer = raw.send(NOWHERE, TOPIC, b"", {"x-tenfour-dry-run": "true"}, confirmation="true")
    assert answer.status == 200
    call = shared_collector.call(answer.trace_id)
    assert call.span.attributes["tenfour.dry_run"] is True
    assert list(call.steps) == ["authorise"] and not call.span.is_error


def test_a_sender_that_goes_away_leaves_its_spans(shared_server, shared_collector, people, client_id):
    lamp = device(shared_server, people, client_id, manual_ack=True)
    sender = RawSender(shared_server, shared_server.admin)

    def send():
        with pytest.raises(Exception):
            confirm(sender, client_id)

    thread = threading.Thread(target=send)
    thread.start()
    lamp.message()
    sender.connection.sock.shutdown(2)
    thread.join(30)
    sender.close()
    reason = "DELIVERY_CONFIRMATION_SENDER_DISCONNECT"
    entry = shared_server.log.wait_for(clientId=client_id, reason=reason)
    lamp.close()
    call = shared_collector.call(entry["traceId"])
    assert call.failed() == ["acknowledge"] and call.span.reason == reason
    assert "http.response.status_code" not in call.span.attributes


def test_every_way_over_http_is_traced_alike(shared_server, shared_collector, people, client_id):
    lamp = device(shared_server, people, client_id)
    server, admin = shared_server, shared_server.admin
    with RawSender(server, certificate=people.gateway, listener="https_x509") as sender:
        answers = [confirm(sender, client_id)]
    with RawSender(server, admin, listener="http") as sender:
        answers.append(confirm(sender, client_id))
        # Not of the usual form: the HTTP library takes it.
        answers.append(confirm(sender, client_id, {"TE": "trailers"}))
    url = signing.message_url(server.url("https"), client_id, topic=TOPIC, confirmation="true")
    context = tls_context(server.ca, alpn=["h2"])
    with httpx.Client(http2=True, verify=context, timeout=30) as client:
        answer = client.post(url, headers=signing.sign(admin, "POST", url, b"payload"),
                             content=b"payload")
    assert (answer.status_code, answer.http_version) == (200, "HTTP/2")
    trace_ids = [answer.trace_id for answer in answers] + [answer.json()["traceId"]]
    lamp.close()
    calls = [shared_collector.call(trace_id) for trace_id in trace_ids]
    schemes = [call.span.attributes["url.scheme"] for call in calls]
    assert schemes == ["https", "http", "http", "https"]
    for call in calls:
        assert list(call.steps) == ["authorise", "route", "write", "acknowledge"]


def test_devices_learn_nothing_of_it_unless_that_is_wanted(shared_server, raw, people, client_id):
    lamp = device(shared_server, people, client_id)
    confirm(raw, client_id, {"traceparent": PARENT})
    assert not hasattr(lamp.message().properties, "UserProperty")
    lamp.close()
