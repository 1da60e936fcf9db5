"""Sessions and what they keep: sections 3.1.2, 4.1, 4.4 and 4.5."""

import pytest

from harness import packets
from harness.fence import arrivals, payloads
from harness.packets import Publish, Will


def test_a_session_is_made_once_and_goes_on(connect, client_id, topic, version, publisher):
    """[MQTT-3.1.2-5], [MQTT-3.1.2-6], [MQTT-3.1.2-23], [MQTT3-3.1.2-4], [MQTT-3.2.2-3],
    [MQTT3-3.2.2-2], [MQTT3-3.2.2-3], [MQTT-3.1.4-4], [MQTT3-3.1.4-3], [MQTT-3.1.3-2],
    [MQTT3-3.1.3-2]; it keeps its subscriptions [MQTT-4.1.0-1], [MQTT3-4.1.0-1]."""
    device = connect(client_id, version, stays=True)
    assert not device.connack.session_present
    device.subscribe(topic)
    device.leave()
    device = connect(client_id, version, stays=True)
    assert device.connack.session_present
    publisher.publish(topic, b"without subscribing again", qos=1)
    assert device.take().payload == b"without subscribing again"


def test_an_offline_session_collects_messages(connect, client_id, topic, version, publisher):
    """[MQTT3-3.1.2-5], [MQTT-4.5.0-1], [MQTT3-4.5.0-1]; CONNACK comes before them [MQTT-3.2.0-1],
    [MQTT3-3.2.0-1], and they keep their order [MQTT-4.6.0-5], [MQTT3-4.6.0-6]."""
    device = connect(client_id, version, stays=True)
    device.subscribe(topic, qos=2)
    device.leave()
    sent = [(b"one", 1), (b"two", 2), (b"three", 1), (b"four", 2)]
    for payload, qos in sent:
        publisher.publish(topic, payload, qos)
    device = connect(client_id, version, stays=True)
    got = [(message.payload, message.qos, message.dup) for message in arrivals(device, publisher)]
    assert sorted(got) == sorted((payload, qos, False) for payload, qos in sent)
    for qos in (1, 2):
        assert [one[0] for one in got if one[1] == qos] == [one[0] for one in sent if one[1] == qos]


def test_a_clean_start_throws_the_session_away(connect, client_id, topic, version, publisher):
    """[MQTT-3.1.2-4], [MQTT3-3.1.2-6], [MQTT-3.2.2-2], [MQTT3-3.2.2-1], [MQTT-3.1.4-4],
    [MQTT3-3.1.4-3]."""
    device = connect(client_id, version, stays=True)
    device.subscribe(topic)
    device.leave()
    publisher.publish(topic, b"to the old session", qos=1)
    device = connect(client_id, version, clean=True)
    assert not device.connack.session_present
    publisher.publish(topic, b"to the old subscription", qos=1)
    assert payloads(device, publisher) == []
    device.leave()
    # Nothing of the clean session is left either.
    assert not connect(client_id, version, stays=True).connack.session_present


def test_a_session_without_expiry_lasts_as_long_as_its_connection(
        connect, client_id, topic, publisher):
    """[MQTT-4.1.0-1], [MQTT-4.1.0-2]; [MQTT-3.2.2-3]."""
    device = connect(client_id, clean=False)
    device.subscribe(topic)
    publisher.publish(topic, b"while it is open", qos=1)
    assert device.take().payload == b"while it is open"
    device.leave()
    assert not connect(client_id, clean=False).connack.session_present


def test_a_clean_session_lasts_as_long_as_its_connection(connect, topic, publisher):
    """[MQTT3-4.1.0-2], [MQTT3-4.1.0-1]."""
    device = connect(version=3, clean=True)
    device.subscribe(topic)
    for number in (b"one", b"two"):
        publisher.publish(topic, number, qos=1)
        assert device.take().payload == number


def test_a_session_ends_when_its_expiry_has_passed(connect, client_id, topic, publisher):
    """[MQTT-4.1.0-2]; the Will, which waits longer, is published at that moment [MQTT-3.1.2-8]."""
    publisher.subscribe(topic)
    will = Will(topic, b"the session ended", properties={"will_delay_interval": 600})
    device = connect(client_id, clean=False, session_expiry_interval=1, will=will)
    device.close()
    assert publisher.message().payload == b"the session ended"
    assert not connect(client_id, clean=False).connack.session_present


def test_a_disconnect_may_change_the_expiry(connect, client_id):
    """[MQTT-4.1.0-2] and [MQTT-3.1.2-23] go by the interval that was given last."""
    device = connect(client_id, stays=True)
    ending = bytes([0]) + packets.properties(session_expiry_interval=0)
    device.send(packets.framed(0xE0, ending))
    device.end()
    assert not connect(client_id, stays=True).connack.session_present


