"""What travels with a message: section 3.3.2.3."""

import time

import pytest

from harness.fence import arrivals

# [MQTT-3.3.2-4], [MQTT-3.3.2-15], [MQTT-3.3.2-16], [MQTT-3.3.2-17], [MQTT-3.3.2-18],
# [MQTT-3.3.2-20]
HANDED_ON = {
    "payload format 0": {"payload_format_indicator": 0},
    "payload format 1": {"payload_format_indicator": 1},
    "response topic": {"response_topic": "answers/\u00e4/1"},
    "correlation data": {"correlation_data": bytes(range(256))},
    "no correlation data": {"correlation_data": b""},
    "content type": {"content_type": "application/json; charset=utf-8"},
    "no content type": {"content_type": ""},
    "user properties": {"user_property": [("b", "1"), ("a", ""), ("b", "1"), ("", "\ufeff")]},
    "all of them": {
        "payload_format_indicator": 1, "content_type": "text/plain", "response_topic": "answers",
        "correlation_data": b"\0\xff", "user_property": [("z", "1"), ("a", "2"), ("z", "0")],
    },
}


@pytest.mark.parametrize("props", HANDED_ON.values(), ids=HANDED_ON.keys())
def test_properties_are_handed_on_unaltered(connect, topic, publisher, props):
    """[MQTT-3.3.2-4], [MQTT-3.3.2-15], [MQTT-3.3.2-16], [MQTT-3.3.2-17], [MQTT-3.3.2-18],
    [MQTT-3.3.2-20], to all subscribers, those that were away included."""
    now, later = connect(), connect("", session_expiry_interval=300)
    name = later.connack.properties()["assigned_client_identifier"]
    for device in (now, later):
        device.subscribe(topic)
    later.leave()
    publisher.publish(topic, b"x", qos=1, **props)
    later = connect(name, stays=True)
    assert [device.take().properties for device in (now, later)] == [props, props]


def test_a_message_that_waits_loses_the_time_and_ends_when_it_is_over(
        connect, topic, client_id, publisher):
    """[MQTT-3.3.2-5], [MQTT-3.3.2-6]."""
    device = connect(client_id, stays=True)
    device.subscribe(topic)
    device.leave()
    for payload, expiry in ((b"long", 100), (b"short", 1), (b"longer", 200)):
        publisher.publish(topic, payload, qos=1, message_expiry_interval=expiry)
    publisher.publish(topic, b"for ever", qos=1)
    time.sleep(2.2)
    got = {message.payload: message.properties.get("message_expiry_interval")
           for message in arrivals(connect(client_id, stays=True), publisher)}
    assert got.keys() == {b"long", b"longer", b"for ever"}
    assert got[b"for ever"] is None
    assert got[b"long"] <= 98 and got[b"longer"] <= 198


def test_a_message_that_does_not_wait_keeps_its_expiry(connect, topic, publisher):
    """[MQTT-3.3.2-6]."""
    device = connect()
    device.subscribe(topic)
    publisher.publish(topic, b"x", qos=1, message_expiry_interval=10_000)
    assert 9_900 <= device.take().properties["message_expiry_interval"] <= 10_000


def test_a_retained_message_ends_when_its_expiry_is_over(connect, topic, publisher):
    """[MQTT-3.3.2-5], [MQTT-3.3.2-6]."""
    publisher.publish(f"{topic}/short", b"short", qos=1, retain=True, message_expiry_interval=1)
    publisher.publish(f"{topic}/long", b"long", qos=1, retain=True, message_expiry_interval=100)
    time.sleep(2.2)
    device = connect()
    device.subscribe(f"{topic}/+")
    message, = arrivals(device, publisher)
    assert message.payload == b"long"
    assert message.properties["message_expiry_interval"] <= 98
