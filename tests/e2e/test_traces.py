"""Traces: spans of direct messages told by OTLP, the caller's trace carried on, to devices as well; and
whom it disturbs when nobody takes them."""

import subprocess
import threading
import time

import httpx
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from harness import signing
from harness.collector import TAKEN, Collector, taken_but_for
from harness.http_receiver import Reply
from harness.paho_device import PahoDevice
from harness.patience import wait_until
from harness.senders import BotoSender, RawSender
from harness.server import binary
from harness.wire_device import tls_context

TOPIC = "e2e/lamp"
NOWHERE = "e2e-nobody"
EXPORTED = "tenfour_trace_spans_exported_total"
DROPPED = 'tenfour_trace_spans_dropped_total{reason="%s"}'
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PARENT = f"00-{TRACE}-{SPAN}-01"


def settings(port, more="", limits="", scheme="http", host="127.0.0.1"):
    """The tables of traces that go to that port."""
    return (f'[traces]\nendpoint = "{scheme}://{host}:{port}"\n{more}\n'
            f'[limits]\n{limits}\n')


@pytest.fixture
def traced(start, client_id):
    """Starts a server with traces; at the end it has to stop in time."""
    servers = []

    def starter(*arguments, **more):
        servers.append(start(f"traces-{client_id}-{len(servers)}", "--unlimited",
                             settings=settings(*arguments, **more)))
        return servers[-1]

    yield starter
    for server in servers:
        assert server.stop(60) == 0
        assert "panicked" not in server.printed()


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


def device(server, people, client_id, **options):
    """A connected device."""
    return PahoDevice(client_id, **options).connected(server, certificate=people.fleet)


def confirm(sender, client_id, headers=None, status=200, **query):
    """A confirmed message, with that answer."""
    query = {"confirmation": "true", "timeout": 15} | query
    answer = sender.send(client_id, TOPIC, b"payload", headers, **query)
    assert answer.status == status, answer
    return answer


def never_sent(server, times=1, headers=None):
    """Messages to nobody; their answers."""
    with RawSender(server, server.admin) as sender:
        return [confirm(sender, NOWHERE, headers, status=404) for _ in range(times)]


def traces_log(server, reason):
    """The log's entries about the export with that reason."""
    return server.log.entries(eventType="Traces", reason=reason)


def user_properties(message):
    """The user properties that a device got."""
    return list(getattr(message.properties, "UserProperty", []))


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


def test_a_share_of_the_traces_is_sampled_and_a_parent_decides_for_itself(traced):
    with Collector() as collector:
        server = traced(collector.port, "sample_ratio = 0.0\nservice_name = \"lamps\"\n"
                        "[traces.headers]\nx-api-key = \"not shown\"")
        unseen = never_sent(server, 20)
        (seen,) = never_sent(server, headers={"traceparent": PARENT})
        call = collector.call(seen.trace_id)
        assert call.span.trace == TRACE and call.span.resource["service.name"] == "lamps"
        assert collector.calls() == 1
        assert all(collector.find(answer.trace_id) is None for answer in unseen)
        delivery = collector.delivery()
        assert (delivery.path, delivery.headers["x-api-key"]) == ("/v1/traces", "not shown")
        assert delivery.headers["content-type"] == "application/x-protobuf"
        spans = len(call.steps) + 1
        wait_until(lambda: server.metrics()[EXPORTED] == spans, "the count")
        assert "not shown" not in server.printed()


def test_devices_learn_of_the_trace_only_if_that_is_wanted(shared_server, raw, people, client_id):
    lamp = device(shared_server, people, client_id)
    confirm(raw, client_id, {"traceparent": PARENT})
    assert user_properties(lamp.message()) == []
    lamp.close()


