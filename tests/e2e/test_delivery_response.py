"""What the device publishes in answer, in the answer of the call."""

import base64
import concurrent.futures
import json

import pytest

from harness import packets
from harness.patience import wait_until
from harness.senders import RawSender
from harness.wire_device import WireDevice

TOPIC = "e2e/lamp"
WAIT = {"x-tenfour-wait": "response"}
KEY = "x-tenfour-idempotency-key"


@pytest.fixture
def ask(server, client_id):
    """Sends in the background and waits for the response."""
    with concurrent.futures.ThreadPoolExecutor(8) as pool:

        def asking(topic=TOPIC, headers=None, milliseconds=30_000, **query):
            sender = RawSender(server, server.admin)
            wait = {**WAIT, "x-tenfour-response-timeout-ms": str(milliseconds)}
            return pool.submit(sender.send, client_id, topic, headers={**wait, **(headers or {})},
                               **query)

        yield asking


def respond(device, message, payload=b"done", topic=None, **properties):
    """The device's response to a message."""
    told = message.properties
    properties.setdefault("correlation_data", told["correlation_data"])
    device.publish(topic or told["response_topic"], payload, qos=1, **properties)


def test_the_response_is_the_answer(wire, ask, log):
    device = wire()
    answering = ask(responseTopic="e2e/answers")
    message = device.message()
    assert message.properties["response_topic"] == "e2e/answers"
    device.acknowledge(message)
    respond(device, message, b"\x00\xff", content_type="image/x-lamp",
            user_property=[("lumen", "800")])
    answer = answering.result(30)
    assert (answer.status, answer.body) == (200, b"\x00\xff")
    assert answer.headers["content-type"] == "image/x-lamp"
    pairs = base64.b64decode(answer.headers["x-amz-mqtt5-user-properties"])
    assert json.loads(pairs) == [{"lumen": "800"}]
    assert message.properties["correlation_data"] == answer.trace_id.encode()
    assert log.the_send(answer.trace_id)["status"] == "Success"


def test_without_a_response_topic_it_is_the_topic_s(wire, ask):
    device = wire()
    answering = ask()
    message = device.message()
    assert message.properties["response_topic"] == f"{TOPIC}/response"
    device.acknowledge(message)
    respond(device, message, b"")
    answer = answering.result(30)
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["content-type"] == "application/octet-stream"


def test_a_response_before_the_puback_waits_for_it(wire, ask):
    device = wire()
    answering = ask(timeout=15)
    message = device.message()
    respond(device, message)
    assert not answering.done()
    device.acknowledge(message)
    assert answering.result(30).body == b"done"


def test_acknowledged_and_no_response(wire, ask, raw, log):
    device = wire()
    answering = ask(milliseconds=200)
    device.acknowledge(device.message())
    answer = answering.result(30)
    assert (answer.status, answer.reason) == (504, "RESPONSE_TIMEOUT")
    assert answer.json["acknowledged"] is True
    assert answer.headers["x-tenfour-delivery"] == answer.json["delivery"] == "acknowledged"
    assert log.the_send(answer.trace_id)["reason"] == "RESPONSE_TIMEOUT"
    receipt = raw.request("GET", f"/receipts/{answer.trace_id}").json
    assert receipt["status"] == "acknowledged"


def test_a_response_without_a_puback_is_no_success(wire, ask):
    device = wire()
    answering = ask(timeout=1)
    respond(device, device.message())
    answer = answering.result(30)
    assert (answer.status, answer.reason) == (504, "DELIVERY_CONFIRMATION_TIMEOUT")
    assert answer.json["delivery"] == "sent-unacknowledged"


def test_only_the_device_with_the_right_correlation_data_answers(wire, ask, client_id):
    device, other = wire(), wire(f"{client_id}-other")
    answering = ask(headers={"x-amz-mqtt5-correlation-data": base64.b64encode(b"77").decode()})
    message = device.message()
    assert message.properties["correlation_data"] == b"77"
    device.acknowledge(message)
    respond(other, message, b"of another device")
    respond(device, message, b"of another call", correlation_data=b"78")
    respond(device, message, b"elsewhere", topic=f"{TOPIC}/elsewhere")
    device.publish(message.properties["response_topic"], b"of no call", qos=1)
    respond(device, message, b"right")
    assert answering.result(30).body == b"right"


def test_calls_at_the_same_time_get_their_own_responses(wire, ask):
    device = wire()
    answering = {ask(): None for _ in range(5)}
    messages = [device.message() for _ in answering]
    for message in reversed(messages):
        device.acknowledge(message)
        respond(device, message, message.properties["correlation_data"])
    for one in answering:
        answer = one.result(30)
        assert answer.body == answer.trace_id.encode()


def test_subscribers_get_it_too(wire, ask, client_id):
    device, subscriber = wire(), wire(f"{client_id}-sub")
    assert subscriber.subscribe(f"{TOPIC}/response") == [1]
    answering = ask()
    message = device.message()
    device.acknowledge(message)
    respond(device, message)
    assert answering.result(30).body == b"done"
    assert subscriber.take().payload == b"done"


