"""SUBSCRIBE, UNSUBSCRIBE and which topics match: sections 3.8 to 3.11, 4.7 and 4.8.1."""

import pytest

from harness import packets
from harness.fence import arrivals, payloads

SUCCESS, NO_SUBSCRIPTION = 0x00, 0x11


def test_suback_has_a_code_for_each_filter_in_order(connect, topic, version):
    """[MQTT-3.8.4-1], [MQTT-3.8.4-2], [MQTT-3.8.4-5], [MQTT-3.8.4-6], [MQTT-3.8.4-7],
    [MQTT-3.9.3-1], [MQTT-3.9.3-2], [MQTT-2.2.1-6]; [MQTT3-3.8.4-1], [MQTT3-3.8.4-2],
    [MQTT3-3.8.4-4], [MQTT3-3.8.4-5], [MQTT3-3.9.3-1], [MQTT3-3.9.3-2], [MQTT3-2.3.1-7]."""
    device = connect(version=version)
    filters = [(f"{topic}/a", 2), (f"{topic}/b", 0), (f"{topic}/+", 1), (f"{topic}/#", 2)]
    for packet_id in (1, 300, 65535):
        device.send(packets.subscribe(filters, packet_id, version))
        suback = device.expect("SUBACK")
        assert (suback.packet_id, suback.reasons(version)) == (packet_id, [2, 0, 1, 2])


def test_several_filters_are_several_subscriptions(connect, topic, version, publisher):
    """[MQTT-3.8.4-5], [MQTT3-3.8.4-4]; the topic sent matches [MQTT-3.3.2-3], [MQTT3-3.3.2-3]."""
    device = connect(version=version)
    device.subscribe(f"{topic}/a", f"{topic}/b")
    for level in "abc":
        publisher.publish(f"{topic}/{level}", level.encode(), qos=1)
    got = [(message.topic, message.payload) for message in arrivals(device, publisher)]
    assert got == [(f"{topic}/a", b"a"), (f"{topic}/b", b"b")]


def test_the_same_filter_again_replaces_the_subscription(connect, topic, version, publisher):
    """[MQTT-3.8.4-3], [MQTT3-3.8.4-3]."""
    device = connect(version=version)
    for qos in (0, 2, 1):
        assert device.subscribe(topic, qos=qos) == [qos]
    publisher.publish(topic, b"x", qos=2)
    assert [(one.payload, one.qos) for one in arrivals(device, publisher)] == [(b"x", 1)]


def test_retained_messages_come_again_with_the_same_filter(connect, topic, version, publisher):
    """[MQTT-3.8.4-4], [MQTT3-3.8.4-3]."""
    publisher.publish(topic, b"kept", qos=1, retain=True)
    device = connect(version=version)
    for _ in range(2):
        device.subscribe(topic)
        message = device.take()
        assert (message.payload, message.retain) == (b"kept", True)
    publisher.publish(topic, b"next", qos=1)
    assert device.take().payload == b"next"


def test_unsuback_answers_each_filter(connect, topic, version):
    """[MQTT-3.10.4-4], [MQTT-3.10.4-5], [MQTT-3.10.4-6], [MQTT-3.11.3-1], [MQTT-3.11.3-2],
    [MQTT-2.2.1-6]; [MQTT3-3.10.4-4], [MQTT3-3.10.4-5], [MQTT3-3.10.4-6], [MQTT3-2.3.1-7]."""
    device = connect(version=version)
    device.subscribe(f"{topic}/a", f"{topic}/+")
    filters = [f"{topic}/+", f"{topic}/never", f"{topic}/a"]
    for packet_id, codes in ((300, [SUCCESS, NO_SUBSCRIPTION, SUCCESS]),
                             (301, [NO_SUBSCRIPTION] * 3)):
        device.send(packets.unsubscribe(filters, packet_id, version))
        unsuback = device.expect("UNSUBACK")
        assert unsuback.packet_id == packet_id
        assert unsuback.reasons(version) == (codes if version == 5 else [])


def test_unsubscribe_ends_exactly_the_filters_it_names(connect, topic, version, publisher):
    """[MQTT-3.10.4-1], [MQTT-3.10.4-2], [MQTT-3.10.4-6]; [MQTT3-3.10.4-1], [MQTT3-3.10.4-2],
    [MQTT3-3.10.4-6]."""
    device = connect(version=version)
    device.subscribe(f"{topic}/a", f"{topic}/b", f"{topic}/c/+")
    device.unsubscribe(f"{topic}/+", f"{topic}/A", f"{topic}/#", f"{topic}/a/", f"{topic}/c/d")
    for level in ("a", "b", "c/d"):
        publisher.publish(f"{topic}/{level}", level.encode(), qos=1)
    assert payloads(device, publisher) == [b"a", b"b", b"c/d"]
    device.unsubscribe(f"{topic}/a", f"{topic}/c/+")
    for level in ("a", "b", "c/d"):
        publisher.publish(f"{topic}/{level}", level.encode(), qos=1)
    assert payloads(device, publisher) == [b"b"]