def test_mqtt_5_devices_go_on_with_the_trace(traced, people, client_id):
    with Collector() as collector:
        server = traced(collector.port, "to_devices = true\nsample_ratio = 0.0")
        lamp = device(server, people, client_id)
        old = device(server, people, f"{client_id}-old", version=3)
        with RawSender(server, server.admin) as sender:
            answer = confirm(sender, client_id, {"traceparent": PARENT})
            call = collector.call(answer.trace_id)
            write = call.steps["write"].id
            assert user_properties(lamp.message()) == [("traceparent", f"00-{TRACE}-{write}-01")]
            # Somebody else's trace that is not recorded is passed on as it came.
            for flags in ("00", "02"):
                unsampled = f"00-{TRACE}-{SPAN}-{flags}"
                confirm(sender, client_id, {"traceparent": unsampled})
                assert user_properties(lamp.message()) == [("traceparent", unsampled)]
            answer = confirm(sender, client_id)
            ((name, value),) = user_properties(lamp.message())
            version, trace, _, flags = value.split("-")
            assert (name, version, flags) == ("traceparent", "00", "00")
            assert trace == answer.trace_id.replace("-", "")
            confirm(sender, f"{client_id}-old", {"traceparent": PARENT})
            assert old.message().payload == b"payload"
        assert collector.calls() <= 2
        lamp.close()
        old.close()


def test_the_property_stands_behind_the_senders_own(traced, people, client_id):
    with Collector() as collector:
        server = traced(collector.port, "to_devices = true")
        lamp = device(server, people, client_id)
        boto = BotoSender(server, server.admin)

        def properties_after(own):
            boto.send(client_id, TOPIC, confirmation=True, timeout=15, payload=b"x",
                      userProperties=own)
            return user_properties(lamp.message())

        assert [name for name, _ in properties_after([{"a": "1"}])] == ["a", "traceparent"]
        mine = [{"traceparent": "mine"}]
        assert properties_after(mine) == [("traceparent", "mine")]
        # AWS's bound for names and values together is 8 KB.
        full = [{"a": "x" * (8 * 1024 - 1)}]
        assert [name for name, _ in properties_after(full)] == ["a"]
        lamp.close()


def test_a_device_without_room_for_the_property_gets_the_message_without_it(traced, people, client_id):
    with Collector() as collector:
        server = traced(collector.port, "to_devices = true")
        lamp = device(server, people, client_id, MaximumPacketSize=1024)
        with RawSender(server, server.admin) as sender:
            answer = sender.send(client_id, TOPIC, b"x" * 960, confirmation="true")
        assert answer.status == 200 and user_properties(lamp.message()) == []
        assert not collector.call(answer.trace_id).span.is_error
        lamp.close()


def test_https_with_an_authority_of_ones_own(traced, template):
    tls = template / "tls"
    with Collector(certificate=(tls / "server.pem", tls / "server.key")) as collector:
        server = traced(collector.port, 'ca = "tls/ca.pem"', scheme="https", host="localhost")
        (answer,) = never_sent(server)
        collector.call(answer.trace_id)


def test_what_fails_for_a_while_is_told_again(traced):
    with Collector(503, Reply(429, {"retry-after": "1"}), 502, 504, TAKEN) as collector:
        server = traced(collector.port)
        (answer,) = never_sent(server)
        collector.call(answer.trace_id, 60)
        attempts = [collector.delivery() for _ in range(5)]
        assert [attempt.status for attempt in attempts] == [503, 429, 502, 504, 200]
        assert len({attempt.body for attempt in attempts}) == 1, "the same spans"
        server.log.wait_for(eventType="Traces", reason="TRACES_RECOVERED")
        (failing,) = traces_log(server, "TRACES_FAILING")
        assert "503" in failing["details"]
        assert server.metrics()[EXPORTED] == 3 and server.metrics()[DROPPED % "given_up"] == 0


def test_a_collector_that_asks_for_patience_gets_it(traced):
    with Collector(Reply(503, {"retry-after": "4"}), TAKEN) as collector:
        server = traced(collector.port)
        never_sent(server)
        collector.delivery()
        asked = time.monotonic()
        collector.delivery(60)
        # Without being asked it is tried again within a second.
        assert time.monotonic() - asked >= 3.5


