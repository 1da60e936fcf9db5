"""Plain publish and subscribe between devices, and what policies refuse."""

import pytest

from harness import packets
from harness.wire_device import WireDevice

GRANTED = [1]


@pytest.mark.parametrize("publisher_version", [3, 5])
@pytest.mark.parametrize("subscriber_version", [3, 5])
@pytest.mark.parametrize("qos", [0, 1])
def test_a_message_reaches_a_subscriber(
    paho, client_id, log, publisher_version, subscriber_version, qos
):
    subscriber = paho(version=subscriber_version)
    publisher = paho(f"{client_id}-pub", version=publisher_version)
    assert subscriber.subscribe(f"e2e/{client_id}/+/state") == GRANTED
    topic = f"e2e/{client_id}/kitchen/state"
    publisher.publish(topic, b"on", qos)
    message = subscriber.message()
    assert (message.topic, message.payload, message.qos) == (topic, b"on", qos)
    assert not message.retain
    log.wait_for(eventType="Publish-In", clientId=f"{client_id}-pub", topicName=topic)
    log.wait_for(eventType="Publish-Out", clientId=client_id, topicName=topic)


def test_wildcards_match_as_aws_has_them(paho, client_id):
    device = paho()
    base = f"e2e/{client_id}"
    assert device.subscribe(f"{base}/#") == GRANTED
    # AWS: `sensor/#` does not match `sensor`.
    assert device.publish(base, b"parent") in (0, 0x10)
    assert device.publish(f"{base}/a/b/c", b"child") == 0
    assert device.message().payload == b"child"
    assert device.no_message()


def test_wildcards_match_as_the_standard_has_them(open_server, client_id):
    base = f"e2e/{client_id}"
    with WireDevice.connected(open_server, client_id, listener="mqtt") as device:
        assert device.subscribe(f"{base}/#") == GRANTED
        device.send(packets.publish(base, b"parent"))
        assert device.message().payload == b"parent"


def test_the_granted_qos_is_a_ceiling(wire, client_id):
    device = wire()
    assert device.subscribe(f"e2e/{client_id}", qos=0) == [0]
    device.send(packets.publish(f"e2e/{client_id}", b"x", qos=1, packet_id=9))
    kinds = {}
    for _ in range(2):
        packet = device.packet()
        kinds[packet.kind] = packet
    assert kinds["PUBACK"].packet_id == 9
    assert packets.Publish.of(kinds["PUBLISH"], 5).qos == 0


@pytest.mark.parametrize("version", [3, 5])
def test_qos_2_may_be_asked_for_and_1_is_granted(wire, client_id, version):
    """[MQTT-3.2.2-10]."""
    assert wire(version=version).subscribe(f"e2e/{client_id}", qos=2) == [1]


def test_an_unsubscribed_device_hears_nothing_more(paho, client_id):
    device = paho()
    topic = f"e2e/{client_id}"
    device.subscribe(topic)
    device.client.unsubscribe(topic)
    # The PUBACK comes after the UNSUBSCRIBE was handled: packets are handled in their order.
    device.publish(topic, b"x")
    assert device.no_message()


def test_a_subscription_without_permission_is_refused(people, wire, log):
    device = wire("narrow-subscriber", certificate=people.narrow)
    assert device.subscribe("e2e/forbidden", "e2e/allowed/a") == [0x87, 1]
    failed = log.wait_for(eventType="Subscribe", clientId="narrow-subscriber")
    assert failed["topicName"]
    old = wire("narrow-subscriber-3", certificate=people.narrow, version=3)
    assert old.subscribe("e2e/forbidden", "e2e/allowed/a") == [0x80, 1]


def test_a_publish_without_permission_ends_the_connection(people, wire, log):
    device = wire("narrow-publisher", certificate=people.narrow)
    device.send(packets.publish("e2e/forbidden", b"x", qos=1, packet_id=3))
    puback, goodbye = device.end()
    assert (puback.kind, puback.reason()) == ("PUBACK", 0x87)
    assert (goodbye.kind, goodbye.reason()) == ("DISCONNECT", 0x87)
    entry = log.wait_for(eventType="Publish-In", clientId="narrow-publisher")
    assert (entry["status"], entry["reason"]) == ("Failure", "AUTHORIZATION_FAILURE")


def test_a_qos_0_publish_without_permission_ends_the_connection(people, wire):
    device = wire("narrow-publisher-0", certificate=people.narrow)
    device.send(packets.publish("e2e/forbidden", b"x"))
    (goodbye,) = device.end()
    assert (goodbye.kind, goodbye.reason()) == ("DISCONNECT", 0x87)


def test_a_publish_without_permission_closes_an_mqtt_3_connection(people, wire):
    """[MQTT3-3.3.5-2]."""
    device = wire("narrow-publisher-3", certificate=people.narrow, version=3)
    device.send(packets.publish("e2e/forbidden", b"x", version=3))
    assert device.end() == []


def test_a_subscriber_without_permission_to_receive_hears_nothing(people, wire, paho, client_id):
    listener = wire("narrow-listener", certificate=people.narrow)
    assert listener.subscribe("e2e/allowed/#") == GRANTED
    publisher = paho(f"{client_id}-pub")
    assert publisher.publish("e2e/allowed/a", b"heard") == 0
    assert listener.message().payload == b"heard"


def test_more_than_eight_filters_are_too_many(wire, client_id):
    device = wire()
    device.send(packets.subscribe([(f"e2e/{client_id}/{n}", 1) for n in range(9)]))
    packet = device.packet()
    if packet.kind == "SUBACK":
        assert all(reason >= 0x80 for reason in packet.reasons(5))
    else:
        assert packet.kind == "DISCONNECT"


def test_reserved_topics_cannot_be_subscribed(wire):
    assert wire().subscribe("$sys/secret")[0] >= 0x80