@pytest.mark.parametrize("qos", [1, 2])
def test_unsubscribe_lets_a_delivery_that_began_end(
        connect, topic, client_id, version, publisher, qos):
    """[MQTT-3.10.4-3], [MQTT3-3.10.4-3]."""
    device = connect(client_id, version, stays=True)
    device.subscribe(topic, qos=qos)
    publisher.publish(topic, b"began", qos)
    device.message()
    device.unsubscribe(topic)
    device.close()
    device = connect(client_id, version, stays=True)
    message = device.take()
    assert (message.payload, message.dup) == (b"began", True)
    assert device.is_silent()


def test_overlapping_subscriptions_get_the_highest_qos(connect, topic, version, publisher):
    """[MQTT-3.3.4-2], [MQTT3-3.3.5-1]."""
    device = connect(version=version)
    for qos, name in ((0, f"{topic}/a"), (2, f"{topic}/+"), (1, f"{topic}/#")):
        device.subscribe(name, qos=qos)
    publisher.publish(f"{topic}/a", b"x", qos=2)
    assert max(message.qos for message in arrivals(device, publisher)) == 2


def test_a_message_names_the_subscriptions_it_comes_of(connect, topic, publisher):
    """[MQTT-3.3.4-3], [MQTT-3.3.4-4]; several copies may name one each."""
    device = connect()
    device.subscribe(f"{topic}/a", identifier=7)
    device.subscribe(f"{topic}/+", identifier=268_435_455)
    device.subscribe(f"{topic}/#")
    publisher.publish(f"{topic}/a", b"x", qos=1)
    copies = arrivals(device, publisher)
    named = [one for copy in copies for one in copy.properties.get("subscription_identifier", [])]
    assert sorted(named) == [7, 268_435_455]
    # The identifier is the subscription's: a new one without it takes it away.
    device.subscribe(f"{topic}/a", f"{topic}/+")
    publisher.publish(f"{topic}/a", b"x", qos=1)
    assert all("subscription_identifier" not in copy.properties
               for copy in arrivals(device, publisher))


def test_no_local_spares_a_client_its_own_messages(connect, topic, publisher):
    """[MQTT-3.8.3-3]."""
    device = connect()
    device.subscribe(topic, no_local=True)
    device.publish(topic, b"its own")
    publisher.publish(topic, b"of another", qos=1)
    assert payloads(device, publisher) == [b"of another"]


@pytest.mark.parametrize("keeps", [False, True], ids=["plain", "retain as published"])
def test_retain_as_published_decides_the_flag_of_what_is_forwarded(
        connect, topic, publisher, keeps):
    """[MQTT-3.3.1-12], [MQTT-3.3.1-13]."""
    device = connect()
    device.subscribe(topic, retain_as_published=keeps)
    for retain in (True, False):
        publisher.publish(topic, b"x", qos=1, retain=retain)
    assert [message.retain for message in arrivals(device, publisher)] == [keeps, False]


MATCHES = {
    # [MQTT-4.7.1-1], [MQTT3-4.7.1-2]
    "a/#": {"a", "a/", "a/b", "a/b/c"},
    # [MQTT-4.7.1-2], [MQTT3-4.7.1-3]
    "a/+": {"a/", "a/b"},
    "+/b": {"a/b", "/b"},
    "a/+/c": {"a/b/c"},
    # [MQTT-4.7.3-4], [MQTT3-4.7.3-4]
    "a": {"a"},
    "/b": {"/b"},
    "caf\u00e9": {"caf\u00e9"},
}
TOPICS = ("a", "A", "a/", "a/b", "/b", "a/b/c", "caf\u00e9", "cafe\u0301", "\ufeffa")


@pytest.mark.parametrize("name", MATCHES)
def test_filters_match_level_by_level(connect, topic, version, publisher, name):
    """[MQTT-3.3.2-3], [MQTT3-3.3.2-3] and the statements beside each filter."""
    device = connect(version=version)
    device.subscribe(f"{topic}/{name}", qos=1)
    for one in TOPICS:
        publisher.publish(f"{topic}/{one}", qos=1)
    got = {message.topic for message in arrivals(device, publisher)}
    assert got == {f"{topic}/{one}" for one in MATCHES[name]}


def test_a_leading_wildcard_matches_no_dollar_topic(connect, topic, version, publisher):
    """[MQTT-4.7.2-1], [MQTT3-4.7.2-1]."""
    device, witness = connect(version=version), connect(version=version)
    device.subscribe(f"+/{topic}")
    witness.subscribe(f"$test/{topic}", f"$test/{topic}/#")
    publisher.publish(f"$test/{topic}", b"reserved", qos=1)
    publisher.publish(f"test/{topic}", b"open", qos=1)
    assert b"reserved" in payloads(witness, publisher)
    assert payloads(device, publisher) == [b"open"]


def test_a_byte_order_mark_is_part_of_the_topic(connect, topic, version, publisher):
    """[MQTT-1.5.4-3], [MQTT3-1.5.3-3]."""
    device = connect(version=version)
    device.subscribe(f"\ufeff{topic}")
    publisher.publish(topic, b"without", qos=1)
    publisher.publish(f"\ufeff{topic}", b"with", qos=1)
    assert [(one.topic, one.payload) for one in arrivals(device, publisher)] == [
        (f"\ufeff{topic}", b"with")]