def test_what_is_refused_is_not_told_again(traced):
    with Collector(400, taken_but_for(2, "too old"), TAKEN) as collector:
        server = traced(collector.port)
        never_sent(server)
        wait_until(lambda: server.metrics()[DROPPED % "refused"] == 3, "the refused spans")
        assert "400" in traces_log(server, "TRACES_FAILING")[0]["details"]
        never_sent(server)
        wait_until(lambda: server.metrics()[DROPPED % "refused"] == 5, "those refused in part")
        assert server.metrics()[EXPORTED] == 1
        assert not traces_log(server, "TRACES_RECOVERED")
        never_sent(server)
        server.log.wait_for(eventType="Traces", reason="TRACES_RECOVERED")
        assert collector.deliveries.qsize() == 3


def test_a_collector_that_is_down_disturbs_nobody_and_is_found_again(traced, people, client_id):
    with Collector() as gone:
        port = gone.port
    server = traced(port, "timeout_seconds = 1", limits="trace_queue = 100")
    lamp = device(server, people, client_id)
    with RawSender(server, server.admin) as sender:
        for _ in range(200):
            confirm(sender, client_id)
        server.log.wait_for(eventType="Traces", reason="TRACES_FAILING")
        server.log.wait_for(eventType="Traces", reason="TRACES_QUEUE_FULL")
        metrics = server.metrics()
        assert metrics[DROPPED % "queue_full"] > 0 and metrics[EXPORTED] == 0
        with Collector(port=port) as collector:
            server.log.wait_for(90, eventType="Traces", reason="TRACES_RECOVERED")
            answer = confirm(sender, client_id)
            collector.call(answer.trace_id, 60)
        assert len(traces_log(server, "TRACES_QUEUE_FULL")) == 1
    lamp.close()


def test_a_collector_that_never_answers_disturbs_nobody(traced, people, client_id):
    with Collector(None) as collector:
        server = traced(collector.port, "timeout_seconds = 1\nattempts = 2",
                        limits="trace_queue = 100\ndrain = 1")
        lamp = device(server, people, client_id)
        with RawSender(server, server.admin) as sender:
            for _ in range(100):
                confirm(sender, client_id)
        wait_until(lambda: server.metrics()[DROPPED % "given_up"] > 0, "spans that are given up", 60)
        lamp.close()
        assert server.stop(60) == 0


def test_what_waits_is_told_when_the_server_ends(traced):
    with Collector(Reply(200, seconds=0.2)) as collector:
        server = traced(collector.port)
        answers = never_sent(server, 30)
        assert server.stop(60) == 0
        assert all(collector.find(answer.trace_id) for answer in answers)
        assert not traces_log(server, "TRACES_DROPPED_AT_THE_END")


def test_what_cannot_be_told_at_the_end_is_counted_in_the_log(traced):
    with Collector(503) as collector:
        server = traced(collector.port, limits="drain = 1")
        never_sent(server, 2)
        collector.delivery()
        assert server.stop(60) == 0
        (entry,) = traces_log(server, "TRACES_DROPPED_AT_THE_END")
        assert entry["details"].endswith(": 6.")


@pytest.mark.parametrize(
    ("table", "fragment"),
    [
        ("", "`traces.endpoint` is missing"),
        ('endpoint = "localhost:4318"\n', "expected a URL"),
        ('endpoint = "http://a"\nsample_ratio = 2\n', "a number, 0 to 1"),
        ('endpoint = "http://a"\nheaders = { host = "b" }\n', "is set by Tenfour itself"),
        ('endpoint = "https://a"\nca = "nothing.pem"\n', "cannot read"),
    ],
)
def test_a_wrong_configuration_is_told_before_the_start(tmp_path, table, fragment):
    (tmp_path / "registry").mkdir()
    config = tmp_path / "tenfour.toml"
    config.write_text(f"[traces]\n{table}")
    check = subprocess.run([str(binary()), "check", "--config", str(config)],
                           capture_output=True, text=True, timeout=30)
    assert check.returncode == 1
    assert fragment in check.stdout and "tenfour.toml:" in check.stdout, check.stdout
