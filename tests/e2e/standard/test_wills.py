"""Wills: sections 3.1.2.5 to 3.1.2.7, 3.1.3 and 3.14."""

import pytest

from harness import packets
from harness.fence import arrivals, payloads
from harness.packets import Will


@pytest.fixture
def watcher(connect, topic):
    """A device that is sent the Wills of the test."""
    device = connect()
    device.subscribe(f"{topic}/#", qos=2)
    return device


@pytest.mark.parametrize("qos", [0, 1, 2])
@pytest.mark.parametrize("retain", [False, True], ids=["plain", "retained"])
def test_a_lost_connection_publishes_the_will(connect, topic, version, watcher, qos, retain):
    """[MQTT-3.1.2-7], [MQTT-3.1.2-8], [MQTT3-3.1.2-8], [MQTT-3.1.2-12], [MQTT3-3.1.2-14]; retained
    or not [MQTT-3.1.2-14], [MQTT-3.1.2-15], [MQTT3-3.1.2-16], [MQTT3-3.1.2-17]."""
    connect(version=version, will=Will(topic, b"lost", qos, retain)).close()
    message = watcher.take()
    assert (message.payload, message.qos, message.retain) == (b"lost", qos, False)
    late = connect(version=version)
    late.subscribe(topic, qos=2)
    expected = [(b"lost", qos, True)] if retain else []
    found = arrivals(late, watcher)
    assert [(one.payload, one.qos, one.retain) for one in found] == expected


def test_disconnect_withdraws_the_will(connect, topic, version, watcher):
    """[MQTT-3.14.4-3], [MQTT3-3.14.4-3], [MQTT-3.1.2-8], [MQTT-3.1.2-10], [MQTT3-3.1.2-10]."""
    connect(version=version, will=Will(topic, b"no")).leave()
    assert payloads(watcher, connect()) == []


def test_disconnect_with_another_code_publishes_the_will(connect, topic, watcher):
    """[MQTT-3.1.2-8]: only DISCONNECT with 0 withdraws it."""
    for code in (0x04, 0x80, 0x81):
        device = connect(will=Will(topic, b"yes"))
        device.send(packets.disconnect(reason=code))
        device.end()
        assert watcher.take().payload == b"yes"


def test_a_protocol_error_publishes_the_will(connect, topic, version, watcher):
    """[MQTT-3.1.2-8], [MQTT3-3.1.2-8]."""
    device = connect(version=version, will=Will(topic, b"broken"))
    device.send(b"\x00\x00")
    device.end()
    assert watcher.take().payload == b"broken"


def test_a_will_is_published_once(connect, topic, client_id, version, watcher):
    """[MQTT-3.1.2-10], [MQTT3-3.1.2-10]; without the flag nothing is published at the end
    [MQTT3-3.1.2-12]."""
    connect(client_id, version, stays=True, will=Will(topic, b"once")).close()
    assert watcher.take().payload == b"once"
    without = connect(client_id, version, stays=True)
    without.close()
    again = connect(client_id, version, stays=True)
    assert again.is_silent()
    assert payloads(watcher, connect()) == []


def test_the_new_connections_will_replaces_the_old_one(connect, topic, client_id, version, watcher):
    """[MQTT-3.1.2-8], [MQTT3-3.1.2-8]: a take-over ends the old connection."""
    connect(client_id, version, will=Will(topic, b"old"))
    newer = connect(client_id, version, will=Will(topic, b"new"))
    assert watcher.take().payload == b"old"
    newer.close()
    assert watcher.take().payload == b"new"


def test_a_will_waits_for_its_delay(connect, topic, watcher):
    """[MQTT-3.1.2-8]."""
    delayed = Will(topic, b"late", properties={"will_delay_interval": 3})
    connect(stays=True, will=delayed).close()
    connect(will=Will(topic, b"at once")).close()
    assert [watcher.take().payload for _ in range(2)] == [b"at once", b"late"]


def test_a_new_connection_within_the_delay_withdraws_the_will(
        connect, topic, client_id, watcher):
    """[MQTT-3.1.3-9]."""
    delayed = Will(topic, b"no", properties={"will_delay_interval": 4})
    connect(client_id, stays=True, will=delayed).close()
    connect(client_id, stays=True)
    # A Will that is as late as the withdrawn one would be.
    other = Will(topic, b"of another", properties={"will_delay_interval": 5})
    connect(stays=True, will=other).close()
    assert watcher.take().payload == b"of another"


def test_the_end_of_the_session_does_not_wait_for_the_delay(connect, topic, client_id, watcher):
    """[MQTT-3.1.2-8]; a clean start ends the session, too."""
    delayed = Will(topic, b"ended", properties={"will_delay_interval": 600})
    connect(session_expiry_interval=0, will=delayed).close()
    assert watcher.take().payload == b"ended"
    connect(client_id, stays=True, will=delayed).close()
    connect(client_id, clean=True)
    assert watcher.take().payload == b"ended"


def test_a_will_has_properties_of_its_own(connect, topic, watcher):
    """User properties in their order [MQTT-3.1.3-10], and the others unaltered [MQTT-3.3.2-4],
    [MQTT-3.3.2-15], [MQTT-3.3.2-16], [MQTT-3.3.2-20]."""
    props = {"payload_format_indicator": 1, "content_type": "text/plain",
             "response_topic": "answers", "correlation_data": b"\x00\xff",
             "user_property": [("b", "1"), ("a", "2"), ("b", "0")]}
    connect(will=Will(topic, b"x", properties=props)).close()
    assert watcher.take().properties == props