@pytest.mark.parametrize("qos", [1, 2])
def test_unacknowledged_messages_come_again_in_order(
        connect, client_id, topic, version, publisher, qos):
    """[MQTT-4.4.0-1], [MQTT3-4.4.0-1], [MQTT-3.3.1-1], [MQTT3-3.3.1-1], [MQTT3-2.3.1-4]; each is
    unacknowledged until then [MQTT-4.3.2-3], [MQTT-4.3.3-3], [MQTT3-4.3.2-1], [MQTT3-4.3.3-1]."""
    device = connect(client_id, version, stays=True)
    device.subscribe(topic, qos=qos)
    for payload in (b"one", b"two", b"three"):
        publisher.publish(topic, payload, qos)
    first = [device.message() for _ in range(3)]
    assert [message.dup for message in first] == [False] * 3
    device.close()
    device = connect(client_id, version, stays=True)
    again = arrivals(device, publisher)
    assert [(one.packet_id, one.payload, one.dup) for one in again] == [
        (one.packet_id, one.payload, True) for one in first]
    device.leave()
    assert payloads(connect(client_id, version, stays=True), publisher) == []


def test_a_release_comes_again_until_pubcomp(connect, client_id, topic, version, publisher):
    """Not the PUBLISH: [MQTT-4.3.3-5], [MQTT-4.3.3-6], [MQTT3-4.3.3-1], [MQTT-4.4.0-1],
    [MQTT3-4.4.0-1]."""
    device = connect(client_id, version, stays=True)
    device.subscribe(topic, qos=2)
    publisher.publish(topic, b"x", qos=2)
    packet_id = device.message().packet_id
    device.send(packets.pubrec(packet_id, version))
    device.expect("PUBREL")
    for _ in range(2):
        device.close()
        device = connect(client_id, version, stays=True)
        assert device.expect("PUBREL").packet_id == packet_id
    device.send(packets.pubcomp(packet_id, version))
    assert device.is_silent()
    device.leave()
    assert connect(client_id, version, stays=True).is_silent()


def test_a_pubrec_on_the_new_connection_goes_on(connect, client_id, topic, version, publisher):
    """[MQTT-4.3.3-3], [MQTT-4.3.3-4], [MQTT3-4.3.3-1]."""
    device = connect(client_id, version, stays=True)
    device.subscribe(topic, qos=2)
    publisher.publish(topic, b"x", qos=2)
    device.message()
    device.close()
    device = connect(client_id, version, stays=True)
    assert device.take().dup
    assert device.is_silent()


@pytest.mark.parametrize("qos", [1, 2])
def test_a_message_refused_by_the_client_does_not_come_again(
        connect, client_id, topic, publisher, qos):
    """[MQTT-4.4.0-2]."""
    device = connect(client_id, stays=True)
    device.subscribe(topic, qos=qos)
    publisher.publish(topic, b"x", qos)
    refuse = packets.puback if qos == 1 else packets.pubrec
    device.send(refuse(device.message().packet_id, reason=0x80))
    assert device.is_silent()
    device.close()
    assert payloads(connect(client_id, stays=True), publisher) == []


def test_a_qos_2_message_is_known_again_after_the_client_is_back(
        connect, client_id, topic, version):
    """[MQTT-4.3.3-10], [MQTT3-4.3.3-2]."""
    subscriber = connect(version=version)
    subscriber.subscribe(topic, qos=2)
    device = connect(client_id, version, stays=True)
    device.send(packets.publish(topic, b"once", 2, 5, version=version))
    device.expect("PUBREC")
    device.close()
    device = connect(client_id, version, stays=True)
    device.send(packets.publish(topic, b"once", 2, 5, dup=True, version=version))
    assert device.expect("PUBREC").packet_id == 5
    device.send(packets.pubrel(5, version))
    assert device.expect("PUBCOMP").packet_id == 5
    assert payloads(subscriber, device) == [b"once"]


def test_nothing_is_repeated_on_a_connection_that_stays(connect, topic, version, publisher):
    """[MQTT-4.4.0-1]; other packets do not set it off, either."""
    device = connect(version=version)
    device.subscribe(topic, qos=2)
    for qos in (1, 2):
        publisher.publish(topic, b"%d" % qos, qos)
    first = [Publish.of(device.expect("PUBLISH"), version) for _ in range(2)]
    assert sorted(message.payload for message in first) == [b"1", b"2"]
    device.subscribe(f"{topic}/more")
    assert device.is_silent()
    assert payloads(device, publisher, settle=False) == []
