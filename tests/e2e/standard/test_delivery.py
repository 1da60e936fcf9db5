"""The three qualities of service, each way: sections 3.3 to 3.7, 4.3 and 4.6."""

import itertools
import time

import pytest

from harness import packets
from harness.fence import arrivals, next_messages, payloads

QOS = (0, 1, 2)


@pytest.mark.parametrize(("published", "granted"), itertools.product(QOS, QOS))
def test_a_message_comes_with_the_smaller_qos_and_without_dup(
        connect, topic, version, published, granted):
    """[MQTT-3.8.4-8], [MQTT3-3.8.4-6], [MQTT-3.3.4-1], [MQTT3-3.3.4-1]; QoS 0 [MQTT-4.3.1-1],
    [MQTT3-4.3.1-1], [MQTT-3.3.1-2], [MQTT3-3.3.1-2], QoS 1 [MQTT-4.3.2-2], [MQTT3-4.3.2-1], QoS 2
    [MQTT-4.3.3-2], [MQTT3-4.3.3-1]."""
    subscriber, publisher = connect(version=version), connect(version=version)
    assert subscriber.subscribe(topic, qos=granted) == [granted]
    publisher.publish(topic, b"hello", qos=published)
    message = subscriber.take()
    assert (message.topic, message.payload) == (topic, b"hello")
    assert (message.qos, message.dup) == (min(published, granted), False)
    assert payloads(subscriber, publisher) == []


def test_versions_mix(connect, topic):
    """A message crosses from either version to the other, with the properties that it can keep."""
    subscribers = [connect(version=3), connect(version=5)]
    for subscriber in subscribers:
        subscriber.subscribe(topic, qos=2)
    for version in (3, 5):
        connect(version=version).publish(topic, b"mixed", qos=2)
        assert [subscriber.take().payload for subscriber in subscribers] == [b"mixed"] * 2


def test_qos_1_is_acknowledged_under_its_packet_id(connect, topic, version):
    """[MQTT-4.3.2-4], [MQTT3-4.3.2-2], [MQTT-2.2.1-5], [MQTT3-2.3.1-6]."""
    device = connect(version=version)
    for packet_id in (1, 77, 65535):
        device.send(packets.publish(topic, b"x", 1, packet_id, version=version))
        assert device.expect("PUBACK").packet_id == packet_id


def test_qos_2_is_acknowledged_in_two_steps_under_its_packet_id(connect, topic, version):
    """[MQTT-4.3.3-8], [MQTT-4.3.3-11], [MQTT3-4.3.3-2], [MQTT-2.2.1-5], [MQTT3-2.3.1-6]."""
    device = connect(version=version)
    for packet_id in (1, 77, 65535):
        device.send(packets.publish(topic, b"x", 2, packet_id, version=version))
        assert device.expect("PUBREC").packet_id == packet_id
        device.send(packets.pubrel(packet_id, version))
        assert device.expect("PUBCOMP").packet_id == packet_id


@pytest.mark.parametrize("qos", [1, 2])
def test_a_packet_id_that_was_acknowledged_stands_for_a_new_message(
        connect, topic, version, qos):
    """DUP or not: [MQTT-4.3.2-5], [MQTT3-4.3.2-2], [MQTT-4.3.3-12], [MQTT3-4.3.3-2]."""
    subscriber, publisher = connect(version=version), connect(version=version)
    subscriber.subscribe(topic, qos=0)
    for payload, dup in ((b"one", False), (b"two", True), (b"three", False)):
        publisher.publish(topic, payload, qos, packet_id=5, dup=dup)
    assert payloads(subscriber, publisher) == [b"one", b"two", b"three"]


def test_a_repeated_qos_2_message_is_handed_on_once(connect, topic, version):
    """[MQTT-4.3.3-10], [MQTT3-4.3.3-2]."""
    subscriber, publisher = connect(version=version), connect(version=version)
    subscriber.subscribe(topic, qos=2)
    for dup in (False, True, True):
        publisher.send(packets.publish(topic, b"once", 2, 5, dup=dup, version=version))
        assert publisher.expect("PUBREC").packet_id == 5
    for _ in range(2):
        publisher.send(packets.pubrel(5, version))
        assert publisher.expect("PUBCOMP").packet_id == 5
    assert payloads(subscriber, publisher) == [b"once"]


