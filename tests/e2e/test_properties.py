"""What arrives: MQTT 5 properties, payloads, and client IDs of every kind."""

import pytest

from harness.answer import check

TOPIC = "e2e/lamp"
EVERYTHING = {
    "contentType": "application/json",
    "responseTopic": "e2e/answers/1",
    "correlationData": "AAECA/8=",
    "payloadFormatIndicator": "UTF8_DATA",
    "userProperties": [{"colour": "grün"}, {"colour": "red"}, {"empty": ""}],
}


def test_every_parameter_arrives_as_a_property(boto, wire, client_id, log):
    device = wire()
    answer = boto.send(client_id, TOPIC, payload='{"on": "ja"}'.encode(), **EVERYTHING)
    check(answer, log, 200)
    message = device.message()
    assert message.payload == b'{"on": "ja"}'
    assert message.properties == {
        "content_type": "application/json",
        "response_topic": "e2e/answers/1",
        "correlation_data": b"\x00\x01\x02\x03\xff",
        "payload_format_indicator": 1,
        "user_property": [("colour", "grün"), ("colour", "red"), ("empty", "")],
    }


def test_paho_sees_every_property(boto, paho, client_id):
    device = paho()
    boto.send(client_id, TOPIC, confirmation=True, timeout=10, **EVERYTHING)
    properties = device.message().properties
    assert properties.ContentType == "application/json"
    assert properties.ResponseTopic == "e2e/answers/1"
    assert properties.CorrelationData == b"\x00\x01\x02\x03\xff"
    assert properties.PayloadFormatIndicator == 1
    assert properties.UserProperty == [("colour", "grün"), ("colour", "red"), ("empty", "")]


def test_unspecified_bytes_and_nothing_are_no_properties_of_text(boto, wire, client_id):
    device = wire()
    boto.send(client_id, TOPIC)
    assert device.message().properties == {}
    boto.send(client_id, TOPIC, payloadFormatIndicator="UNSPECIFIED_BYTES")
    assert device.message().properties.get("payload_format_indicator", 0) == 0


def test_a_device_of_mqtt_3_gets_the_payload_and_no_property(boto, wire, client_id, log):
    device = wire(version=3)
    check(boto.send(client_id, TOPIC, payload=b"plain", **EVERYTHING), log, 200)
    message = device.message()
    assert (message.payload, message.properties) == (b"plain", {})


@pytest.mark.parametrize(
    "payload",
    [b"", b"\x00", bytes(range(256)) * 8, "grüße".encode(), b"a=b&c=d%20e", b"\r\n\r\n"],
    ids=["empty", "zero", "binary", "utf-8", "form", "line-breaks"],
)
def test_payloads_arrive_byte_for_byte(boto, wire, client_id, payload):
    device = wire()
    boto.send(client_id, TOPIC, payload=payload)
    assert device.message().payload == payload


@pytest.mark.parametrize(
    "name",
    ["e2e/a/b", "e2e a b", "e2e+a+b", "e2e-größe-灯", "e2e#1?x=y&z", "e2e%2Fliteral", "e2e~a.b_c",
     "e2e'(a)!*;:@,", '"e2e"<>{}|\\^`', "e2e/subscriptions", "é" * 64],
)
def test_client_ids_of_every_kind_are_reached(boto, wire, log, name):
    device = wire(name)
    answer = boto.send(name, TOPIC, payload=name.encode())
    check(answer, log, 200, clientId=name)
    assert device.message().payload == name.encode()


@pytest.mark.parametrize(
    "topic", ["e2e/größe/灯", "e2e/with space", "e2e//", "e2e/a%2Fb", "e2e/a&b=c"]
)
def test_topics_of_every_kind_arrive(boto, wire, client_id, log, topic):
    device = wire()
    check(boto.send(client_id, topic), log, 200, topicName=topic)
    assert device.message().topic == topic


def test_user_properties_at_their_limit(boto, wire, client_id, log):
    device = wire()
    largest = [{"k": "v" * (8 * 1024 - 1)}]
    boto.send(client_id, TOPIC, userProperties=largest)
    assert len(device.message().properties["user_property"][0][1]) == 8 * 1024 - 1
    beyond = [{"k": "v" * 8 * 1024}]
    answer = boto.refused("InvalidRequestException", client_id, TOPIC, userProperties=beyond)
    check(answer, log, 400, "INVALID_MQTT5_PROPERTY")
