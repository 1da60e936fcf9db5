"""What each side allows the other: Receive Maximum, packet size, topic aliases; section 4.9."""

import pytest

from harness import packets
from harness.fence import arrivals


def waiting(connect, topic, publisher, qos, limit, **options):
    """A device that allows `limit` messages and was published four more, and its messages."""
    device = connect(receive_maximum=limit, **options)
    device.subscribe(topic, qos=qos)
    for number in range(limit + 4):
        publisher.publish(topic, b"%d" % number, qos)
    first = [device.message() for _ in range(limit)]
    assert device.is_silent()
    return device, first


@pytest.mark.parametrize("qos", [1, 2])
def test_the_server_keeps_to_the_clients_receive_maximum(connect, topic, publisher, qos):
    """[MQTT-3.3.4-9], [MQTT-4.9.0-1], [MQTT-4.9.0-2]."""
    device, first = waiting(connect, topic, publisher, qos, limit=2)
    assert [message.payload for message in first] == [b"0", b"1"]
    for message, following in zip(first, (b"2", b"3")):
        if qos == 1:
            device.acknowledge(message)
        else:
            device.send(packets.pubrec(message.packet_id))
            device.expect("PUBREL")
            assert device.is_silent()
            device.send(packets.pubcomp(message.packet_id))
        assert device.message().payload == following
        assert device.is_silent()


def test_a_pubrec_with_an_error_gives_the_quota_back(connect, topic, publisher):
    """[MQTT-3.3.4-9], [MQTT-4.9.0-2]."""
    device, (only,) = waiting(connect, topic, publisher, qos=2, limit=1)
    device.send(packets.pubrec(only.packet_id, reason=0x80))
    assert device.message().payload == b"1"


def test_without_quota_everything_else_goes_on(connect, topic, publisher):
    """[MQTT-3.3.4-10], [MQTT-4.9.0-3]."""
    device, _ = waiting(connect, topic, publisher, qos=1, limit=1)
    assert device.is_silent()
    assert device.subscribe(f"{topic}/low", qos=0) == [0]
    publisher.publish(f"{topic}/low", b"low", qos=1)
    assert device.message().payload == b"low"
    assert device.unsubscribe(f"{topic}/low") == [0]
    device.publish(f"{topic}/other", b"x", qos=1)
    device.publish(f"{topic}/other", b"x", qos=2)


def test_the_quota_begins_anew_with_the_connection(connect, topic, client_id, publisher):
    """[MQTT-4.9.0-1], [MQTT-3.3.4-9]: a resumed session keeps to the new Receive Maximum."""
    device, first = waiting(connect, topic, publisher, qos=1, limit=3, name=client_id, stays=True)
    device.close()
    device = connect(client_id, stays=True, receive_maximum=2)
    again = arrivals(device, publisher, settle=False)
    assert [(one.payload, one.dup) for one in again] == [(b"0", True), (b"1", True)]
    device.acknowledge(again[0])
    assert device.message().packet_id == first[2].packet_id


def test_a_client_beyond_the_servers_receive_maximum_is_closed(connect, topic):
    """[MQTT-3.3.4-7]."""
    device = connect()
    allowed = device.connack.properties().get("receive_maximum", 65535)
    if allowed == 65535:
        pytest.skip("the broker allows as many messages as there are packet IDs")
    for packet_id in range(1, allowed + 1):
        device.send(packets.publish(topic, b"", 2, packet_id))
        assert device.expect("PUBREC").reason() < 0x80
    assert device.is_silent()
    device.send(packets.publish(topic, b"", 2, allowed + 1))
    assert [(one.kind, one.reason()) for one in device.end()] in ([], [("DISCONNECT", 0x93)])


@pytest.mark.parametrize("qos", [0, 1, 2])
def test_a_message_too_large_for_the_client_counts_as_sent(connect, topic, publisher, qos):
    """[MQTT-3.1.2-24], [MQTT-3.1.2-25]: with room for one message the next one still comes."""
    device = connect(maximum_packet_size=100, receive_maximum=1)
    device.subscribe(topic, qos=qos)
    for payload in (bytes(100), bytes(1000), b"small"):
        publisher.publish(topic, payload, qos)
    assert device.take().payload == b"small"
    fits = bytes(99 - len(packets.publish(topic, b"", qos)))
    publisher.publish(topic, fits, qos)
    assert device.take().payload == fits


def test_every_alias_that_the_server_allows_works(connect, topic, publisher):
    """[MQTT-3.3.2-12]; with an alias the last topic given counts."""
    publisher.subscribe(f"{topic}/#", qos=0)
    device = connect()
    allowed = device.connack.properties().get("topic_alias_maximum", 0)
    for alias in range(1, allowed + 1):
        device.send(packets.publish(f"{topic}/old", topic_alias=alias))
        device.send(packets.publish(f"{topic}/{alias}", topic_alias=alias))
    for alias in range(1, allowed + 1):
        device.send(packets.publish("", topic_alias=alias))
    sent = [f"{topic}/{name}" for alias in range(1, allowed + 1) for name in ("old", alias)]
    sent += [f"{topic}/{alias}" for alias in range(1, allowed + 1)]
    assert [message.topic for message in arrivals(publisher, device)] == sent


def test_an_alias_beyond_the_servers_maximum_is_closed(connect, topic):
    """[MQTT-3.3.2-9], [MQTT-3.3.2-8]."""
    allowed = connect().connack.properties().get("topic_alias_maximum", 0)
    for alias in (0, allowed + 1, 65535):
        device = connect()
        device.send(packets.publish(topic, topic_alias=alias))
        goodbye = [packet.kind for packet in device.end()]
        assert goodbye in ([], ["DISCONNECT"]), alias


def test_aliases_end_with_their_connection(connect, topic, client_id):
    """[MQTT-3.3.2-7]; an alias that stands for nothing is a protocol error."""
    connect(client_id, stays=True).publish(topic, topic_alias=1)
    device = connect(client_id, stays=True)
    assert device.connack.session_present
    device.send(packets.publish("", topic_alias=1))
    assert [packet.kind for packet in device.end()] in ([], ["DISCONNECT"])


@pytest.mark.parametrize("allowed", [None, 0, 2])
def test_the_server_keeps_to_the_clients_alias_maximum(connect, topic, publisher, allowed):
    """[MQTT-3.1.2-26], [MQTT-3.1.2-27], [MQTT-3.3.2-11], [MQTT-3.3.2-8]; the publisher's own alias
    is not handed on."""
    device = connect(**({} if allowed is None else {"topic_alias_maximum": allowed}))
    device.subscribe(f"{topic}/+")
    names = [f"{topic}/{number}" for number in (1, 2, 3, 1, 2, 3)]
    for name in names:
        publisher.publish(name, topic_alias=1)
    known, got = {}, []
    for message in arrivals(device, publisher):
        alias = message.properties.get("topic_alias")
        assert alias is None or 1 <= alias <= (allowed or 0)
        if alias and message.topic:
            known[alias] = message.topic
        got.append(message.topic or known[alias])
    assert got == names


def test_without_problem_information_acknowledgements_say_no_more(connect, topic):
    """[MQTT-3.1.2-29]: neither reason strings nor user properties."""
    device = connect(request_problem_information=0)
    for packet in (packets.subscribe([(f"{topic}/a", 1)]), packets.unsubscribe([f"{topic}/never"]),
                   packets.publish(topic, b"", 1, 5), packets.publish(topic, b"", 2, 6),
                   packets.pubrel(6), packets.pubrel(99)):
        device.send(packet)
        answer = device.packet()
        assert not {"reason_string", "user_property"} & answer.properties().keys(), answer
