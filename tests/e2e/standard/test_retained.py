"""Retained messages: section 3.3.1.3."""

import pytest

from harness.fence import arrivals, payloads


def kept(connect, name, version=5, qos=2, **options):
    """What a new subscription is sent: payload, QoS and RETAIN of each message."""
    device = connect(version=version)
    device.subscribe(name, qos=qos, **options)
    return [(one.payload, one.qos, one.retain) for one in arrivals(device, connect())]


@pytest.mark.parametrize("qos", [0, 1, 2])
def test_a_retained_message_is_stored_with_its_qos(connect, topic, version, qos):
    """[MQTT-3.3.1-5], [MQTT3-3.3.1-5], [MQTT3-3.3.1-6], [MQTT3-3.3.1-7], [MQTT3-3.3.1-8],
    [MQTT-3.3.1-9]; a subscription gets at most its own QoS [MQTT-3.8.4-8], [MQTT3-3.8.4-6]."""
    publisher = connect(version=version)
    publisher.publish(topic, b"older", qos=1, retain=True)
    publisher.publish(topic, b"newer", qos, retain=True)
    # At QoS 0 only what is answered after it tells that it was taken.
    assert publisher.is_silent()
    assert kept(connect, topic, version) == [(b"newer", qos, True)]
    assert kept(connect, topic, version, qos=0) == [(b"newer", 0, True)]


def test_a_new_subscription_gets_all_it_matches(connect, topic, version, publisher):
    """[MQTT3-3.3.1-6], [MQTT-3.3.1-9]."""
    for level in ("a", "b", "b/c", "d/e"):
        publisher.publish(f"{topic}/{level}", level.encode(), qos=1, retain=True)
    found = {f"{topic}/a": {b"a"}, f"{topic}/+": {b"a", b"b"}, f"{topic}/b/#": {b"b", b"b/c"},
             f"{topic}/#": {b"a", b"b", b"b/c", b"d/e"}, f"{topic}/d": set()}
    for name, expected in found.items():
        assert {payload for payload, _, _ in kept(connect, name, version)} == expected, name


def test_an_established_subscription_sees_no_retain(connect, topic, version, publisher):
    """[MQTT3-3.3.1-9], [MQTT-3.3.1-12]."""
    device = connect(version=version)
    device.subscribe(topic)
    publisher.publish(topic, b"x", qos=1, retain=True)
    assert [one.retain for one in arrivals(device, publisher)] == [False]


def test_an_empty_retained_message_removes_and_is_delivered(connect, topic, version, publisher):
    """[MQTT-3.3.1-6], [MQTT-3.3.1-7], [MQTT3-3.3.1-10], [MQTT3-3.3.1-11]."""
    device = connect(version=version)
    publisher.publish(topic, b"x", qos=1, retain=True)
    device.subscribe(topic)
    assert device.take().payload == b"x"
    for _ in range(2):
        publisher.publish(topic, b"", qos=1, retain=True)
        message = device.take()
        assert (message.payload, message.retain) == (b"", False)
    assert kept(connect, topic, version) == []


def test_a_message_without_retain_leaves_what_is_stored(connect, topic, version):
    """[MQTT-3.3.1-8], [MQTT3-3.3.1-12]."""
    publisher = connect(version=version)
    publisher.publish(topic, b"plain", qos=1)
    assert kept(connect, topic, version) == []
    publisher.publish(topic, b"stored", qos=1, retain=True)
    for payload in (b"plain", b""):
        publisher.publish(topic, payload, qos=1)
    assert kept(connect, topic, version) == [(b"stored", 1, True)]


def test_a_retained_message_outlives_the_session_that_published_it(
        connect, topic, client_id, version):
    """[MQTT3-3.1.2-7]."""
    publisher = connect(client_id, version)
    publisher.publish(topic, b"stays", qos=1, retain=True)
    publisher.leave()
    connect(client_id, version, clean=True)
    assert kept(connect, topic, version) == [(b"stays", 1, True)]


def test_retain_handling_says_when_a_subscription_gets_them(connect, topic, publisher):
    """0 always [MQTT-3.3.1-9], 1 for a new subscription [MQTT-3.3.1-10], 2 never
    [MQTT-3.3.1-11]."""
    publisher.publish(topic, b"x", qos=1, retain=True)
    for handling, first, again in ((0, [b"x"], [b"x"]), (1, [b"x"], []), (2, [], [])):
        device = connect()
        for expected in (first, again):
            device.subscribe(topic, retain_handling=handling)
            assert payloads(device, publisher) == expected, handling


def test_retain_handling_1_counts_a_filter_anew_after_unsubscribe(connect, topic, publisher):
    """[MQTT-3.3.1-10]."""
    publisher.publish(topic, b"x", qos=1, retain=True)
    device = connect()
    for _ in range(2):
        device.subscribe(topic, retain_handling=1)
        assert payloads(device, publisher) == [b"x"]
        device.unsubscribe(topic)


def test_properties_are_retained_with_the_message(connect, topic, publisher):
    """[MQTT-3.3.2-17], [MQTT-3.3.2-20], and the subscription's identifier comes with it
    [MQTT-3.3.4-3]."""
    props = {"content_type": "text/plain", "user_property": [("b", "1"), ("a", "2")]}
    publisher.publish(topic, b"x", qos=1, retain=True, **props)
    device = connect()
    device.subscribe(topic, identifier=9)
    assert device.take().properties == {**props, "subscription_identifier": [9]}