def test_a_device_of_mqtt_3_answers_on_a_topic_of_the_call(wire, ask):
    device = wire(version=3)
    answering = ask(f"{TOPIC}/{{traceId}}")
    message = device.message()
    device.acknowledge(message)
    device.publish(f"{message.topic}/response", b"done", qos=1)
    answer = answering.result(30)
    assert (answer.body, message.topic) == (b"done", f"{TOPIC}/{answer.trace_id}")


def test_both_topics_may_have_the_trace_id(wire, ask):
    device = wire(version=3)
    answering = ask(f"{TOPIC}/{{traceId}}/ask", responseTopic=f"{TOPIC}/{{traceId}}/answer")
    message = device.message()
    device.acknowledge(message)
    device.publish(message.topic.replace("/ask", "/answer"), b"done", qos=1)
    assert answering.result(30).body == b"done"


def test_a_device_of_mqtt_3_needs_a_topic_of_the_call(wire, ask):
    device = wire(version=3)
    answer = ask().result(30)
    assert (answer.status, answer.reason) == (400, "INVALID_REQUEST")
    assert "{traceId}" in answer.json["message"]
    assert device.is_silent()


def test_a_repetition_gets_the_same_response(wire, ask, client_id):
    device = wire()
    key = {KEY: f"key-{client_id}"}
    first = ask(headers=key)
    message = device.message()
    joined = ask(headers=key)
    device.acknowledge(message)
    respond(device, message)
    assert first.result(30).body == joined.result(30).body == b"done"
    again = ask(headers=key).result(30)
    assert (again.status, again.body) == (200, b"done")
    assert device.is_silent()


def test_a_call_that_waits_for_no_response_is_another_message(wire, ask, raw, client_id):
    device = wire()
    key = {KEY: f"key-{client_id}"}
    first = ask(headers=key)
    message = device.message()
    device.acknowledge(message)
    respond(device, message)
    assert first.result(30).status == 200
    other = raw.send(client_id, TOPIC, confirmation="true", headers=key)
    assert (other.status, other.reason) == (409, "IDEMPOTENCY_KEY_CONFLICT")


def test_a_device_that_may_not_publish_there_does_not_answer(ask, wire):
    device = wire()
    answering = ask(milliseconds=500, responseTopic="forbidden/answers")
    message = device.message()
    device.acknowledge(message)
    told = message.properties
    device.send(packets.publish(told["response_topic"], b"no", 1, 9,
                                correlation_data=told["correlation_data"]))
    assert answering.result(30).reason == "RESPONSE_TIMEOUT"


def test_a_device_that_comes_later_is_waited_for(wire, ask):
    answering = ask(headers={"x-tenfour-wait-online-ms": "30000"})
    device = wire()
    message = device.message()
    device.acknowledge(message)
    respond(device, message)
    assert answering.result(30).body == b"done"


def test_a_paho_device_that_answers_in_its_callback(paho, ask):
    device = paho()

    def answer(client, _, message):
        told = message.properties
        properties = type(told)(3)
        properties.CorrelationData = told.CorrelationData
        client.publish(told.ResponseTopic, b"from paho", 1, properties=properties)

    device.client.on_message = answer
    got = ask().result(30)
    assert (got.status, got.body) == (200, b"from paho")


@pytest.mark.parametrize("headers", [
    {"x-tenfour-wait": "answer"},
    {"x-tenfour-wait": "response", "x-tenfour-response-timeout-ms": "0"},
    {"x-tenfour-wait": "response", "x-tenfour-response-timeout-ms": "60001"},
    {"x-tenfour-response-timeout-ms": "5"},
])
def test_wrong_headers_are_told(raw, client_id, headers):
    answer = raw.send(client_id, TOPIC, headers=headers)
    assert (answer.status, answer.reason) == (400, "INVALID_REQUEST")
    assert "x-tenfour-" in answer.json["message"]


def test_a_topic_that_becomes_too_long_is_told(raw, client_id):
    answer = raw.send(client_id, "a" * 230 + "{traceId}", headers=WAIT)
    assert (answer.status, answer.reason) == (400, "INVALID_TOPIC")
    answer = raw.send(client_id, "a" * 250, headers=WAIT)
    assert (answer.status, answer.reason) == (400, "INVALID_MQTT5_PROPERTY")
    assert "responseTopic" in answer.json["message"]


def test_the_server_s_end_tells_whoever_waits(start, client_id):
    server = start(f"response-drain-{client_id}", "--open", "--unlimited",
                   settings="[limits]\ndrain = 1")
    with WireDevice.connected(server, client_id, listener="mqtt") as device, \
            concurrent.futures.ThreadPoolExecutor(1) as pool:
        sender = RawSender(server, listener="http")
        wait = {**WAIT, "x-tenfour-response-timeout-ms": "60000"}
        answering = pool.submit(sender.send, client_id, TOPIC, headers=wait)
        device.acknowledge(device.message())
        wait_until(lambda: device.is_silent(), "the PUBACK to be read")
        server.terminate()
        assert answering.result(30).reason == "RESPONSE_TIMEOUT"
    assert server.stop() == 0