def test_dup_is_not_handed_on(connect, topic, version):
    """[MQTT-3.3.1-3], [MQTT3-3.3.1-3]."""
    subscriber, publisher = connect(version=version), connect(version=version)
    subscriber.subscribe(topic, qos=2)
    for qos in (1, 2):
        publisher.publish(topic, b"again", qos, dup=True)
    assert [message.dup for message in arrivals(subscriber, publisher)] == [False, False]


def test_the_server_releases_a_qos_2_message_after_pubrec(connect, topic, version):
    """[MQTT-4.3.3-4], [MQTT3-4.3.3-1], [MQTT-2.2.1-5], [MQTT3-2.3.1-6], [MQTT-3.6.1-1],
    [MQTT3-3.6.1-1]."""
    subscriber, publisher = connect(version=version), connect(version=version)
    subscriber.subscribe(topic, qos=2)
    publisher.publish(topic, b"x", qos=2)
    message = subscriber.message()
    subscriber.send(packets.pubrec(message.packet_id, version))
    release = subscriber.expect("PUBREL")
    assert (release.packet_id, release.flags) == (message.packet_id, 2)
    subscriber.send(packets.pubcomp(message.packet_id, version))
    assert subscriber.is_silent()


def test_a_pubrec_with_an_error_is_not_released(connect, topic):
    """[MQTT-4.3.3-4]: only a PUBREC below 0x80 is answered by PUBREL."""
    subscriber, publisher = connect(), connect()
    subscriber.subscribe(topic, qos=2)
    publisher.publish(topic, b"x", qos=2)
    subscriber.send(packets.pubrec(subscriber.message().packet_id, reason=0x80))
    assert subscriber.is_silent()


def test_packet_ids_in_flight_are_all_different(connect, topic, version):
    """[MQTT-2.2.1-4], [MQTT3-2.3.1-4], [MQTT-4.3.2-1], [MQTT-4.3.3-1], [MQTT3-4.3.2-1],
    [MQTT3-4.3.3-1]."""
    subscriber, publisher = connect(version=version), connect(version=version)
    subscriber.subscribe(topic, qos=2)
    for number in range(10):
        publisher.publish(topic, b"%d" % number, qos=1 + number % 2)
    waiting = arrivals(subscriber, publisher, settle=False)
    ids = {message.packet_id for message in waiting}
    assert len(ids) == 10 and 0 not in ids


@pytest.mark.parametrize("qos", QOS)
def test_messages_of_one_client_keep_their_order(connect, topic, version, qos):
    """[MQTT-4.6.0-5], [MQTT-4.6.0-6], [MQTT3-4.6.0-5], [MQTT3-4.6.0-6]."""
    subscriber, publisher = connect(version=version), connect(version=version)
    subscriber.subscribe(f"{topic}/+", qos=qos)
    numbers = [b"%d" % number for number in range(40)]
    for number in numbers:
        publisher.publish(f"{topic}/n", number, qos=qos)
    assert [message.payload for message in next_messages(subscriber, 40)] == numbers


def test_expiry_stops_no_delivery_that_began(connect, topic, client_id):
    """Nor the acknowledgements of one: [MQTT-4.3.3-7], [MQTT-4.3.3-13]."""
    subscriber, publisher = connect(client_id, stays=True), connect()
    subscriber.subscribe(topic, qos=2)
    publisher.publish(topic, b"short", qos=2, message_expiry_interval=3)
    first = subscriber.message()
    subscriber.close()
    publisher.send(packets.publish(f"{topic}/other", b"short", 2, 5, message_expiry_interval=3))
    publisher.expect("PUBREC")
    time.sleep(3.5)
    publisher.send(packets.pubrel(5))
    assert publisher.expect("PUBCOMP").packet_id == 5
    again = connect(client_id, stays=True).message()
    assert (again.packet_id, again.payload, again.dup) == (first.packet_id, b"short", True)
